import Foundation
import XCTest

@testable import Callgate

/// An app that is killed at each step: what it was promised runs at most once, and is heard at least once.
final class OutboxKillTests: XCTestCase {
    /// A gateway that runs a call once a key, and can kill whoever sends one.
    private final class OnceGateway: @unchecked Sendable {
        private let lock = NSLock()
        private var answers: [String: String] = [:]
        private var runs: [String: Int] = [:]
        private var deadly: (() -> Void)?
        private(set) var server: LoopServer!

        init() throws {
            server = try LoopServer { [unowned self] request in answer(request) }
        }

        var runsOfEachKey: [Int] { lock.withLock { Array(runs.values) } }

        func killsWhoeverCalls(_ kill: @escaping () -> Void) {
            lock.withLock { deadly = kill }
        }

        private func answer(_ request: Connection.Request) -> String {
            switch request.headers["x-amz-target"]?.split(separator: ".").last {
            case "GetId": return wire(200, #"{"IdentityId":"us-east-1:G"}"#)
            case "GetCredentialsForIdentity":
                let end = Date().timeIntervalSince1970 + 3_600
                return wire(
                    200,
                    """
                    {"IdentityId":"us-east-1:G","Credentials":{"AccessKeyId":"A","SecretKey":"S","SessionToken":"T",\
                    "Expiration":\(end)}}
                    """
                )
            default: break
            }
            guard let key = request.headers["idempotency-key"] else { return wire(400, "{}") }
            let (answer, deadly): (String, (() -> Void)?) = lock.withLock {
                if answers[key] == nil {
                    runs[key, default: 0] += 1
                    answers[key] = #"{"run":\#(runs.count)}"#
                }
                defer { self.deadly = nil }
                return (wire(200, answers[key]!), self.deadly)
            }
            deadly?()
            return answer
        }
    }

    private func isKept(_ victim: Victim) -> Int {
        let names = try? FileManager.default.contentsOfDirectory(atPath: victim.folder.appendingPathComponent("outbox").path)
        return names?.filter { $0.hasSuffix(".call") }.count ?? 0
    }

    func testKilledWhileACallIsBeingKept() throws {
        for step in Victim.addingSteps {
            let gateway = try OnceGateway()
            let victim = try Victim(endpoint: gateway.server.url, pool: "us-east-1:p", function: "buy")
            let first = try victim.run("add", dyingAt: step)
            XCTAssertTrue(first.died, "\(step)")
            XCTAssertEqual(first.printed, "", "\(step): nothing was promised yet")
            // Whole, or not there at all.
            XCTAssertEqual(isKept(victim), step == .adding(.written) || step == .adding(.synced) ? 0 : 1, "\(step)")
            let second = try victim.run("add")
            XCTAssertEqual(second.printed.count, 36)
            let kept = isKept(victim)
            XCTAssertFalse(try victim.run("send").died)
            XCTAssertEqual(gateway.runsOfEachKey, Array(repeating: 1, count: kept), "\(step)")
            XCTAssertTrue(try victim.results().contains { $0.id == second.printed }, "\(step)")
            XCTAssertEqual(isKept(victim), 0)
        }
    }

    func testKilledWhileACallIsBeingSent() throws {
        for step in Victim.sendingSteps {
            let gateway = try OnceGateway()
            let victim = try Victim(endpoint: gateway.server.url, pool: "us-east-1:p", function: "buy")
            let ids = try (0..<2).map { _ in try victim.run("add").printed }
            XCTAssertTrue(try victim.run("send", dyingAt: step).died, "\(step)")
            XCTAssertFalse(try victim.run("send").died)
            XCTAssertEqual(gateway.runsOfEachKey, [1, 1], "\(step)")
            try assertHeard(victim, ids, twice: step == .delivered, "\(step)")
        }
    }

    func testKilledWhileTheGatewayRunsIt() throws {
        let gateway = try OnceGateway()
        let victim = try Victim(endpoint: gateway.server.url, pool: "us-east-1:p", function: "buy")
        let ids = try (0..<2).map { _ in try victim.run("add").printed }
        gateway.killsWhoeverCalls(victim.kill)
        XCTAssertTrue(try victim.run("send").died)
        XCTAssertFalse(try victim.run("send").died)
        XCTAssertEqual(gateway.runsOfEachKey, [1, 1])
        try assertHeard(victim, ids, twice: false, "sent")
    }

    /// In order, each once or, where the app died while it heard it, twice and the same.
    private func assertHeard(_ victim: Victim, _ ids: [String], twice: Bool, _ step: String) throws {
        let results = try victim.results()
        XCTAssertEqual(results.map(\.id), twice ? [ids[0], ids[0], ids[1]] : ids, step)
        XCTAssertEqual(results.map(\.answer).last, #"{"run":2}"#, step)
        XCTAssertEqual(Set(results.dropLast().map(\.answer)), [#"{"run":1}"#], step)
    }
}
