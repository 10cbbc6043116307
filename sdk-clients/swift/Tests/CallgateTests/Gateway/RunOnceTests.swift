import Foundation
import XCTest

@testable import Callgate

/// One call is one run at the real gateway, wherever the connection or the app breaks.
final class RunOnceTests: XCTestCase {
    private struct Asked: Codable, Sendable {
        var pad = 0
        var ms = 0
    }
    private struct Run: Codable, Sendable, Equatable {
        let sandbox: Double
        let run: Int
        let pad: String
    }
    private let counts = CallgateFunction<Asked, Run>("counts")

    func testACallRunsOnceWhereverItsConnectionIsCut() async throws {
        let gateway = try RealGateway()
        let proxy = try FaultProxy(to: gateway.endpoint)
        let client = try gateway.client(at: proxy.server.url)
        for runsOnce in [false, true] {
            let counts = CallgateFunction<Asked, Run>("counts", runsOnce: runsOnce)
            for cut in FaultProxy.Cut.allCases {
                let before = try await client.call(counts, Asked())
                proxy.cut([cut])
                let met = try await client.call(counts, Asked(pad: 300, ms: 20))
                let after = try await client.call(counts, Asked())
                XCTAssertEqual([before.sandbox, met.sandbox, after.sandbox].map { $0 == before.sandbox }, [true, true, true])
                XCTAssertEqual([met.run, after.run], [before.run + 1, before.run + 2], "\(cut), \(runsOnce)")
                XCTAssertEqual(met.pad.count, 300)
            }
        }
    }

    func testCutAgainAndAgain() async throws {
        let gateway = try RealGateway()
        let proxy = try FaultProxy(to: gateway.endpoint)
        let client = try gateway.client(at: proxy.server.url) { $0.attemptsMax = 10 }
        let before = try await client.call(counts, Asked())
        proxy.cut([.beforeTheAnswer, .inTheAnswer, .inTheRequest])
        let met = try await client.call(counts, Asked())
        XCTAssertEqual(met.run, before.run + 1)
        XCTAssertGreaterThanOrEqual(proxy.requests, 5)
    }

    func testAKeyOfTheAppsOwn() async throws {
        let client = try RealGateway().client()
        let key = "order-\(UUID().uuidString)"
        let first = try await client.call(counts, Asked(), options: CallOptions(idempotencyKey: key))
        let second = try await client.call(counts, Asked(), options: CallOptions(idempotencyKey: key))
        XCTAssertEqual(first, second)
        let error = await assertThrows("invalid-request") {
            try await client.call(self.counts, Asked(pad: 1), options: CallOptions(idempotencyKey: key))
        }
        XCTAssertEqual(error?.refusal?.code, "IdempotencyKeyReusedException")
    }

    /// The app is killed at each step of sending, and each kept call has run once.
    func testKeptCallsRunOnceWhereverTheAppIsKilled() async throws {
        let gateway = try RealGateway()
        let client = try gateway.client()
        for step in Victim.sendingSteps {
            let victim = try Victim(endpoint: gateway.endpoint, pool: gateway.pool, function: "counts")
            let before = try await client.call(counts, Asked())
            let ids = try (0..<2).map { _ in try victim.run("add").printed }
            XCTAssertTrue(try victim.run("send", dyingAt: step).died, "\(step)")
            XCTAssertFalse(try victim.run("send").died)
            let after = try await client.call(counts, Asked())
            XCTAssertEqual(after.run, before.run + 3, "\(step)")
            XCTAssertEqual(after.sandbox, before.sandbox)
            let results = try victim.results()
            XCTAssertEqual(Set(results.map(\.id)), Set(ids), "\(step)")
            let runs = try results.map { try JSONDecoder().decode(Run.self, from: Data($0.answer.utf8)).run }
            XCTAssertEqual(Set(runs), [before.run + 1, before.run + 2], "\(step)")
        }
    }
}
