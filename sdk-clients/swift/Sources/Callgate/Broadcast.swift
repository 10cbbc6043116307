import Foundation

/// Tells what happens to whoever listens, as streams.
final class Broadcast<Element: Sendable>: @unchecked Sendable {
    /// So many listen at a time; of more, the one that listened longest hears the end.
    static var listenersMax: Int { 32 }
    /// So much waits for a listener that is slow; of more, the oldest is dropped.
    static var waitingMax: Int { 64 }

    private let lock = NSLock()
    private var listeners: [(number: Int, continuation: AsyncStream<Element>.Continuation)] = []
    private var number = 0

    deinit {
        for listener in listeners { listener.continuation.finish() }
    }

    /// Hears everything from now on, until whoever iterates it stops.
    func stream() -> AsyncStream<Element> {
        AsyncStream(bufferingPolicy: .bufferingNewest(Self.waitingMax)) { continuation in
            let (own, surplus) = lock.withLock {
                number += 1
                listeners.append((number, continuation))
                return (number, listeners.count > Self.listenersMax ? listeners.removeFirst().continuation : nil)
            }
            surplus?.finish()
            continuation.onTermination = { [weak self] _ in self?.remove(own) }
        }
    }

    func tell(_ element: Element) {
        for listener in lock.withLock({ listeners }) { listener.continuation.yield(element) }
    }

    private func remove(_ own: Int) {
        lock.withLock { listeners.removeAll { $0.number == own } }
    }
}
