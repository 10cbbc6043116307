import Foundation

/// The server's time, by the `Date` of its answers: phones' clocks are wrong by hours, and signatures are good for minutes.
package final class ServerClock: @unchecked Sendable {
    /// A smaller difference is the network's, and the header's, which is exact to the second.
    package static let toleranceSeconds: TimeInterval = 30

    private let lock = NSLock()
    private var offset: TimeInterval = 0
    private let surroundings: Surroundings
    private let log: Logger

    package init(_ surroundings: Surroundings, log: Logger = Logger(nil), offset: TimeInterval = 0) {
        (self.surroundings, self.log, self.offset) = (surroundings, log, offset)
    }

    /// The server's time, as far as it is known.
    package var now: Date {
        surroundings.now().addingTimeInterval(lock.withLock { offset })
    }

    package var offsetSeconds: TimeInterval { lock.withLock { offset } }

    /// Learns from an answer of the gateway; a captive portal's word does not count. True if the clock was wrong.
    @discardableResult
    package func learn(from response: HTTPResponse) -> Bool {
        guard response.requestID != nil, let date = response.headers["date"].flatMap(Timestamps.ofHTTP) else { return false }
        let found = date.timeIntervalSince(surroundings.now())
        let changed = lock.withLock {
            guard abs(found - offset) >= Self.toleranceSeconds else { return false }
            offset = abs(found) < Self.toleranceSeconds ? 0 : found
            return true
        }
        if changed { log(.clock, "the server's clock differs", ["seconds": "\(Int(found.rounded()))"]) }
        return changed
    }
}
