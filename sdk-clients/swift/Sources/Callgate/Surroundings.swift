import Foundation

/// What a client takes from the world: time, chance, waiting. Tests bring their own.
package struct Surroundings: Sendable {
    package var now: @Sendable () -> Date
    /// From 0 up to but not including 1.
    package var random: @Sendable () -> Double
    /// A version 4 UUID in lower case.
    package var uuid: @Sendable () -> String
    /// Waits that many seconds; throws `CancellationError` when the task is cancelled.
    package var sleep: @Sendable (TimeInterval) async throws -> Void

    package init(
        now: @escaping @Sendable () -> Date,
        random: @escaping @Sendable () -> Double,
        uuid: @escaping @Sendable () -> String,
        sleep: @escaping @Sendable (TimeInterval) async throws -> Void
    ) {
        (self.now, self.random, self.uuid, self.sleep) = (now, random, uuid, sleep)
    }

    package static let real = Surroundings(
        now: { Date() },
        random: { Double.random(in: 0..<1) },
        uuid: { UUID().uuidString.lowercased() },
        sleep: { seconds in try await Task.sleep(nanoseconds: UInt64(max(0, min(seconds, 86_400)) * 1e9)) }
    )
}
