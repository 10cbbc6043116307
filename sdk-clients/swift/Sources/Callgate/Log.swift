import Foundation

/// One thing that a client did, for a log. It never holds payloads, tokens, keys or signatures.
public struct CallgateLogEvent: Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// An attempt was sent, and answered or not.
        case attempt
        /// Another attempt follows after a pause.
        case retry
        /// Credentials were fetched.
        case credentials
        /// The identity's id is another one.
        case identity
        /// The server's clock differs from the device's.
        case clock
        /// A call's end was asked for.
        case cancel
        /// The outbox kept, sent or ended an entry.
        case outbox
        /// Something could not be kept; the client goes on without.
        case storage
    }

    public let kind: Kind
    /// What happened, in words.
    public let message: String
    /// Function, attempt, status, ids, durations: by name.
    public let fields: [String: String]

    public var description: String {
        ([kind.rawValue, message] + fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
            .joined(separator: " ")
    }
}

/// Where log events go: a function of the app's.
public typealias CallgateLog = @Sendable (CallgateLogEvent) -> Void

package struct Logger: Sendable {
    let log: CallgateLog?

    package init(_ log: CallgateLog?) {
        self.log = log
    }

    func callAsFunction(_ kind: CallgateLogEvent.Kind, _ message: String, _ fields: @autoclosure () -> [String: String] = [:]) {
        log?(CallgateLogEvent(kind: kind, message: message, fields: fields()))
    }
}
