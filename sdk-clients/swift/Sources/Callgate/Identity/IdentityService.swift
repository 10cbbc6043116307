import Foundation

/// The two public operations of Amazon Cognito Identity that an app needs.
struct IdentityService: Sendable {
    /// A whole fetch, however many attempts.
    static let secondsMax: TimeInterval = 30
    private static let attemptSecondsMax: TimeInterval = 10

    let endpoint: Endpoint
    let poolID: String
    let transport: any Transport
    let clock: ServerClock
    let retrier: Retrier
    let userAgent: String

    /// When a fetch that begins now has to end.
    var deadline: Date { retrier.surroundings.now().addingTimeInterval(Self.secondsMax) }

    /// The id of the identity that has these logins; without any, a new guest's.
    func identityID(logins: [String: String], until deadline: Date) async throws -> String {
        struct Input: Encodable {
            let IdentityPoolId: String
            let Logins: [String: String]?
        }
        struct Output: Decodable {
            let IdentityId: String
        }
        let input = Input(IdentityPoolId: poolID, Logins: logins.isEmpty ? nil : logins)
        let output: Output = try await call("GetId", input, until: deadline)
        return output.IdentityId
    }

    /// Credentials, and whose they are: after a merge another id than was asked for.
    func credentials(
        of id: String, logins: [String: String], until deadline: Date
    ) async throws -> (id: String, credentials: Credentials) {
        struct Input: Encodable {
            let IdentityId: String
            let Logins: [String: String]?
        }
        struct Output: Decodable {
            struct Keys: Decodable {
                let AccessKeyId: String
                let SecretKey: String
                let SessionToken: String
                /// Seconds since 1970.
                let Expiration: Double
            }
            let IdentityId: String
            let Credentials: Keys
        }
        let output: Output = try await call(
            "GetCredentialsForIdentity", Input(IdentityId: id, Logins: logins.isEmpty ? nil : logins), until: deadline
        )
        let keys = output.Credentials
        let credentials = Credentials(
            accessKeyID: keys.AccessKeyId, secretKey: keys.SecretKey, sessionToken: keys.SessionToken,
            issued: clock.now, expiration: Date(timeIntervalSince1970: keys.Expiration)
        )
        return (output.IdentityId, credentials)
    }

    private func call<Input: Encodable, Output: Decodable & Sendable>(
        _ operation: String, _ input: Input, until deadline: Date
    ) async throws -> Output {
        let body = try Payload.encode(input)
        return try await retrier.run(until: deadline) { _ in
            var request = HTTPRequest(method: "POST", endpoint: endpoint, path: "/", timeout: Self.attemptSecondsMax)
            request.headers["content-type"] = "application/x-amz-json-1.1"
            request.headers["x-amz-target"] = "AWSCognitoIdentityService.\(operation)"
            request.headers["user-agent"] = userAgent
            request.body = body
            let response: HTTPResponse
            do { response = try await transport.send(request) } catch let fault as TransportFault {
                return try fault.asAttempt()
            }
            clock.learn(from: response)
            switch Verdict(response) {
            case .payload(let payload): return .success(try Payload.decode(Output.self, from: payload))
            case .failure(let error, .retry(let after)): return .failure(error, .later(after: after))
            case .failure(let error, _): return .failure(error, .never)
            }
        }
    }
}

extension TransportFault {
    /// What an attempt without an answer means. Throws `CancellationError` for one that was cancelled.
    func asAttempt<Answer>() throws -> Attempt<Answer> {
        func offline(_ message: String) -> CallgateError { .offline(Refusal(message: message)) }
        switch self {
        case .cancelled: throw CancellationError()
        case .offline(let message): return .failure(offline("no network (\(message))"), .later(after: 0))
        case .unconnected(let message): return .failure(offline("no connection (\(message))"), .later(after: 0))
        case .broken(let message): return .failure(offline("the connection broke (\(message))"), .later(after: 0))
        case .untrusted(let message): return .failure(offline("the certificate is not trusted (\(message))"), .later(after: 0))
        case .timedOut: return .failure(offline("no answer in time"), .later(after: 0))
        case .tooLarge: return .failure(.unexpectedAnswer("it is larger than an answer may be"), .never)
        }
    }

    /// Whether no byte of the request can have arrived.
    var isBeforeSending: Bool {
        switch self {
        case .offline, .unconnected, .untrusted: return true
        case .broken, .timedOut, .tooLarge, .cancelled: return false
        }
    }
}
