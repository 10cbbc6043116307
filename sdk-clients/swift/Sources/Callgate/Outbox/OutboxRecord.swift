import Foundation

/// A kept call, as it lies in its file.
package struct OutboxRecord: Sendable, Equatable, Codable {
    package var id: String
    package var function: String
    package var qualifier: String?
    package var payload: Data
    package var custom: [String: JSONValue]
    package var label: String?
    /// Whose call it is; nil while there is no identity yet.
    package var identityID: String?
    package var idempotencyKey: String
    /// Milliseconds since 1970.
    package var made: Int64
    package var firstSent: Int64?
}

/// What becomes of a kept call.
package enum OutboxFate: Sendable, Equatable {
    case send
    /// It stays first in its order, and is tried again.
    case keep
    /// Its result is handed over, then it is erased.
    case done(OutboxOutcome)

    /// So long after the first sending the gateway certainly knows the key; it forgets it after a day.
    package static let keyWindowMilliseconds: Int64 = 23 * 3_600_000

    /// Before it is sent, by its age and that of its first sending, in milliseconds. What was sent goes on past its age, for as
    /// long as its key is known: what became of it is worth knowing.
    package init(age: Int64, firstSentAge: Int64?, ageLimit: Int64, keyWindow: Int64 = keyWindowMilliseconds) {
        guard let firstSentAge else {
            self = age > ageLimit ? .done(.expired) : .send
            return
        }
        guard firstSentAge > keyWindow else {
            self = .send
            return
        }
        let message = "it was sent so long ago that the gateway may have forgotten it, and may or may not have run"
        self = .done(.failure(.outcomeUnknown(Refusal(message: message))))
    }

    /// After an attempt.
    package init(after result: Result<Data, CallgateError>) {
        switch result {
        case .success(let payload):
            self = .done(.answer(payload))
        case .failure(.offline), .failure(.throttled), .failure(.service), .failure(.timedOut), .failure(.conflict),
            .failure(.authentication), .failure(.storage):
            self = .keep
        case .failure(let error):
            self = .done(.failure(error))
        }
    }
}

/// How a kept call ended.
public enum OutboxOutcome: Sendable, Equatable {
    /// The function's JSON.
    case answer(Data)
    /// It ran and failed, or was refused for good; or, `.outcomeUnknown`, nobody knows whether it ran.
    case failure(CallgateError)
    /// It was never sent, and is too old by now.
    case expired
}

/// A kept call's end, as the app hears it. It may be heard twice, where the app died while it heard it: `id` is the same then.
public struct OutboxResult: Sendable, Equatable {
    public let id: String
    public let function: String
    /// The app's own word, from `add`.
    public let label: String?
    public let outcome: OutboxOutcome

    /// What the function answered, or what went wrong. A call that has expired throws `.timedOut`.
    public func value<Input, Output>(of function: CallgateFunction<Input, Output>) throws -> Output {
        switch outcome {
        case .answer(let payload): return try Payload.decode(Output.self, from: payload)
        case .failure(let error): throw error
        case .expired: throw CallgateError.timedOut(Refusal(message: "the call expired before it could be sent"))
        }
    }
}

/// Moments at which the app may die; the tests' app does.
package enum OutboxStep: Sendable, Equatable {
    /// A record is being written: at `add`, and before its first sending.
    case adding(DurableFile.Step)
    case added
    case marking(DurableFile.Step)
    case marked
    case answered
    case delivered
    case erased
}
