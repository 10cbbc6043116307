import Foundation

/// A pause that can be cut short. One task sleeps at a time.
final class Sleeper: @unchecked Sendable {
    private let lock = NSLock()
    private var isWoken = false
    /// Whether the time is over, which may be before anybody waits for it.
    private var isTimeUp = false
    private var continuation: CheckedContinuation<Void, Never>?

    /// Returns after so many seconds, when it is woken, at once if it was woken since the last pause, or when the task is
    /// cancelled.
    func sleep(_ seconds: TimeInterval, _ surroundings: Surroundings) async {
        lock.withLock { isTimeUp = false }
        let timer = Task {
            try? await surroundings.sleep(seconds)
            if !Task.isCancelled { timeIsUp() }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = lock.withLock {
                    let isOver = isWoken || isTimeUp || Task.isCancelled || seconds <= 0
                    if !isOver { self.continuation = continuation }
                    return isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
        timer.cancel()
        lock.withLock { isWoken = false }
    }

    func wake() {
        lock.withLock { isWoken = true }
        release()
    }

    private func timeIsUp() {
        lock.withLock { isTimeUp = true }
        release()
    }

    private func release() {
        let held = lock.withLock {
            defer { continuation = nil }
            return continuation
        }
        held?.resume()
    }
}
