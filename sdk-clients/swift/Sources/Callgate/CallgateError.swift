import Foundation

/// What can go wrong with a call, told apart by what an app does about it.
public enum CallgateError: Error, Sendable, Equatable {
    /// A limit was reached, and stayed so over all attempts.
    case throttled(Throttle)
    /// The caller's policies do not allow the call.
    case denied(Refusal)
    /// The identity cannot get credentials as it is, or they are refused: its login has ended, or its sessions were revoked.
    /// Sign in anew; for a guest, `signOut()` begins with a new identity.
    case authentication(Refusal)
    /// There is no such function, or no such version of it.
    case notFound(Refusal)
    /// The gateway cannot take the call as it is: too large, no JSON, a key that another call had.
    case invalidRequest(Refusal)
    /// The function is being changed, or the call is in the way of another.
    case conflict(Refusal)
    /// The gateway was interrupted while the call ran. It is not known whether it ran to its end, and it will not run again.
    case outcomeUnknown(Refusal)
    /// No answer within the call's timeout. What had not begun by then does not run.
    case timedOut(Refusal)
    /// The gateway failed, or is too busy, over all attempts.
    case service(Refusal)
    /// The gateway cannot be reached, over all attempts: no network, no connection, or something else answers in its place.
    case offline(Refusal)
    /// The function ran and failed, or ran out of its own time.
    case function(FunctionFailure)
    /// Somebody cancelled the function while it ran.
    case cancelled(FunctionFailure)
    /// The answer is not what the function's `Output` says it is.
    case unexpectedAnswer(String)
    /// Refused on this device, before anything was sent: the value is no JSON or too large, or a setting is wrong.
    case invalidArgument(String)
    /// Something could not be kept on, or read from, this device.
    case storage(String)
    /// The outbox holds as much as it may.
    case outboxFull(String)
}

/// What the gateway, or what stands in its place, said.
public struct Refusal: Sendable, Equatable, Codable {
    /// The HTTP status; nil where there was no answer.
    public let status: Int?
    /// The gateway's name for the error, as `ResourceNotFoundException`.
    public let code: String?
    public let message: String
    public let requestID: String?
    /// When to come again, in seconds, where the gateway said so.
    public let retryAfter: TimeInterval?
    public internal(set) var call = CallTrace()

    public init(
        status: Int? = nil, code: String? = nil, message: String, requestID: String? = nil,
        retryAfter: TimeInterval? = nil
    ) {
        (self.status, self.code, self.message) = (status, code, message)
        (self.requestID, self.retryAfter) = (requestID, retryAfter)
    }
}

/// What an error's call did until then.
public struct CallTrace: Sendable, Equatable, Codable {
    /// The id under which all attempts of the call went out.
    public internal(set) var invocationID: String?
    public internal(set) var attempts = 0
    /// False only if the function certainly did not run.
    public internal(set) var mayHaveRun = false

    init() {}
}

/// A limit that was reached.
public struct Throttle: Sendable, Equatable, Codable {
    public internal(set) var refusal: Refusal
    /// As `CallerRateLimitExceeded`.
    public let reason: String?
    /// Which of the gateway's limits it was.
    public let limit: String?
    /// When to come again, in seconds, where the gateway said so.
    public var retryAfter: TimeInterval? { refusal.retryAfter }

    public init(refusal: Refusal, reason: String? = nil, limit: String? = nil) {
        (self.refusal, self.reason, self.limit) = (refusal, reason, limit)
    }
}

/// How a function failed, as the function or its sandbox tells it.
public struct FunctionFailure: Sendable, Equatable, Codable {
    /// The error's type at the far end: `TypeError`, `Sandbox.Timedout`.
    public let type: String?
    public let message: String?
    /// The far end's stack, one line a frame; empty if there is none.
    public let stack: [String]
    /// Whether the function's own code reported it, by `context.fail` or its kin.
    public let isHandled: Bool
    public let requestID: String?
    public internal(set) var call = CallTrace()

    public init(
        type: String?, message: String?, stack: [String] = [], isHandled: Bool = false, requestID: String? = nil
    ) {
        (self.type, self.message, self.stack) = (type, message, stack)
        (self.isHandled, self.requestID) = (isHandled, requestID)
    }

    /// The function did not end within its own time.
    public var isTimeout: Bool { type == "Sandbox.Timedout" }
}

extension CallgateError {
    /// A word for logs and for the outbox's files; the contract's names.
    package var kind: String {
        switch self {
        case .throttled: return "throttled"
        case .denied: return "denied"
        case .authentication: return "authentication"
        case .notFound: return "not-found"
        case .invalidRequest: return "invalid-request"
        case .conflict: return "conflict"
        case .outcomeUnknown: return "outcome-unknown"
        case .timedOut: return "deadline"
        case .service: return "service"
        case .offline: return "offline"
        case .function: return "function"
        case .cancelled: return "cancelled"
        case .unexpectedAnswer: return "answer"
        case .invalidArgument: return "invalid-argument"
        case .storage: return "storage"
        case .outboxFull: return "outbox-full"
        }
    }

    /// The gateway's words, where there are any.
    public var refusal: Refusal? {
        switch self {
        case .throttled(let throttle): return throttle.refusal
        case .denied(let refusal), .authentication(let refusal), .notFound(let refusal), .invalidRequest(let refusal),
            .conflict(let refusal), .outcomeUnknown(let refusal), .timedOut(let refusal), .service(let refusal),
            .offline(let refusal):
            return refusal
        case .function, .cancelled, .unexpectedAnswer, .invalidArgument, .storage, .outboxFull: return nil
        }
    }
}

extension CallgateError {
    /// The same error, with what its call did.
    func traced(_ call: CallTrace) -> CallgateError {
        func with(_ refusal: Refusal) -> Refusal {
            var refusal = refusal
            refusal.call = call
            return refusal
        }
        func with(_ failure: FunctionFailure) -> FunctionFailure {
            var failure = failure
            failure.call = call
            return failure
        }
        switch self {
        case .throttled(var throttle):
            throttle.refusal = with(throttle.refusal)
            return .throttled(throttle)
        case .denied(let refusal): return .denied(with(refusal))
        case .authentication(let refusal): return .authentication(with(refusal))
        case .notFound(let refusal): return .notFound(with(refusal))
        case .invalidRequest(let refusal): return .invalidRequest(with(refusal))
        case .conflict(let refusal): return .conflict(with(refusal))
        case .outcomeUnknown(let refusal): return .outcomeUnknown(with(refusal))
        case .timedOut(let refusal): return .timedOut(with(refusal))
        case .service(let refusal): return .service(with(refusal))
        case .offline(let refusal): return .offline(with(refusal))
        case .function(let failure): return .function(with(failure))
        case .cancelled(let failure): return .cancelled(with(failure))
        case .unexpectedAnswer, .invalidArgument, .storage, .outboxFull: return self
        }
    }
}

extension CallgateError: LocalizedError {
    public var errorDescription: String? {
        switch self {
        case .function(let failure), .cancelled(let failure):
            return "\(kind): \(failure.type ?? "error"): \(failure.message ?? "without a message")"
        case .unexpectedAnswer(let message), .invalidArgument(let message), .storage(let message),
            .outboxFull(let message):
            return "\(kind): \(message)"
        default:
            let code = refusal?.code.map { "\($0): " } ?? ""
            return "\(kind): \(code)\(refusal?.message ?? "")"
        }
    }
}
