import Foundation
import XCTest

@testable import Callgate

/// URLSession over real sockets.
final class TransportTests: XCTestCase {
    private func request(_ server: LoopServer, timeout: TimeInterval = 10) throws -> HTTPRequest {
        var request = HTTPRequest(method: "POST", endpoint: try Endpoint(server.url), path: "/a%3Ab", timeout: timeout)
        request.headers = ["content-type": "application/json", "x-amz-odd": "  a   b ", "user-agent": "callgate-swift/test"]
        request.body = Data(#"{"n":1}"#.utf8)
        return request
    }

    private func fault(_ work: () async throws -> HTTPResponse) async -> TransportFault? {
        do {
            let response = try await work()
            XCTFail("an answer: \(response.status)")
            return nil
        } catch { return error as? TransportFault }
    }

    func testWhatGoesOverTheWire() async throws {
        let seen = Collected<Connection.Request>()
        let server = try LoopServer { request in
            seen.append(request)
            return wire(200, "{}", ["X-Amz-Executed-Version": "$LATEST"])
        }
        let transport = URLSessionTransport()
        var asked = try request(server)
        asked.query = [("Qualifier", "$LATEST")]
        let response = try await transport.send(asked)
        XCTAssertEqual(response.status, 200)
        XCTAssertEqual(response.body, Data("{}".utf8))
        XCTAssertEqual(response.headers["x-amz-executed-version"], "$LATEST")
        XCTAssertEqual(response.requestID, "r")
        let came = try XCTUnwrap(seen.all.first)
        XCTAssertEqual(came.line, "POST /a%3Ab?Qualifier=%24LATEST HTTP/1.1")
        XCTAssertEqual(came.headers["host"], "127.0.0.1:\(server.port)")
        XCTAssertEqual(came.headers["content-type"], "application/json")
        XCTAssertEqual(came.headers["user-agent"], "callgate-swift/test")
        XCTAssertEqual(came.body, Data(#"{"n":1}"#.utf8))
        XCTAssertNil(came.headers["cookie"])

        var bare = HTTPRequest(method: "DELETE", endpoint: try Endpoint(server.url), path: "/x/order%2F7", timeout: 10)
        bare.headers["x-amz-date"] = "now"
        _ = try await transport.send(bare)
        XCTAssertEqual(seen.all.last?.line, "DELETE /x/order%2F7 HTTP/1.1")
        var empty = try request(server)
        empty.body = Data()
        _ = try await transport.send(empty)
        XCTAssertEqual(seen.all.last?.headers["content-length"] ?? "0", "0")
        XCTAssertEqual(seen.all.last?.headers["content-type"], "application/json")
    }

    func testEveryStatusIsAnAnswerAndNoRedirectIsFollowed() async throws {
        let requests = Counter()
        let server = try LoopServer { request in
            requests.up()
            return request.line.contains("/302") ? wire(302, "", ["Location": "/elsewhere"]) : wire(503, "busy")
        }
        let transport = URLSessionTransport()
        var asked = try request(server)
        let busy = try await transport.send(asked)
        XCTAssertEqual(busy.status, 503)
        XCTAssertEqual(busy.body, Data("busy".utf8))
        asked.path = "/302"
        let moved = try await transport.send(asked)
        XCTAssertEqual(moved.status, 302)
        XCTAssertEqual(requests.value, 2)
    }

    /// But for a cut in the answer's head: there Swift 6.0's URLSession on Linux ends the process (swift-corelibs-foundation,
    /// issue 5285; the README says so).
    func testBrokenConnections() async throws {
        typealias Cutting = @Sendable (Connection) -> Void
        let beforeTheRequest: Cutting = { _ in }
        let inTheRequest: Cutting = { _ = $0.some() }
        let beforeTheAnswer: Cutting = { _ = $0.request() }
        let inTheBody: Cutting = { connection in
            _ = connection.request()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":")
        }
        let cuts = [
            ("before the request", beforeTheRequest), ("in the request's middle", inTheRequest),
            ("before the answer", beforeTheAnswer), ("in the answer's body", inTheBody),
        ]
        for (place, cut) in cuts {
            let server = try LoopServer { connection, _ in cut(connection) }
            let met = await fault { try await URLSessionTransport().send(self.request(server)) }
            guard case .broken? = met else {
                XCTFail("\(place): \(String(describing: met))")
                continue
            }
        }
    }

    func testNobodyListens() async throws {
        let port = try LoopServer { _, _ in }.port
        let endpoint = try Endpoint(XCTUnwrap(URL(string: "http://127.0.0.1:\(port)")))
        let met = await fault {
            try await URLSessionTransport().send(HTTPRequest(method: "POST", endpoint: endpoint, path: "/", timeout: 5))
        }
        guard case .unconnected? = met else { return XCTFail("\(String(describing: met))") }
        let nowhere = try Endpoint(XCTUnwrap(URL(string: "http://callgate.invalid")))
        let unknown = await fault {
            try await URLSessionTransport().send(HTTPRequest(method: "POST", endpoint: nowhere, path: "/", timeout: 2))
        }
        XCTAssertTrue(unknown?.isBeforeSending == true || unknown == .timedOut, "\(String(describing: unknown))")
    }

    /// An answer that drips does not hold a call up: the time is for the whole of it.
    func testTheWholeAnswerHasToComeInTime() async throws {
        let server = try LoopServer { connection, _ in
            _ = connection.request()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in 0..<100 {
                connection.write("x")
                usleep(50_000)
            }
        }
        let began = Date()
        let met = await fault { try await URLSessionTransport().send(self.request(server, timeout: 0.5)) }
        XCTAssertEqual(met, .timedOut)
        XCTAssertLessThan(Date().timeIntervalSince(began), 3)
    }

    /// What says nothing is broken off; what is slow is not.
    func testSilenceIsBrokenOffAndSlownessIsNot() async throws {
        let server = try LoopServer { connection, number in
            _ = connection.request()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
            for _ in 0..<12 {
                usleep(number == 1 ? 250_000 : 10_000_000)
                connection.write("1")
            }
        }
        var slow = try request(server, timeout: 60)
        slow.silence = 2
        let answer = try await URLSessionTransport().send(slow)
        XCTAssertEqual(answer.body.count, 12)
        let asked = slow
        let met = await fault { try await URLSessionTransport().send(asked) }
        XCTAssertEqual(met, .timedOut)
    }

    func testAnAnswerThatIsTooLargeIsBrokenOff() async throws {
        let server = try LoopServer { connection, _ in
            _ = connection.request()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            let piece = Data(repeating: 0x20, count: 1 << 20)
            for _ in 0..<12 { connection.write(piece) }
        }
        let met = await fault { try await URLSessionTransport().send(self.request(server)) }
        XCTAssertEqual(met, .tooLarge)
    }

    func testACancelledTaskEndsAtOnceAndClosesItsConnection() async throws {
        let (reached, closed) = (Collected<Bool>(), Collected<Bool>())
        let server = try LoopServer { connection, _ in
            _ = connection.request()
            reached.append(true)
            while connection.some() != nil {}
            closed.append(true)
        }
        let transport = URLSessionTransport()
        let asked = try request(server, timeout: 60)
        let task = Task { try await transport.send(asked) }
        try await eventually("it arrived") { !reached.all.isEmpty }
        let began = Date()
        task.cancel()
        let met = await fault { try await task.value }
        XCTAssertEqual(met, .cancelled)
        XCTAssertLessThan(Date().timeIntervalSince(began), 2)
        try await eventually("the server sees it leave") { !closed.all.isEmpty }
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await transport.send(asked)
        }
        let metLate = await fault { try await late.value }
        XCTAssertEqual(metLate, .cancelled)
    }

    func testManyCallsLeaveNothingBehind() async throws {
        let server = try LoopServer { _ in wire(200, "1") }
        weak var gone: URLSessionTransport?
        do {
            let transport = URLSessionTransport()
            gone = transport
            let asked = try request(server)
            for _ in 0..<10 {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<20 { group.addTask { try await transport.send(asked).status } }
                    for try await status in group { XCTAssertEqual(status, 200) }
                }
            }
        }
        try await eventually("the transport is gone") { gone == nil }
    }
}
