import Foundation
import XCTest

@testable import Callgate

final class InvokeTests: XCTestCase {
    func testAllAttemptsOfACallHaveOneIdAndTellTheTimeThatIsLeft() async throws {
        let stage = Stage()
        let calls = Counter()
        let transport = stage.transport { _ in
            stage.pass(1)
            if calls.up() < 3 { throw TransportFault.broken("as told") }
            return .gateway(200, #""done""#)
        }
        let client = try stage.client(transport)
        let answer = try await client.call(echo, 1)
        XCTAssertEqual(answer, "done")
        let headers = transport.calls.map(\.headers)
        XCTAssertEqual(Set(headers.map { $0["amz-sdk-invocation-id"] }).count, 1)
        XCTAssertEqual(headers.map { $0["amz-sdk-request"] }, ["attempt=1; max=4", "attempt=2; max=4", "attempt=3; max=4"])
        // A second for each attempt; 100 and 200 ms between them.
        XCTAssertEqual(headers.map { $0["callgate-timeout-ms"] }, ["30000", "28900", "27700"])
        XCTAssertEqual(headers.map { $0["idempotency-key"] }, [nil, nil, nil])
        _ = try await client.call(echo, 1)
        XCTAssertNotEqual(transport.calls.last?.headers["amz-sdk-invocation-id"], headers[0]["amz-sdk-invocation-id"])
    }

    func testAMarkedFunctionGetsAKeyForEachCallTheSameForItsAttempts() async throws {
        let stage = Stage()
        let calls = Counter()
        let transport = stage.transport { _ in calls.up() % 2 == 1 ? .refused(503, "ServiceUnavailable") : .gateway(200, "1") }
        let client = try stage.client(transport)
        let buy = CallgateFunction<Nothing, Int>("buy", runsOnce: true)
        for _ in 0..<2 { _ = try await client.call(buy) }
        _ = try await client.call(echo, 1, options: CallOptions(idempotencyKey: "order-7"))
        let keys = transport.calls.map { $0.headers["idempotency-key"] }
        XCTAssertEqual(keys[0], keys[1])
        XCTAssertEqual(keys[2], keys[3])
        XCTAssertNotEqual(keys[0], keys[2])
        XCTAssertEqual(keys[4...], ["order-7", "order-7"])
        XCTAssertTrue(keys.allSatisfy { $0 != nil })
        XCTAssertEqual(transport.calls[0].body, Data())
    }

    func testWhatIsRefusedBeforeItIsSent() async throws {
        let stage = Stage()
        let transport = stage.transport { _ in .gateway(200, "1") }
        let client = try stage.client(transport)
        for key in ["", "two words", "ümlaut", String(repeating: "k", count: 256)] {
            _ = await assertThrows("invalid-argument") {
                try await client.call(echo, 1, options: CallOptions(idempotencyKey: key))
            }
        }
        for name in ["", String(repeating: "f", count: 257)] {
            _ = await assertThrows("invalid-argument") {
                try await client.call(CallgateFunction<Nothing, Nothing>(name))
            }
        }
        for seconds in [0, 901, -1, .nan] {
            _ = await assertThrows("invalid-argument") {
                try await client.call(echo, 1, options: CallOptions(timeout: seconds))
            }
        }
        let large = JSONValue.string(String(repeating: "x", count: Invocation.bodyBytesMax - 1))
        _ = await assertThrows("invalid-argument") { try await client.call(echo, large) }
        let custom: [String: JSONValue] = ["pad": .string(String(repeating: "x", count: 4_000))]
        _ = await assertThrows("invalid-argument") {
            try await client.call(echo, 1, options: CallOptions(custom: custom))
        }
        XCTAssertTrue(transport.requests.isEmpty)
    }

    func testTheEndOfACallsTime() async throws {
        let stage = Stage()
        let transport = stage.transport { request in
            stage.pass(min(request.timeout, request.silence))
            throw TransportFault.timedOut
        }
        let client = try stage.client(transport)
        let error = await assertThrows("deadline") { try await client.call(echo, 1) }
        XCTAssertEqual(error?.refusal?.call.mayHaveRun, true)
        XCTAssertEqual(transport.calls.map(\.silence).first, 10, "an attempt that hears nothing is broken off")
        XCTAssertEqual(error?.refusal?.call.attempts, transport.calls.count)
        XCTAssertLessThanOrEqual(stage.now.timeIntervalSince1970, 1_773_500_966 + 30.001)
        XCTAssertFalse(transport.requests.contains { $0.method == "DELETE" }, "the gateway has the deadline itself")
    }

    func testTheLastAttemptHasAllTheTimeThatIsLeft() async throws {
        let stage = Stage()
        let transport = stage.transport { request in
            stage.pass(min(request.timeout, request.silence))
            throw TransportFault.timedOut
        }
        let client = try stage.client(transport) {
            $0.attemptTimeout = 2
            $0.timeout = 60
        }
        _ = await assertThrows("deadline") { try await client.call(echo, 1) }
        XCTAssertEqual(transport.calls.map(\.silence), [2, 2, 2, .infinity])
        XCTAssertGreaterThan(transport.calls.last?.timeout ?? 0, 50)
    }

    func testOfflineSaysWhetherItMayHaveRun() async throws {
        for (fault, mayHaveRun) in [
            (TransportFault.offline("x"), false), (.unconnected("x"), false), (.untrusted("x"), false), (.broken("x"), true),
        ] {
            let stage = Stage()
            let transport = stage.transport { _ in throw fault }
            let error = await assertThrows("offline") { try await stage.client(transport).call(echo, 1) }
            XCTAssertEqual(error?.refusal?.call.mayHaveRun, mayHaveRun, "\(fault)")
            XCTAssertEqual(error?.refusal?.call.attempts, 4)
            XCTAssertEqual(stage.waits.count, 3)
        }
    }

    func testACancelledTaskCancelsTheInvocation() async throws {
        for key in [nil, "order/7"] {
            let stage = Stage()
            let reached = Gate()
            let transport = stage.transport { request in
                if request.method == "DELETE" { return .gateway(202) }
                await reached.open()
                do { try await Task.sleep(nanoseconds: 60_000_000_000) } catch { throw TransportFault.cancelled }
                return .gateway(200, "1")
            }
            let client = try stage.client(transport)
            let function = CallgateFunction<Nothing, JSONValue>("slow", qualifier: "prod")
            let task = Task { try await client.call(function, options: CallOptions(idempotencyKey: key)) }
            await reached.wait()
            task.cancel()
            do {
                _ = try await task.value
                XCTFail("it was cancelled")
            } catch { XCTAssertTrue(error is CancellationError, "\(error)") }
            try await eventually("the gateway is told") { transport.requests.contains { $0.method == "DELETE" } }
            let told = try XCTUnwrap(transport.requests.first { $0.method == "DELETE" })
            let id = key == nil ? try XCTUnwrap(transport.calls[0].headers["amz-sdk-invocation-id"]) : "order%2F7"
            XCTAssertEqual(
                told.url?.absoluteString,
                "https://gate.example.com/2015-03-31/functions/slow/invocations/\(id)?Qualifier=prod"
            )
            XCTAssertNotNil(told.headers["authorization"])
        }
    }

    func testATaskCancelledWhileItWaitsForAnotherAttemptCancelsTheInvocationToo() async throws {
        let stage = Stage()
        let reached = Gate()
        var surroundings = stage.surroundings
        surroundings.sleep = { _ in
            await reached.open()
            try await Task.sleep(nanoseconds: 60_000_000_000)
        }
        let transport = stage.transport { request in
            if request.method == "DELETE" { return .gateway(202) }
            throw TransportFault.broken("as told")
        }
        var configuration = Configuration(endpoint: URL(string: "https://gate.example.com")!, identityPoolID: "us-east-1:p")
        configuration.describesDevice = false
        let client = try CallgateClient(configuration, transport: transport, surroundings: surroundings)
        let task = Task { try await client.call(echo, 1) }
        await reached.wait()
        task.cancel()
        _ = await task.result
        try await eventually("the gateway is told") { transport.requests.contains { $0.method == "DELETE" } }
    }

    func testLargeBodiesAreCompressedAndOnesThatCompressTooWellAreNot() async throws {
        let stage = Stage()
        let transport = stage.transport { _ in .gateway(200, "1") }
        let client = try stage.client(transport)
        let words = (0..<2_000).map { "word \($0)" }.joined(separator: " ")
        _ = try await client.call(echo, .string(words))
        let sent = try XCTUnwrap(transport.calls.last)
        XCTAssertEqual(sent.headers["content-encoding"], "gzip")
        XCTAssertEqual(Array(sent.body.prefix(3)), [0x1f, 0x8b, 8])
        XCTAssertLessThan(sent.body.count, words.utf8.count / 2)
        XCTAssertEqual(try Self.inflated(sent.body), Data("\"\(words)\"".utf8))
        for text in [String(repeating: "x", count: 1_000_000), "small"] {
            _ = try await client.call(echo, .string(text))
            XCTAssertNil(transport.calls.last?.headers["content-encoding"])
        }
    }

    /// The system's own gunzip.
    private static func inflated(_ data: Data) throws -> Data {
        let folder = try temporaryFolder()
        let file = folder.appendingPathComponent("body.gz")
        try data.write(to: file)
        let (gunzip, out) = (Process(), Pipe())
        gunzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
        gunzip.arguments = ["-dc", file.path]
        gunzip.standardOutput = out
        try gunzip.run()
        let inflated = out.fileHandleForReading.readDataToEndOfFile()
        gunzip.waitUntilExit()
        XCTAssertEqual(gunzip.terminationStatus, 0)
        return inflated
    }

    func testAGatewayThatTakesNoCompressedBodiesGetsPlainOnesFromThenOn() async throws {
        for refusal in [HTTPResponse.refused(415, "UnsupportedMediaTypeException"), .refused(400, "InvalidRequestContentException")] {
            let stage = Stage()
            let transport = stage.transport { $0.headers["content-encoding"] == nil ? .gateway(200, "1") : refusal }
            let client = try stage.client(transport)
            let words = JSONValue.string((0..<2_000).map { "word \($0)" }.joined(separator: " "))
            for _ in 0..<2 { _ = try await client.call(echo, words) }
            XCTAssertEqual(transport.calls.map { $0.headers["content-encoding"] }, ["gzip", nil, nil])
            XCTAssertTrue(stage.waits.isEmpty)
        }
    }

    func testTheClientContextGoesWithEachCall() async throws {
        let stage = Stage()
        let transport = stage.transport { _ in .gateway(200, "1") }
        let client = try stage.client(transport) {
            $0.clientContext = ClientContext(client: .init(appTitle: "Notes"), custom: ["tenant": "7", "lane": "a"])
        }
        _ = try await client.call(echo, 1, options: CallOptions(custom: ["lane": "b"]))
        let header = try XCTUnwrap(transport.calls.last?.headers["x-amz-client-context"])
        XCTAssertEqual(
            try JSONDecoder().decode(JSONValue.self, from: XCTUnwrap(Data(base64Encoded: header))),
            ["client": ["app_title": "Notes"], "env": [:], "custom": ["tenant": "7", "lane": "b"]]
        )
        _ = try await stage.client(transport).call(echo, 1)
        XCTAssertNil(transport.calls.last?.headers["x-amz-client-context"], "without any of it no header is sent")
    }

    func testTheDeviceIsDescribedAndItsInstallationKept() async throws {
        let stage = Stage()
        let storage = MemoryStorage()
        let transport = stage.transport { _ in .gateway(200, "1") }
        var contexts: [ClientContext] = []
        for _ in 0..<2 {
            let client = try stage.client(transport) {
                $0.storage = storage
                $0.describesDevice = true
                $0.clientContext.client.appTitle = "Notes"
            }
            _ = try await client.call(echo, 1)
            let header = try XCTUnwrap(transport.calls.last?.headers["x-amz-client-context"])
            contexts.append(try JSONDecoder().decode(ClientContext.self, from: XCTUnwrap(Data(base64Encoded: header))))
        }
        XCTAssertEqual(contexts[0], contexts[1])
        XCTAssertEqual(contexts[0].client.appTitle, "Notes")
        XCTAssertEqual(contexts[0].client.installationID?.count, 36)
        XCTAssertNotNil(contexts[0].env.platform)
        XCTAssertNotNil(contexts[0].env.platformVersion)
        XCTAssertNotNil(contexts[0].env.model)
        XCTAssertNotNil(contexts[0].env.locale)
    }

    func testWrongSettingsAreRefusedByName() throws {
        let wrong: [(String, (inout Configuration) -> Void)] = [
            ("endpoint", { $0.endpoint = URL(string: "https://gate.example.com/path")! }),
            ("endpoint", { $0.endpoint = URL(string: "ftp://gate.example.com")! }),
            ("endpoint", { $0.endpoint = URL(string: "http://gate.example.com")! }),
            ("endpoint", { $0.endpoint = URL(string: "http://127.evil.example")! }),
            ("identityPoolID", { $0.identityPoolID = "" }), ("region", { $0.region = "" }), ("timeout", { $0.timeout = 0 }),
            ("timeout", { $0.timeout = .infinity }), ("attemptsMax", { $0.attemptsMax = 11 }),
            ("attemptTimeout", { $0.attemptTimeout = 0 }), ("gzipFromBytes", { $0.gzipFromBytes = -1 }),
            ("outboxAgeLimit", { $0.outboxAgeLimit = 31 * 86_400 }),
            ("client context", { $0.clientContext.custom = ["pad": .string(String(repeating: "x", count: 4_000))] }),
        ]
        let stage = Stage()
        for (name, set) in wrong {
            XCTAssertThrowsError(try stage.client(stage.transport { _ in .gateway(200) }, set), name) { error in
                guard case .invalidArgument(let message)? = error as? CallgateError else { return XCTFail("\(error)") }
                XCTAssertTrue(message.contains(name), message)
            }
        }
        for endpoint in ["http://localhost:7070", "http://127.0.0.1:7070/", "http://[::1]:7070", "https://gate.example.com:443"] {
            XCTAssertNoThrow(try stage.client(stage.transport { _ in .gateway(200) }) { $0.endpoint = URL(string: endpoint)! })
        }
        XCTAssertNoThrow(
            try stage.client(stage.transport { _ in .gateway(200) }) {
                ($0.endpoint, $0.allowPlaintext) = (URL(string: "http://gate.example.com")!, true)
            }
        )
    }
}
