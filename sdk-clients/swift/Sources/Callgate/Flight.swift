import Foundation

/// Work that many wait for, each for as long as it likes: whoever stops waiting does not stop the work.
final class Flight<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var result: Result<Value, Error>?
    private var waiters: [Int: CheckedContinuation<Value, Error>] = [:]
    private var number = 0

    init(_ work: @escaping @Sendable () async throws -> Value) {
        Task {
            do { self.end(.success(try await work())) } catch { self.end(.failure(error)) }
        }
    }

    /// The result. Throws `timedOut` after that many seconds, and `CancellationError` as soon as the waiting task is
    /// cancelled.
    func value(within seconds: TimeInterval) async throws -> Value {
        let waiter = lock.withLock {
            number += 1
            return number
        }
        let timer = DispatchWorkItem { [weak self] in
            self?.release(waiter, CallgateError.timedOut(Refusal(message: "no credentials in time")))
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + max(0, seconds), execute: timer)
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ended: Result<Value, Error>? = lock.withLock {
                    if result == nil { waiters[waiter] = continuation }
                    return result
                }
                if let ended {
                    continuation.resume(with: ended)
                } else if Task.isCancelled {
                    release(waiter, CancellationError())
                }
            }
        } onCancel: {
            release(waiter, CancellationError())
        }
    }

    /// Waits until it has ended, however it did.
    func settled(within seconds: TimeInterval) async throws {
        do { _ = try await value(within: seconds) } catch {
            if lock.withLock({ result == nil }) { throw error }
        }
    }

    private func release(_ waiter: Int, _ error: Error) {
        lock.withLock { waiters.removeValue(forKey: waiter) }?.resume(throwing: error)
    }

    private func end(_ ended: Result<Value, Error>) {
        let released: [CheckedContinuation<Value, Error>] = lock.withLock {
            result = ended
            defer { waiters = [:] }
            return Array(waiters.values)
        }
        for waiter in released { waiter.resume(with: ended) }
    }
}
