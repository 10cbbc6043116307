import Foundation

/// A client's settings. Wrong ones are refused by `CallgateClient(_:)`, by name.
public struct Configuration: Sendable {
    /// Scheme, host and port of the gateway, nothing behind.
    public var endpoint: URL
    /// As `us-east-1:0b4e…`.
    public var identityPoolID: String
    public var region = "us-east-1"
    /// Of a whole call, its attempts and waits included, in seconds: 0.001 to 900. A call may have its own.
    public var timeout: TimeInterval = 30
    /// 1 to 10.
    public var attemptsMax = 4
    /// An attempt in which nothing is sent or received for so long, in seconds, is broken off and made again: a phone that
    /// changed networks hears nothing of it, and the gateway joins the two. The last attempt has all the time that is left.
    public var attemptTimeout: TimeInterval = 10
    /// Bodies of so many bytes are compressed; 0 switches it off.
    public var gzipFromBytes = 8_192
    /// Lets calls go unencrypted to other machines than this one: for development alone.
    public var allowPlaintext = false
    /// Where the identity is kept; nil keeps it in memory alone.
    public var storage: (any IdentityStorage)?
    /// What the app says of itself and of the device with each call; what it leaves out is filled in, if `describesDevice`.
    public var clientContext = ClientContext()
    /// Whether app and device are described from what the system knows of them.
    public var describesDevice = true
    /// The folder of calls that are kept while offline; nil for none. Only the app may be able to read it.
    public var outboxFolder: URL?
    /// How long a kept call waits for its first sending, in seconds; at most 30 days.
    public var outboxAgeLimit: TimeInterval = 86_400
    /// Hears what the client does; never a secret, see `CallgateLogEvent`.
    public var log: CallgateLog?

    public init(endpoint: URL, identityPoolID: String) {
        (self.endpoint, self.identityPoolID) = (endpoint, identityPoolID)
    }

    /// The endpoint, if all settings are in order.
    func checked() throws -> Endpoint {
        func demand(_ condition: Bool, _ message: String) throws {
            if !condition { throw CallgateError.invalidArgument(message) }
        }
        let address = try Endpoint(endpoint)
        try demand(
            !address.isPlaintext || address.isLoopback || allowPlaintext,
            "the endpoint must be https beyond this machine, or allowPlaintext be set, and is \(address.origin)"
        )
        try demand(identityPoolID.contains(":"), "the identityPoolID must be like us-east-1:…, and is \(identityPoolID)")
        try demand(!region.isEmpty, "the region must not be empty")
        try demand((0.001...900).contains(timeout), "the timeout must be 0.001 to 900 seconds, and is \(timeout)")
        try demand((1...10).contains(attemptsMax), "attemptsMax must be 1 to 10, and is \(attemptsMax)")
        try demand(
            (0.001...900).contains(attemptTimeout), "attemptTimeout must be 0.001 to 900 seconds, and is \(attemptTimeout)"
        )
        try demand(gzipFromBytes >= 0, "gzipFromBytes must not be negative, and is \(gzipFromBytes)")
        try demand(
            outboxAgeLimit > 0 && outboxAgeLimit <= 30 * 86_400,
            "outboxAgeLimit must be within 30 days, and is \(outboxAgeLimit) seconds"
        )
        return address
    }
}
