import Callgate
import Foundation

/// A gateway for an app's own tests: the client is the real one, and what it calls are functions that the test gives. JSON is
/// mapped, attempts are made, calls are kept as in the app; only nothing goes over a network, and no wait is waited for.
///
///     let gateway = try CallgateDouble()
///     gateway.answer(greet) { name in Greeting(greeting: "Hello, \(name.name)!") }
///     let greeting = try await Greeter(callgate: gateway.client).greet("Ada")
public final class CallgateDouble: Sendable {
    /// What a test can have happen instead of an answer.
    public enum Trouble: Sendable {
        case offline
        case denied
        case throttled(reason: String, retryAfter: Int)
        case serviceFailure
        /// The function ran and failed.
        case function(type: String, message: String)
        /// No answer comes, and the call's timeout passes.
        case silence
    }

    /// A call as it arrived; each attempt is one.
    public struct Call: Sendable, Equatable {
        public let function: String
        public let qualifier: String?
        /// nil where there is no argument.
        public let payload: JSONValue?
        public let idempotencyKey: String?
        public let invocationID: String?
        public let identityID: String?
        public let clientContext: ClientContext?
    }

    public let client: CallgateClient
    private let gateway: DoubleGateway

    /// `configure` sets what the app sets too: an outbox's folder, a storage, a log.
    public init(configure: (inout Configuration) -> Void = { _ in }) throws {
        let gateway = DoubleGateway()
        var configuration = Configuration(
            endpoint: URL(string: "https://callgate.invalid")!, identityPoolID: "us-east-1:test"
        )
        configuration.describesDevice = false
        // Recorded calls are read as they are.
        configuration.gzipFromBytes = 0
        configure(&configuration)
        self.gateway = gateway
        client = try CallgateClient(configuration, transport: gateway, surroundings: .hasty)
    }

    /// From now on the function answers so. What `answer` throws is the function's error.
    public func answer<Input: Decodable, Output: Encodable>(
        _ function: CallgateFunction<Input, Output>, with answer: @escaping @Sendable (Input) async throws -> Output
    ) {
        gateway.set(function.name) { payload in
            try Payload.encode(try await answer(try Payload.decode(Input.self, from: payload)))
        }
    }

    /// The next calls of the function meet this; without a number, all until `recover`.
    public func trouble<Input, Output>(
        _ function: CallgateFunction<Input, Output>, _ trouble: Trouble, times: Int = .max
    ) {
        gateway.set(function.name, trouble, times: times)
    }

    /// Ends all trouble.
    public func recover() {
        gateway.recover()
    }

    /// Whether the device is without a network.
    public var isOffline: Bool {
        get { gateway.isOffline }
        set { gateway.isOffline = newValue }
    }

    /// All calls until now, in their order.
    public var calls: [Call] { gateway.calls }

    /// Who signs in with this token is that user, whatever the device; without, each token is a user of its own.
    public func user(_ identityID: String, hasToken token: String) {
        gateway.users(token, identityID)
    }
}

extension Surroundings {
    /// Waits for nothing, so that an app's tests do not either.
    static let hasty = Surroundings(
        now: Surroundings.real.now, random: Surroundings.real.random, uuid: Surroundings.real.uuid,
        sleep: { _ in
            try Task.checkCancellation()
            await Task.yield()
        }
    )
}
