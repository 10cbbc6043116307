import Foundation

/// Attempts of one call: how many, and how long between them.
package struct RetryPolicy: Sendable, Equatable {
    package var attemptsMax = 4
    package var base: TimeInterval = 0.2
    package var cap: TimeInterval = 5

    package init() {}

    /// Full jitter: anything from nothing to a bound that doubles; after what the server asked for. `retry` is 1 for the
    /// first, `random` from 0 up to 1.
    package func delay(retry: Int, random: Double, after: TimeInterval = 0) -> TimeInterval {
        // In whole milliseconds, as the contract's vectors have it.
        after + (random * min(cap, base * pow(2, Double(retry - 1))) * 1000).rounded(.down) / 1000
    }
}

/// How an attempt ended.
package enum Attempt<Answer: Sendable>: Sendable {
    case success(Answer)
    case failure(CallgateError, Advice)
}

/// Whether another attempt may help.
package enum Advice: Sendable, Equatable {
    case never
    /// Something was put right: credentials or the clock.
    case atOnce
    /// Later, and not before so many seconds.
    case later(after: TimeInterval)
}

/// Runs attempts until one succeeds, none may follow, or the time is up.
package struct Retrier: Sendable {
    package var policy: RetryPolicy
    package var surroundings: Surroundings
    let log: Logger

    package init(policy: RetryPolicy, surroundings: Surroundings, log: Logger = Logger(nil)) {
        (self.policy, self.surroundings, self.log) = (policy, surroundings, log)
    }

    /// `attempt` is told its number, from 1. `deadline` is by this device's clock.
    package func run<Answer: Sendable>(
        until deadline: Date?, _ attempt: (Int) async throws -> Attempt<Answer>
    ) async throws -> Answer {
        var number = 1
        while true {
            try Task.checkCancellation()
            let error: CallgateError
            let advice: Advice
            switch try await attempt(number) {
            case .success(let answer): return answer
            case .failure(let met, let advised): (error, advice) = (met, advised)
            }
            guard number < policy.attemptsMax, advice != .never else { throw error }
            if case .later(let after) = advice {
                let wait = policy.delay(retry: number, random: surroundings.random(), after: after)
                // Waiting past the deadline helps nobody.
                if let deadline, deadline.timeIntervalSince(surroundings.now()) - wait < 0.0005 { throw error }
                log(.retry, "waits for another attempt", ["after_attempt": "\(number)", "wait_ms": "\(Int(wait * 1000))"])
                try await surroundings.sleep(wait)
            }
            number += 1
        }
    }
}
