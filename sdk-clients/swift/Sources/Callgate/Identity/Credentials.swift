import Foundation

/// A session's keys. They print as nothing but the time of their end.
package struct Credentials: Sendable, Equatable, Codable {
    package let accessKeyID: String
    package let secretKey: String
    package let sessionToken: String
    /// By the server's clock, both.
    package let issued: Date
    package let expiration: Date

    package init(accessKeyID: String, secretKey: String, sessionToken: String, issued: Date, expiration: Date) {
        (self.accessKeyID, self.secretKey, self.sessionToken) = (accessKeyID, secretKey, sessionToken)
        (self.issued, self.expiration) = (issued, expiration)
    }

    /// What a call does with credentials of this age.
    package enum Use: String, Sendable {
        case use
        /// They are still good; new ones are fetched meanwhile.
        case fetchAhead = "use-and-fetch-ahead"
        case wait = "wait-for-new"
    }

    /// The longest time before their end at which new ones are fetched, and at which calls wait for them; short lives have a
    /// quarter and a twentieth.
    package static let aheadSecondsMax: TimeInterval = 300
    package static let unusableSecondsMax: TimeInterval = 30

    package func use(at now: Date) -> Use {
        let life = expiration.timeIntervalSince(issued)
        let left = expiration.timeIntervalSince(now)
        if left <= min(Self.unusableSecondsMax, life / 20) { return .wait }
        return left <= min(Self.aheadSecondsMax, life / 4) ? .fetchAhead : .use
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "Credentials(until \(expiration))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["expiration": expiration]) }
}
