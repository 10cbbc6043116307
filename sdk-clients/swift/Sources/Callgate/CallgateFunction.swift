import Foundation

/// A function of the gateway, with the types of what it takes and what it answers:
///
///     let greet = CallgateFunction<Name, Greeting>("greet")
///     let greeting = try await callgate.call(greet, Name(name: "Ada"))
///
/// Both are `Codable`; a function without argument takes `Nothing`, and `JSONValue` stands for any JSON. A function that
/// may answer nothing has an optional `Output`.
public struct CallgateFunction<Input: Encodable & Sendable, Output: Decodable & Sendable>: Sendable {
    /// Its name, or its ARN.
    public let name: String
    /// A version or an alias; the latest code without.
    public let qualifier: String?
    /// Whether a call runs at most once whatever happens, a crash of the gateway included. It costs the gateway a write to
    /// disk before the run. Without, retries run once too, unless the gateway crashes meanwhile.
    public let runsOnce: Bool

    public init(_ name: String, qualifier: String? = nil, runsOnce: Bool = false) {
        (self.name, self.qualifier, self.runsOnce) = (name, qualifier, runsOnce)
    }
}

/// What differs from one call of a function to another.
public struct CallOptions: Sendable {
    /// How long the whole call may take, all attempts included, in seconds; the configuration's unless set. It is sent on:
    /// the function sees it as its remaining time.
    public var timeout: TimeInterval?
    /// A key of the app's own for this call (1–255 visible ASCII characters): calls with the same key run once together, for
    /// a day. Without one, a function that `runsOnce` gets a new key for each call.
    public var idempotencyKey: String?
    /// Added to the client context's `custom`, for this call.
    public var custom: [String: JSONValue]

    public init(timeout: TimeInterval? = nil, idempotencyKey: String? = nil, custom: [String: JSONValue] = [:]) {
        (self.timeout, self.idempotencyKey, self.custom) = (timeout, idempotencyKey, custom)
    }
}

/// What calls functions: a `CallgateClient`, or the test double of CallgateTesting. Code of an app that is to be tested takes
/// `some CallgateCalling`.
public protocol CallgateCalling: Sendable {
    /// Calls a function and waits for its answer. Throws a `CallgateError`, or `CancellationError` when the task was
    /// cancelled; then the function is cancelled too.
    func call<Input, Output>(
        _ function: CallgateFunction<Input, Output>, _ input: Input, options: CallOptions
    ) async throws -> Output
}

extension CallgateCalling {
    public func call<Input, Output>(
        _ function: CallgateFunction<Input, Output>, _ input: Input
    ) async throws -> Output {
        try await call(function, input, options: CallOptions())
    }

    public func call<Output>(
        _ function: CallgateFunction<Nothing, Output>, options: CallOptions = CallOptions()
    ) async throws -> Output {
        try await call(function, Nothing(), options: options)
    }
}
