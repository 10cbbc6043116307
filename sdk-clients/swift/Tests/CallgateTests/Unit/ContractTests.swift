import Foundation
import XCTest

@testable import Callgate

/// The contract's vectors, one file a test.
final class ContractTests: XCTestCase {
    private func credentials(_ vector: JSONValue) -> Credentials {
        Credentials(
            accessKeyID: vector["accessKeyId"].text ?? "", secretKey: vector["secretKey"].text ?? "",
            sessionToken: vector["sessionToken"].text ?? "", issued: .distantPast, expiration: .distantFuture
        )
    }

    private func date(_ vector: JSONValue) throws -> Date {
        Date(timeIntervalSince1970: Double(try XCTUnwrap(vector["epochMs"].whole)) / 1000)
    }

    func testSignatures() throws {
        try Vectors.each("signatures") { id, vector in
            let url = try XCTUnwrap(URLComponents(string: try XCTUnwrap(vector["url"].text)))
            var origin = URLComponents()
            (origin.scheme, origin.host, origin.port) = (url.scheme, url.host, url.port)
            var request = HTTPRequest(
                method: vector["method"].text ?? "", endpoint: try Endpoint(XCTUnwrap(origin.url)),
                path: url.percentEncodedPath, timeout: 1
            )
            request.query = (url.queryItems ?? []).map { ($0.name, $0.value ?? "") }
            for (name, value) in vector["headers"].texts { request.headers[name.lowercased()] = value }
            request.body = try XCTUnwrap(Data(base64Encoded: vector["bodyBase64"].text ?? ""))
            let signer = Signer(region: vector["region"].text ?? "", service: vector["service"].text ?? "")
            XCTAssertEqual(Signer.timestamp(try self.date(vector)), vector["date"].text, id)
            let signed = signer.sign(request, with: self.credentials(vector), at: try self.date(vector))
            let names = signed.headers.keys.filter { $0 != "authorization" }.sorted()
            XCTAssertEqual(
                signer.canonicalRequest(signed, signing: names), vector["expected"]["canonicalRequest"].text, id
            )
            XCTAssertEqual(signed.headers["authorization"], vector["expected"]["headers"]["authorization"].text, id)
        }
    }

    func testWholeCalls() throws {
        try Vectors.each("calls") { id, vector in
            let call = vector["call"]
            let invocation = try Invocation(
                function: call["function"].text ?? "", qualifier: call["qualifier"].text,
                payload: Data((call["payload"].text ?? "").utf8), invocationID: call["invocationId"].text ?? "",
                idempotencyKey: call["idempotencyKey"].text,
                clientContext: call["clientContext"].text.map { Data($0.utf8).base64EncodedString() }
            )
            let endpoint = try Endpoint(XCTUnwrap(URL(string: "https://gate.example.com")))
            let bare: HTTPRequest
            if call["cancel"].flag {
                bare = invocation.cancellation(at: endpoint, within: 5, userAgent: "x")
            } else {
                bare = invocation.request(
                    to: endpoint, attempt: Int(call["attempt"].whole ?? 0), attemptsMax: 4,
                    remaining: call["remainingMs"].fraction.map { $0 / 1000 }, within: 5, userAgent: "x"
                )
            }
            var signed = Signer(region: vector["region"].text ?? "", service: "lambda")
                .sign(bare, with: self.credentials(vector), at: try self.date(vector))
            XCTAssertEqual(signed.headers.removeValue(forKey: "user-agent"), "x")
            // botocore leaves Host to its transport.
            if vector["expected"]["headers"]["host"] == .null { signed.headers["host"] = nil }
            XCTAssertEqual(signed.method, vector["expected"]["method"].text, id)
            XCTAssertEqual(signed.url?.absoluteString, vector["expected"]["url"].text, id)
            XCTAssertEqual(signed.headers, vector["expected"]["headers"].texts, id)
        }
    }

    func testClientContexts() throws {
        XCTAssertEqual(try Vectors.document("client-contexts")["bytesMax"].whole, Int64(ClientContext.headerBytesMax))
        try Vectors.each("client-contexts") { id, vector in
            let given = try XCTUnwrap(vector["context"] as JSONValue?)
            let context = try JSONDecoder().decode(ClientContext.self, from: JSONEncoder().encode(given))
            guard vector["fits"].flag else {
                XCTAssertThrowsError(try context.header(), id) { error in
                    XCTAssertEqual((error as? CallgateError)?.kind, "invalid-argument", id)
                }
                return
            }
            let header = try XCTUnwrap(Data(base64Encoded: try context.header()))
            XCTAssertEqual(try JSONDecoder().decode(JSONValue.self, from: header), given, id)
            XCTAssertLessThanOrEqual(try context.header().utf8.count, ClientContext.headerBytesMax, id)
        }
    }

    func testErrors() throws {
        try Vectors.each("errors") { id, vector in
            let answer = vector["answer"]
            let response = HTTPResponse(
                status: Int(answer["status"].whole ?? 0), headers: answer["headers"].texts,
                body: Data((answer["body"].text ?? "").utf8)
            )
            let expected = vector["expected"]
            guard case .failure(let error, let remedy) = Verdict(response, isCompressed: expected["plain"].flag) else {
                return XCTFail("\(id): no error")
            }
            XCTAssertEqual(error.kind, expected["kind"].text, id)
            switch error {
            case .function(let failure), .cancelled(let failure):
                XCTAssertEqual(failure.type, expected["remoteType"].text, id)
                XCTAssertEqual(failure.message, expected["remoteMessage"].text, id)
                XCTAssertEqual(failure.stack, expected["stack"].list.compactMap(\.text), id)
                XCTAssertEqual(failure.isHandled, expected["handled"].flag, id)
                XCTAssertEqual(failure.isTimeout, expected["timedOut"].flag, id)
                XCTAssertEqual(failure.requestID, expected["requestId"].text, id)
            default:
                XCTAssertEqual(error.refusal?.code, expected["code"].text, id)
                XCTAssertEqual(error.refusal?.message, expected["message"].text, id)
                XCTAssertEqual(error.refusal?.status, expected["status"].whole.map(Int.init), id)
                XCTAssertEqual(error.refusal?.requestID, expected["requestId"].text, id)
                XCTAssertEqual(
                    error.refusal?.retryAfter.map { Int64($0 * 1000) }, expected["retryAfterMs"].whole, id
                )
            }
            if case .throttled(let throttle) = error {
                XCTAssertEqual(throttle.reason, expected["reason"].text, id)
                XCTAssertEqual(throttle.limit, expected["limit"].text, id)
            }
            let wanted: Verdict.Remedy =
                expected["retry"].flag ? .retry(after: (expected["retryAfterMs"].fraction ?? 0) / 1000)
                : expected["refresh"].flag ? .newCredentials : expected["clock"].flag ? .clock
                : expected["plain"].flag ? .plainBody : .none
            XCTAssertEqual(remedy, wanted, id)
        }
    }

    func testRetryDelays() throws {
        try Vectors.each("retries", "delays") { id, vector in
            let delay = RetryPolicy().delay(
                retry: Int(vector["retry"].whole ?? 0), random: vector["random"].fraction ?? 0,
                after: (vector["retryAfterMs"].fraction ?? 0) / 1000
            )
            XCTAssertEqual((delay * 1000).rounded(), vector["delayMs"].fraction, id)
        }
    }

    func testRetrySchedules() async throws {
        for vector in try Vectors.document("retries")["vectors"].list {
            let id = vector["id"].text ?? ""
            let stage = Stage(Date(timeIntervalSince1970: 0))
            stage.draw(vector["randoms"].list.compactMap(\.fraction))
            let attempts = vector["attempts"].list
            let made = Counter()
            let retrier = Retrier(policy: RetryPolicy(), surroundings: stage.surroundings)
            let deadline = Date(timeIntervalSince1970: (vector["deadlineMs"].fraction ?? 0) / 1000)
            let ended: String
            do {
                ended = try await retrier.run(until: deadline) { number in
                    let met = attempts[number - 1]
                    made.up()
                    stage.pass((met["tookMs"].fraction ?? 0) / 1000)
                    let outcome = met["outcome"].text ?? ""
                    guard outcome != "success" else { return .success(outcome) }
                    let advice: Advice =
                        !met["retry"].flag ? .never
                        : met["atOnce"].flag ? .atOnce : .later(after: (met["retryAfterMs"].fraction ?? 0) / 1000)
                    return .failure(.unexpectedAnswer(outcome), advice)
                }
            } catch CallgateError.unexpectedAnswer(let outcome) { ended = outcome }
            let expected = vector["expected"]
            XCTAssertEqual(ended, expected["endsWith"].text, id)
            XCTAssertEqual(made.value, expected["attempts"].whole.map(Int.init), id)
            XCTAssertEqual(
                stage.waits.map { Int64(($0 * 1000).rounded()) },
                expected["waitsMs"].list.compactMap(\.whole).filter { wait in
                    // A retry at once waits for nothing; the vectors count it as a wait of nothing.
                    wait > 0 || !attempts.contains { $0["atOnce"].flag }
                }, id
            )
            XCTAssertEqual((stage.now.timeIntervalSince1970 * 1000).rounded(), expected["endsAtMs"].fraction, id)
        }
    }

    func testAgesOfCredentials() throws {
        let settings = try Vectors.document("credentials")["settings"]
        XCTAssertEqual(settings["refreshAheadMs"].fraction, Credentials.aheadSecondsMax * 1000)
        XCTAssertEqual(settings["unusableBeforeEndMs"].fraction, Credentials.unusableSecondsMax * 1000)
        XCTAssertEqual(settings["aheadEveryMs"].fraction, IdentityKeeper.aheadPauseSeconds * 1000)
        XCTAssertEqual(settings["skewCorrectedFromMs"].fraction, ServerClock.toleranceSeconds * 1000)
        try Vectors.each("credentials", "ages") { id, vector in
            let now = Date(timeIntervalSince1970: 1_000_000)
            let end = now.addingTimeInterval((vector["leftMs"].fraction ?? 0) / 1000)
            let begin = end.addingTimeInterval(-(vector["lifeMs"].fraction ?? 0) / 1000)
            let credentials = Credentials(accessKeyID: "", secretKey: "", sessionToken: "", issued: begin, expiration: end)
            XCTAssertEqual(credentials.use(at: now).rawValue, vector["expected"].text, id)
        }
    }

    func testClocks() throws {
        try Vectors.each("credentials", "clocks") { id, vector in
            let stage = Stage(Date(timeIntervalSince1970: (vector["deviceMs"].fraction ?? 0) / 1000))
            let clock = ServerClock(stage.surroundings, offset: (vector["before"].fraction ?? 0) / 1000)
            var headers = ["date": vector["date"].text].compactMapValues { $0 }
            if vector["gateway"].flag { headers["x-amzn-requestid"] = "r" }
            clock.learn(from: HTTPResponse(status: 200, headers: headers))
            XCTAssertEqual(clock.offsetSeconds * 1000, vector["expected"].fraction, id)
        }
    }

    func testFatesOfKeptCalls() throws {
        func refusal() -> Refusal { Refusal(message: "") }
        let errors: [String: CallgateError] = [
            "function": .function(FunctionFailure(type: nil, message: nil)),
            "cancelled": .cancelled(FunctionFailure(type: nil, message: nil)),
            "denied": .denied(refusal()), "not-found": .notFound(refusal()),
            "invalid-request": .invalidRequest(refusal()), "outcome-unknown": .outcomeUnknown(refusal()),
            "offline": .offline(refusal()), "throttled": .throttled(Throttle(refusal: refusal())),
            "service": .service(refusal()), "deadline": .timedOut(refusal()), "conflict": .conflict(refusal()),
            "authentication": .authentication(refusal()),
        ]
        func word(_ fate: OutboxFate) -> String {
            switch fate {
            case .send: return "send"
            case .keep: return "keep"
            case .done(.answer): return "done:success"
            case .done(.expired): return "done:expired"
            case .done(.failure(let error)): return "done:\(error.kind)"
            }
        }
        try Vectors.each("outbox") { id, vector in
            let fate: OutboxFate
            if let met = vector["met"].text {
                fate = OutboxFate(after: met == "success" ? .success(Data()) : .failure(try XCTUnwrap(errors[met], met)))
            } else {
                XCTAssertEqual(vector["keyWindowMs"].whole, OutboxFate.keyWindowMilliseconds)
                fate = OutboxFate(
                    age: vector["ageMs"].whole ?? 0, firstSentAge: vector["firstSentAgeMs"].whole,
                    ageLimit: vector["ageLimitMs"].whole ?? 0
                )
            }
            XCTAssertEqual(word(fate), vector["expected"].text, id)
        }
    }
}
