import Foundation

/// Calls the functions of a gateway as this device's identity: a guest at once, or who has signed in.
///
///     let callgate = try CallgateClient(endpoint: endpoint, identityPoolID: "us-east-1:0b4e…")
///     let greeting = try await callgate.call(CallgateFunction<Name, Greeting>("greet"), Name(name: "Ada"))
///
/// One client for the whole app. It can be used from any task; nothing is sent before the first call.
public final class CallgateClient: CallgateCalling, Sendable {
    public static let version = "0.1.0"

    /// Calls that are kept while offline; nil unless the configuration names a folder for them.
    public let outbox: Outbox?

    let keeper: IdentityKeeper
    private let configuration: Configuration
    private let invoker: Invoker
    private let context: ContextKeeper
    private let surroundings: Surroundings

    /// Refuses wrong settings with `CallgateError.invalidArgument`, and an outbox's folder that cannot be used with `.storage`.
    public convenience init(_ configuration: Configuration) throws {
        try self.init(configuration, transport: URLSessionTransport(), surroundings: .real)
    }

    /// With everything else as it comes: kept where this system keeps such things, with what this device says of itself.
    public convenience init(endpoint: URL, identityPoolID: String) throws {
        try self.init(.standard(endpoint: endpoint, identityPoolID: identityPoolID))
    }

    package init(
        _ configuration: Configuration, transport: any Transport, surroundings: Surroundings,
        steps: @escaping @Sendable (OutboxStep) -> Void = { _ in }
    ) throws {
        let endpoint = try configuration.checked()
        _ = try configuration.clientContext.header()
        let log = Logger(configuration.log)
        let clock = ServerClock(surroundings, log: log)
        var policy = RetryPolicy()
        policy.attemptsMax = configuration.attemptsMax
        let retrier = Retrier(policy: policy, surroundings: surroundings, log: log)
        let userAgent = "callgate-swift/\(Self.version)"
        let service = IdentityService(
            endpoint: endpoint, poolID: configuration.identityPoolID, transport: transport, clock: clock,
            retrier: retrier, userAgent: userAgent
        )
        let storage = configuration.storage ?? MemoryStorage()
        let keeper = IdentityKeeper(service: service, storage: storage, clock: clock, log: log)
        let context = ContextKeeper(configuration, storage: storage, surroundings: surroundings, log: log)
        let invoker = Invoker(
            endpoint: endpoint, region: configuration.region, transport: transport, keeper: keeper, clock: clock,
            retrier: retrier, attemptTimeout: configuration.attemptTimeout, gzipFromBytes: configuration.gzipFromBytes,
            userAgent: userAgent, log: log
        )
        outbox = try configuration.outboxFolder.map { folder in
            try Outbox(
                folder: folder, ageLimit: configuration.outboxAgeLimit, context: context, keeper: keeper,
                invoker: invoker, clock: clock, surroundings: surroundings, log: log, steps: steps
            )
        }
        (self.configuration, self.keeper, self.invoker) = (configuration, keeper, invoker)
        (self.context, self.surroundings) = (context, surroundings)
    }

    public func call<Input, Output>(
        _ function: CallgateFunction<Input, Output>, _ input: Input, options: CallOptions
    ) async throws -> Output {
        let seconds = options.timeout ?? configuration.timeout
        guard (0.001...900).contains(seconds) else {
            throw CallgateError.invalidArgument("a timeout must be 0.001 to 900 seconds, and is \(seconds)")
        }
        let invocation = try Invocation(
            function: function.name, qualifier: function.qualifier, payload: try Payload.encode(input),
            invocationID: surroundings.uuid(),
            idempotencyKey: options.idempotencyKey ?? (function.runsOnce ? surroundings.uuid() : nil),
            clientContext: try await context.header(adding: options.custom), timeout: seconds
        )
        let answer = try await invoker.invoke(invocation, within: seconds)
        return try Payload.decode(Output.self, from: answer)
    }

    // MARK: Identity

    /// The id of this device's identity. Without one it becomes a guest's.
    public func identityID() async throws -> String {
        try await keeper.identityID(within: configuration.timeout)
    }

    /// The id if there is one yet; nothing is sent.
    public func currentIdentityID() async throws -> String? {
        try await keeper.currentID
    }

    /// Hears of each change of the id from now on. At most 32 listen at a time; the longest gives way.
    public func identityChanges() -> AsyncStream<IdentityChange> {
        keeper.stream()
    }

    /// Signs in with an ID token. `provider` is its issuer without the scheme, as `accounts.example.com`. Gives back the
    /// identity's id: the guest's own, or, where the login has an identity already, that one's. If it fails, whoever was
    /// signed in before still is.
    @discardableResult
    public func signIn(provider: String, token: String) async throws -> String {
        try await signIn(provider: provider) { token }
    }

    /// The same with a function that is asked for a token each time credentials are fetched, so that a session outlasts a token.
    @discardableResult
    public func signIn(provider: String, token: @escaping LoginToken) async throws -> String {
        let id = try await keeper.signIn(provider, token)
        await outbox?.flush()
        return id
    }

    /// Forgets logins, credentials and the identity's id. The next call is a new guest's.
    public func signOut() async throws {
        try await keeper.signOut()
    }
}
