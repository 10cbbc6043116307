import Foundation
import XCTest

@testable import Callgate

/// Leaving, deadlines and compressed bodies at the real gateway.
final class LeavingTests: XCTestCase {
    private struct Slow: Codable, Sendable {
        var ms: Int
    }
    private struct Before: Codable, Sendable {
        let before: String
    }
    private let slow = CallgateFunction<Slow, Before>("slow")

    func testACancelledTaskStopsTheFunction() async throws {
        let gateway = try RealGateway()
        let events = Collected<CallgateLogEvent>()
        let client = try gateway.client { $0.log = { events.append($0) } }
        let slow = slow
        _ = try await client.call(slow, Slow(ms: 0))
        // A cancel that comes before the call has begun finds nothing: then it is tried later.
        for milliseconds: UInt64 in [200, 1_000, 3_000] {
            let task = Task { try await client.call(slow, Slow(ms: 20_000)) }
            try await Task.sleep(nanoseconds: milliseconds * 1_000_000)
            let began = Date()
            task.cancel()
            do {
                _ = try await task.value
                XCTFail("it was cancelled")
            } catch { XCTAssertTrue(error is CancellationError, "\(error)") }
            XCTAssertLessThan(Date().timeIntervalSince(began), 3, "nobody waits for the gateway")
            try await eventually("the gateway is told") { events.all.contains { $0.kind == .cancel } }
            if events.all.contains(where: { $0.kind == .cancel && $0.fields["status"] == "202" }) { break }
        }
        XCTAssertEqual(events.all.last { $0.kind == .cancel }?.fields["status"], "202")
        try await eventually("the function heard of it") {
            let next = try await client.call(slow, Slow(ms: 0))
            return next.before == "aborted"
        }
    }

    func testACallsTimeoutIsTheFunctionsToo() async throws {
        let client = try RealGateway().client()
        _ = try await client.call(slow, Slow(ms: 0))
        let began = Date()
        do {
            _ = try await client.call(slow, Slow(ms: 20_000), options: CallOptions(timeout: 0.7))
            XCTFail("it had 700 ms")
        } catch CallgateError.timedOut(let refusal) {
            XCTAssertTrue(refusal.call.mayHaveRun || refusal.status == 408)
        } catch CallgateError.function(let failure) { XCTAssertTrue(failure.isTimeout, "\(failure)") }
        XCTAssertLessThan(Date().timeIntervalSince(began), 5)
    }

    func testALargeBodyGoesCompressed() async throws {
        let attempts = Collected<CallgateLogEvent>()
        let client = try RealGateway().client { $0.log = { if $0.kind == .attempt { attempts.append($0) } } }
        let words = (0..<20_000).map { "word \($0)" }.joined(separator: " ")
        let seen = try await client.call(CallgateFunction<JSONValue, JSONValue>("sees"), .string(words))
        XCTAssertEqual(seen["event"].text, words)
        XCTAssertEqual(attempts.all.map { $0.fields["status"] }, ["200"])
        let sent = attempts.all.first.flatMap { $0.fields["bytes_sent"] }.flatMap(Int.init) ?? .max
        XCTAssertLessThan(sent, words.utf8.count / 2)
    }
}
