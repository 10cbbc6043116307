import Foundation
import XCTest

@testable import Callgate

final class LoggingTests: XCTestCase {
    /// Everything that is secret in a call's life, marked so that it is found wherever it turns up.
    func testNothingSecretIsLogged() async throws {
        let stage = Stage()
        let events = Collected<CallgateLogEvent>()
        let calls = Counter()
        let transport = StagedTransport { request in
            switch request.operation {
            case "GetId": return .identity("us-east-1:SECRET-id")
            case "GetCredentialsForIdentity":
                let logins = request.member("Logins") == nil
                return .gateway(
                    200,
                    """
                    {"IdentityId":"us-east-1:SECRET-\(logins ? "id" : "user")","Credentials":{"AccessKeyId":"SECRET-key-id",\
                    "SecretKey":"SECRET-key","SessionToken":"SECRET-token","Expiration":\((stage.now + 3_600).timeIntervalSince1970)}}
                    """, ["date": "Mon, 16 Mar 2026 15:09:26 GMT"]
                )
            default:
                switch calls.up() {
                case 1: throw TransportFault.broken("as told")
                case 2: return .refused(403, "ExpiredTokenException")
                case 3: return .refused(503, "ServiceUnavailable", ["retry-after": "1"])
                default:
                    return .gateway(
                        200, #"{"errorType":"SECRET","errorMessage":"SECRET"}"#, ["x-amz-function-error": "Unhandled"]
                    )
                }
            }
        }
        let folder = try temporaryFolder()
        let client = try stage.client(transport) {
            $0.log = { events.append($0) }
            $0.clientContext.custom = ["mark": "SECRET-context"]
            $0.outboxFolder = folder
        }
        let options = CallOptions(idempotencyKey: "SECRET-order", custom: ["more": "SECRET-custom"])
        _ = await assertThrows("function") { try await client.call(echo, "SECRET-payload", options: options) }
        _ = try await client.signIn(provider: "issuer.example", token: "SECRET-login")
        let heard = Counter()
        try await XCTUnwrap(client.outbox).add(echo, "SECRET-kept", label: "SECRET-label")
        await client.outbox?.start { _ in heard.up() }
        try await eventually("the outbox is empty") { heard.value == 1 }
        await client.outbox?.stop()
        try await client.signOut()

        let kinds = Set(events.all.map(\.kind))
        XCTAssertTrue(kinds.isSuperset(of: [.attempt, .retry, .credentials, .identity, .clock, .outbox]), "\(kinds)")
        for event in events.all {
            XCTAssertFalse(event.description.contains("SECRET"), event.description)
            XCTAssertFalse(event.description.lowercased().contains("signature="), event.description)
        }
        let attempt = try XCTUnwrap(events.all.first { $0.kind == .attempt && $0.fields["status"] == "503" })
        XCTAssertEqual(attempt.fields["function"], "echo")
        XCTAssertEqual(attempt.fields["attempt"], "3")
        XCTAssertEqual(attempt.fields["request"], "request-1")
    }

    func testCredentialsDoNotPrint() {
        let credentials = Credentials(
            accessKeyID: "SECRET", secretKey: "SECRET", sessionToken: "SECRET", issued: Date(), expiration: Date()
        )
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), "\([credentials])", dumped] {
            XCTAssertFalse(text.contains("SECRET"), text)
        }
    }
}
