import Foundation
import XCTest

@testable import Callgate

final class OutboxTests: XCTestCase {
    /// A gateway that can be without a network, and says of each call what ran, and as whom.
    private final class World: @unchecked Sendable {
        let stage = Stage()
        let folder: URL
        let storage = MemoryStorage()
        let ran = Collected<String>()
        let results = Collected<OutboxResult>()
        private let lock = NSLock()
        private var answers: [String: HTTPResponse] = [:]
        private var offline = false

        init() throws {
            folder = try temporaryFolder().appendingPathComponent("outbox")
        }

        var isOffline: Bool {
            get { lock.withLock { offline } }
            set { lock.withLock { offline = newValue } }
        }

        func answer(_ payload: String, _ response: HTTPResponse?) {
            lock.withLock { answers[payload] = response }
        }

        var transport: StagedTransport {
            StagedTransport { [self] request in
                if isOffline { throw TransportFault.offline("as told") }
                switch request.operation {
                case "GetId": return .identity(request.member("Logins") == nil ? "us-east-1:G" : "us-east-1:U")
                case "GetCredentialsForIdentity":
                    let id: String
                    if case .object(let logins)? = request.member("Logins") {
                        id = logins["issuer"] == "other" ? "us-east-1:V" : "us-east-1:U"
                    } else {
                        id = request.member("IdentityId")?.text ?? ""
                    }
                    return .credentials(id, until: stage.now + 1_000_000)
                default:
                    let payload = String(decoding: request.body, as: UTF8.self)
                    let who = request.headers["x-amz-security-token"]?.suffix(1) ?? ""
                    ran.append("\(who)\(payload)")
                    return lock.withLock { answers[payload] } ?? .gateway(200, payload)
                }
            }
        }

        func client(_ transport: (any Transport)? = nil) throws -> CallgateClient {
            try stage.client(transport ?? self.transport) {
                $0.storage = storage
                $0.outboxFolder = folder
            }
        }

        func start(_ client: CallgateClient) async throws -> Outbox {
            let outbox = try XCTUnwrap(client.outbox)
            await outbox.start { [results] in results.append($0) }
            return outbox
        }

        func files() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "lock" }.sorted()
        }
    }

    func testInOrderOneAtATimeEachUnderItsOwnKey() async throws {
        let world = try World()
        let (running, most) = (Counter(), Collected<Int>())
        let transport = world.transport
        let watching = StagedTransport { request in
            guard request.operation == nil else { return try await transport.send(request) }
            most.append(running.up())
            await Task.yield()
            return try await transport.send(request)
        }
        let client = try world.client(watching)
        let outbox = try await world.start(client)
        for number in 1...20 { try await outbox.add(echo, .integer(Int64(number))) }
        try await eventually("twenty results") { world.results.all.count == 20 }
        XCTAssertEqual(world.ran.all, (1...20).map { "G\($0)" })
        XCTAssertEqual(world.results.all.map(\.outcome), (1...20).map { .answer(Data("\($0)".utf8)) })
        XCTAssertEqual(most.all, Array(1...20))
        XCTAssertEqual(Set(watching.calls.map { $0.headers["idempotency-key"] }).count, 20)
        XCTAssertTrue(watching.calls.allSatisfy { $0.headers["callgate-timeout-ms"] == nil && $0.silence == 10 })
        let left = await outbox.count
        XCTAssertEqual(left, 0)
        XCTAssertEqual(try world.files(), [])
        await outbox.stop()
    }

    func testWhatIsKeptOfflineIsSentWhenTheNetworkIsBack() async throws {
        let world = try World()
        world.isOffline = true
        let client = try world.client()
        let outbox = try await world.start(client)
        try await outbox.add(echo, 1, label: "mine")
        try await outbox.add(echo, 2)
        try await eventually("it waits, longer each time") { world.stage.waits.count > 12 }
        world.isOffline = false
        await outbox.flush()
        try await eventually("both results") { world.results.all.count == 2 }
        XCTAssertEqual(world.results.all.map(\.label), ["mine", nil])
        await outbox.stop()
    }

    func testOneThatFailsForGoodDoesNotHoldTheOthersUpAndOneThatMayYetSucceedDoes() async throws {
        let world = try World()
        world.answer("1", .refused(403, "AccessDeniedException"))
        world.answer("2", .gateway(200, #"{"errorType":"E"}"#, ["x-amz-function-error": "Unhandled"]))
        world.answer("3", .refused(429, "TooManyRequestsException", ["retry-after": "77"]))
        let transport = world.transport
        let client = try world.client(transport)
        let outbox = try await world.start(client)
        for number in 1...4 { try await outbox.add(echo, .integer(Int64(number))) }
        try await eventually("the third is tried again") { world.ran.all.filter { $0 == "G3" }.count >= 3 }
        XCTAssertFalse(world.ran.all.contains("G4"))
        XCTAssertTrue(world.stage.waits.contains(77), "never sooner than the gateway asks for")
        world.answer("3", nil)
        await outbox.flush()
        try await eventually("all results") { world.results.all.count == 4 }
        let kinds = world.results.all.map { result -> String in
            switch result.outcome {
            case .answer: return "answer"
            case .failure(let error): return error.kind
            case .expired: return "expired"
            }
        }
        XCTAssertEqual(kinds, ["denied", "function", "answer", "answer"])
        let ofThree = transport.calls.filter { $0.body == Data("3".utf8) }
        XCTAssertEqual(Set(ofThree.map { $0.headers["idempotency-key"] }).count, 1, "one key")
        XCTAssertEqual(Set(ofThree.map { $0.headers["amz-sdk-invocation-id"] }).count, ofThree.count, "a new id each time")
        await outbox.stop()
    }

    func testCallsOfAnotherIdentityWaitForIt() async throws {
        let world = try World()
        let client = try world.client()
        _ = try await client.signIn(provider: "issuer", token: "u")
        let outbox = try XCTUnwrap(client.outbox)
        try await outbox.add(echo, 1)
        try await client.signOut()
        _ = try await client.identityID()
        try await outbox.add(echo, 2)
        _ = try await world.start(client)
        try await eventually("the guest's own is sent") { world.results.all.count == 1 }
        XCTAssertEqual(world.ran.all, ["G2"])
        try await client.signOut()
        _ = try await client.signIn(provider: "issuer", token: "u")
        try await eventually("and the other's once it is back") { world.results.all.count == 2 }
        XCTAssertEqual(world.ran.all, ["G2", "U1"])
        await outbox.stop()
    }

    func testAGuestsCallsGoAlongIntoTheIdentityThatItBecomes() async throws {
        let world = try World()
        let client = try world.client()
        _ = try await client.identityID()
        let outbox = try XCTUnwrap(client.outbox)
        try await outbox.add(echo, 1)
        _ = try await client.signIn(provider: "issuer", token: "u")
        try await outbox.add(echo, 2)
        _ = try await world.start(client)
        try await eventually("both results") { world.results.all.count == 2 }
        XCTAssertEqual(world.ran.all, ["U1", "U2"])
        await outbox.stop()
    }

    func testCallsFromBeforeThereWasAnIdentityBelongToTheFirst() async throws {
        let world = try World()
        let client = try world.client()
        let outbox = try XCTUnwrap(client.outbox)
        try await outbox.add(echo, 1)
        world.answer("1", .refused(503, "ServiceUnavailable"))
        _ = try await world.start(client)
        try await eventually("it is tried") { world.ran.all.first == "G1" }
        await outbox.stop()
        try await client.signOut()
        _ = try await client.signIn(provider: "issuer", token: "other")
        world.answer("1", nil)
        _ = try await world.start(client)
        try await outbox.add(echo, 2)
        try await eventually("the new identity's own call") { world.results.all.count == 1 }
        XCTAssertEqual(world.ran.all.last, "V2")
        let left = await outbox.count
        XCTAssertEqual(left, 1, "the guest's stays the guest's")
        await outbox.stop()
    }

    func testAgeLimits() async throws {
        let world = try World()
        world.isOffline = true
        let client = try world.client()
        let outbox = try XCTUnwrap(client.outbox)
        try await outbox.add(echo, "never sent")
        world.stage.pass(86_401)
        _ = try await world.start(client)
        try await eventually("it expires") { world.results.all.count == 1 }
        XCTAssertEqual(world.results.all.map(\.outcome), [.expired])
        XCTAssertThrowsError(try world.results.all[0].value(of: echo)) { XCTAssertEqual(($0 as? CallgateError)?.kind, "deadline") }
        await outbox.stop()

        world.isOffline = false
        world.answer("\"sent\"", .refused(503, "ServiceUnavailable"))
        try await outbox.add(echo, "sent")
        _ = try await world.start(client)
        try await eventually("it is sent") { !world.ran.all.isEmpty }
        await outbox.stop()
        world.stage.pass(23 * 3_600 + 1)
        _ = try await world.start(client)
        try await eventually("nobody knows whether it ran") { world.results.all.count == 2 }
        guard case .failure(.outcomeUnknown)? = world.results.all.last?.outcome else { return XCTFail("\(world.results.all)") }
        await outbox.stop()
    }

    func testAllOfItOutlastsTheApp() async throws {
        let world = try World()
        world.isOffline = true
        do {
            let client = try world.client()
            let outbox = try XCTUnwrap(client.outbox)
            for number in 1...3 {
                try await outbox.add(
                    CallgateFunction<JSONValue, JSONValue>("echo", qualifier: "prod"), .integer(Int64(number)),
                    label: "l\(number)", custom: ["n": .integer(Int64(number))]
                )
            }
            XCTAssertThrowsError(try world.client(), "one client at a time has a folder") { error in
                XCTAssertEqual((error as? CallgateError)?.kind, "storage")
            }
        }
        XCTAssertEqual(try world.files(), ["000000000001.call", "000000000002.call", "000000000003.call"])
        let mode = try FileManager.default.attributesOfItem(atPath: world.folder.appendingPathComponent("000000000001.call").path)
        XCTAssertEqual((mode[.posixPermissions] as? NSNumber)?.intValue, 0o600)
        world.isOffline = false
        let transport = world.transport
        let client = try world.client(transport)
        let outbox = try await world.start(client)
        try await eventually("three results") { world.results.all.count == 3 }
        XCTAssertEqual(world.results.all.map(\.label), ["l1", "l2", "l3"])
        XCTAssertEqual(transport.calls.map(\.encodedQuery), ["Qualifier=prod", "Qualifier=prod", "Qualifier=prod"])
        let contexts = transport.calls.compactMap { $0.headers["x-amz-client-context"].flatMap { Data(base64Encoded: $0) } }
        XCTAssertEqual(try contexts.map { try JSONDecoder().decode(ClientContext.self, from: $0).custom["n"] }, [1, 2, 3])
        try await outbox.add(echo, 4)
        try await eventually("numbers go on") { world.results.all.count == 4 }
        await outbox.stop()
    }

    func testWhatIsNoRecordIsPutAside() async throws {
        let world = try World()
        try FileManager.default.createDirectory(at: world.folder, withIntermediateDirectories: true)
        for number in 1...20 {
            let name = "0000000000\(number + 10).call"
            try Data("{\"id\":".utf8).write(to: world.folder.appendingPathComponent(name))
        }
        try Data("half".utf8).write(to: world.folder.appendingPathComponent("000000000099.call.unfinished"))
        try Data("x".utf8).write(to: world.folder.appendingPathComponent("notes.txt"))
        let client = try world.client()
        let outbox = try await world.start(client)
        try await outbox.add(echo, 1)
        try await eventually("what is whole is sent") { world.results.all.count == 1 }
        let files = try world.files()
        XCTAssertEqual(files.filter { $0.hasSuffix(".broken") }.count, 16)
        XCTAssertTrue(files.contains("notes.txt"))
        XCTAssertEqual(files.count, 17)
        await outbox.stop()
    }

    func testItIsBounded() async throws {
        let world = try World()
        let client = try world.client()
        let outbox = try XCTUnwrap(client.outbox)
        let large = JSONValue.string(String(repeating: "x", count: 6_000_000))
        for _ in 0..<2 { try await outbox.add(echo, large) }
        _ = await assertThrows("outbox-full") { try await outbox.add(echo, large) }
        for _ in 2..<OutboxFolder.recordsMax { try await outbox.add(echo, 1) }
        _ = await assertThrows("outbox-full") { try await outbox.add(echo, 1) }
        _ = await assertThrows("invalid-argument") { try await outbox.add(CallgateFunction<Int, Int>(""), 1) }
        let count = await outbox.count
        XCTAssertEqual(count, OutboxFolder.recordsMax)
        XCTAssertEqual(try world.files().count, OutboxFolder.recordsMax)
    }
}
