/// The identity's id became another one: by the first call, by a sign-in, or by a sign-out.
public struct IdentityChange: Sendable, Equatable {
    /// nil where there was none.
    public let from: String?
    /// nil after a sign-out, until the next call.
    public let to: String?
}

/// Asked for an ID token whenever credentials are fetched: an app gives back the token it has, or gets a new one first.
public typealias LoginToken = @Sendable () async throws -> String

/// What is kept of an identity.
struct KeptIdentity: Sendable, Equatable, Codable {
    static let formerIDsMax = 16

    var id: String?
    var hasSignedIn = false
    /// Ids that became this one by a merge, the latest last.
    var formerIDs: [String] = []
    /// Only in storage that keeps secrets.
    var credentials: Credentials?
}
