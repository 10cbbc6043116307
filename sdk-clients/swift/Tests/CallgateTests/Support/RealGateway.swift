import Foundation
import XCTest

@testable import Callgate


/// The gateway that scripts/sdk-swift.sh started.
struct RealGateway {
    let endpoint: URL
    let pool: String
    let issuer: URL
    let clientID: String

    init() throws {
        func setting(_ name: String) throws -> String {
            guard let value = ProcessInfo.processInfo.environment[name] else {
                throw CallgateError.invalidArgument("\(name) is not set: scripts/sdk-swift.sh starts a gateway and runs this test")
            }
            return value
        }
        endpoint = try XCTUnwrap(URL(string: setting("CALLGATE_TEST_ENDPOINT")))
        pool = try setting("CALLGATE_TEST_POOL")
        issuer = try XCTUnwrap(URL(string: setting("CALLGATE_TEST_ISSUER")))
        clientID = try setting("CALLGATE_TEST_CLIENT_ID")
    }

    func client(at other: URL? = nil, _ configure: (inout Configuration) -> Void = { _ in }) throws -> CallgateClient {
        var configuration = Configuration(endpoint: other ?? endpoint, identityPoolID: pool)
        configure(&configuration)
        return try CallgateClient(configuration)
    }

    /// The issuer's name as logins have it: its URL without the scheme.
    var provider: String { "\(issuer.host ?? ""):\(issuer.port ?? 0)" }

    /// An ID token of a user, from the issuer, which believes everybody.
    func token(of user: String) async throws -> String {
        var request = HTTPRequest(method: "POST", endpoint: try Endpoint(issuer), path: "/token", timeout: 10)
        request.headers["content-type"] = "application/x-www-form-urlencoded"
        request.body = Data("user=\(user)&client_id=\(clientID)".utf8)
        let response = try await URLSessionTransport().send(request)
        return try XCTUnwrap(JSONDecoder().decode(JSONValue.self, from: response.body)["id_token"].text)
    }
}
