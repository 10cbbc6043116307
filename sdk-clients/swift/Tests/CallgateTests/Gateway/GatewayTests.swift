import Foundation
import XCTest

@testable import Callgate

/// Against the real gateway, with real functions.
final class GatewayTests: XCTestCase {
    private struct Seen: Decodable, Sendable {
        let event: JSONValue
        let identityId: String?
        let signedIn: Bool
        let clientContext: ClientContext?
        let remaining: Double
    }
    private let sees = CallgateFunction<JSONValue, Seen>("sees")
    private let membersOnly = CallgateFunction<JSONValue, Seen>("members-only")
    private let fails = CallgateFunction<[String: String], Int>("fails")

    func testAGuestAtOnce() async throws {
        let client = try RealGateway().client { $0.clientContext.custom = ["tenant": "7"] }
        let payload: JSONValue = ["text": "Grüße, 世界 🐍", "list": [1, 2.5, nil, true], "large": 9_007_199_254_740_993]
        let seen = try await client.call(sees, payload, options: CallOptions(timeout: 5))
        let id = try await client.identityID()
        XCTAssertEqual(seen.identityId, id)
        XCTAssertFalse(seen.signedIn)
        XCTAssertEqual(seen.event["text"], payload["text"])
        XCTAssertEqual(seen.event["list"], payload["list"])
        XCTAssertEqual(seen.clientContext?.custom["tenant"], "7")
        XCTAssertEqual(seen.clientContext?.env.platform, "Linux")
        XCTAssertEqual(seen.clientContext?.client.installationID?.count, 36)
        XCTAssertLessThanOrEqual(seen.remaining, 5_000, "the call's timeout is the function's too")
        let again = try await client.call(sees, 1)
        XCTAssertEqual(again.identityId, id)
    }

    func testSigningInKeepsTheIdAndMergesIntoOneThatIsKnown() async throws {
        let gateway = try RealGateway()
        let user = "ada-\(UUID().uuidString)"
        let phone = try gateway.client()
        let denied = await assertThrows("denied") { try await phone.call(self.membersOnly, 1) }
        XCTAssertEqual(denied?.refusal?.code, "AccessDeniedException")
        XCTAssertEqual(denied?.refusal?.status, 403)
        let guest = try await phone.identityID()
        let changes = Collected<IdentityChange>()
        let signedIn = try await phone.signIn(provider: gateway.provider) { try await gateway.token(of: user) }
        XCTAssertEqual(signedIn, guest, "a new login keeps the guest's id")
        let seen = try await phone.call(membersOnly, 1)
        XCTAssertEqual(seen.identityId, guest)
        XCTAssertTrue(seen.signedIn)

        let tablet = try gateway.client()
        let heard = Task { [stream = tablet.identityChanges()] in for await change in stream { changes.append(change) } }
        _ = try await tablet.call(sees, 1)
        let other = try await tablet.identityID()
        let merged = try await tablet.signIn(provider: gateway.provider, token: try await gateway.token(of: user))
        XCTAssertEqual(merged, guest, "the same user on another device is the same identity")
        let onTablet = try await tablet.call(membersOnly, 1)
        XCTAssertEqual(onTablet.identityId, guest)
        try await eventually("the change is heard") { changes.all.count == 2 }
        XCTAssertEqual(changes.all.last, IdentityChange(from: other, to: guest))
        heard.cancel()

        try await tablet.signOut()
        let fresh = try await tablet.call(sees, 1)
        XCTAssertNotEqual(fresh.identityId, guest)
        XCTAssertFalse(fresh.signedIn)
        let refused = await assertThrows("authentication") {
            try await tablet.signIn(provider: gateway.provider, token: "no token")
        }
        XCTAssertEqual(refused?.refusal?.code, "NotAuthorizedException")
    }

    func testTypedErrors() async throws {
        let client = try RealGateway().client()
        let thrown = await assertThrows("function") { try await client.call(self.fails, ["how": "throw"]) }
        guard case .function(let failure)? = thrown else { return }
        XCTAssertEqual(failure.type, "TypeError")
        XCTAssertEqual(failure.message, "no item")
        XCTAssertTrue(failure.stack.contains { $0.contains("index.js") }, "\(failure.stack)")
        XCTAssertNotNil(failure.requestID)
        XCTAssertEqual(failure.call.attempts, 1, "a function's error is not retried")

        let late = await assertThrows("function") { try await client.call(self.fails, ["how": "busy"]) }
        guard case .function(let timeout)? = late else { return }
        XCTAssertTrue(timeout.isTimeout, "\(timeout)")
        _ = await assertThrows("answer") { try await client.call(self.fails, ["how": "text"]) }
        _ = await assertThrows("answer") { try await client.call(self.fails, ["how": "nothing"]) }
        let nothing = try await client.call(CallgateFunction<[String: String], Int?>("fails"), ["how": "nothing"])
        XCTAssertNil(nothing)
        _ = await assertThrows("denied") { try await client.call(CallgateFunction<Int, Int>("nobody"), 1) }
    }

    func testThrottledSaysWhenToComeAgain() async throws {
        let gateway = try RealGateway()
        let client = try gateway.client { $0.attemptsMax = 1 }
        _ = try await client.call(sees, 1)
        // An app with a bug: one signed request, sent over and over by four at a time.
        let invocation = try Invocation(function: "sees", payload: Data("1".utf8), invocationID: "")
        var bare = invocation.request(
            to: try Endpoint(gateway.endpoint), attempt: 1, attemptsMax: 1, remaining: nil, within: 10, userAgent: "bug"
        )
        bare.headers["amz-sdk-invocation-id"] = nil
        let flood = Signer(region: "us-east-1", service: "lambda")
            .sign(bare, with: try await client.keeper.credentials(within: 10), at: Date())
        let transport = URLSessionTransport()
        let floods = (0..<4).map { _ in
            Task { while !Task.isCancelled { _ = try await transport.send(flood) } }
        }
        var met: Throttle?
        for _ in 0..<500 where met == nil {
            do { _ = try await client.call(sees, 1) } catch CallgateError.throttled(let throttle) { met = throttle }
        }
        for flood in floods { flood.cancel() }
        let throttle = try XCTUnwrap(met)
        XCTAssertEqual(throttle.reason, "CallerRateLimitExceeded")
        XCTAssertGreaterThanOrEqual(throttle.retryAfter ?? 0, 1)
        XCTAssertNotNil(throttle.limit)
        XCTAssertEqual(throttle.refusal.status, 429)
    }

    func testAWrongClockIsPutRight() async throws {
        let gateway = try RealGateway()
        for hours in [-30.0, 30] {
            var surroundings = Surroundings.real
            surroundings.now = { Date().addingTimeInterval(hours * 3_600) }
            let client = try CallgateClient(
                Configuration(endpoint: gateway.endpoint, identityPoolID: gateway.pool), transport: URLSessionTransport(),
                surroundings: surroundings
            )
            let seen = try await client.call(sees, 1)
            XCTAssertNotNil(seen.identityId)
        }
    }

    func testAVersionThatIsNotThereAndAnEmptyAnswer() async throws {
        let client = try RealGateway().client()
        _ = await assertThrows("not-found") {
            try await client.call(CallgateFunction<Int, Int>("sees", qualifier: "77"), 1)
        }
        let latest = try await client.call(CallgateFunction<Nothing, Seen>("sees", qualifier: "$LATEST"))
        XCTAssertNotNil(latest.identityId)
    }
}
