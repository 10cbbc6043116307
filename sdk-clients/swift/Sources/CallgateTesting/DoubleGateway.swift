import Callgate
import Foundation

/// The double's other end: answers as a gateway does.
final class DoubleGateway: Transport, @unchecked Sendable {
    typealias Function = @Sendable (Data) async throws -> Data

    private let lock = NSLock()
    private var functions: [String: Function] = [:]
    private var troubles: [String: (trouble: CallgateDouble.Trouble, left: Int)] = [:]
    private var recorded: [CallgateDouble.Call] = []
    private var identities: [String: String] = [:]
    private var guests = 0
    /// Answers of calls with a key, which run once.
    private var kept: [String: HTTPResponse] = [:]
    private var offline = false

    var isOffline: Bool {
        get { lock.withLock { offline } }
        set { lock.withLock { offline = newValue } }
    }

    var calls: [CallgateDouble.Call] { lock.withLock { recorded } }

    func set(_ name: String, _ function: @escaping Function) {
        lock.withLock { functions[name] = function }
    }

    func set(_ name: String, _ trouble: CallgateDouble.Trouble, times: Int) {
        lock.withLock { troubles[name] = (trouble, times) }
    }

    func recover() {
        lock.withLock { troubles = [:] }
    }

    func users(_ token: String, _ identityID: String) {
        lock.withLock { identities[token] = identityID }
    }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        if isOffline { throw TransportFault.offline("as told") }
        switch (request.method, request.headers["x-amz-target"]?.split(separator: ".").last) {
        case ("POST", "GetId"): return try getID(request)
        case ("POST", "GetCredentialsForIdentity"): return try getCredentials(request)
        case ("DELETE", _): return answer(202)
        default: return try await invoke(request)
        }
    }

    // MARK: Identity

    private struct Asked: Decodable {
        var IdentityId: String?
        var Logins: [String: String]?
    }

    private func getID(_ request: HTTPRequest) throws -> HTTPResponse {
        let asked = try Payload.decode(Asked.self, from: request.body)
        return answer(200, try Payload.encode(["IdentityId": .string(identity(of: asked))] as [String: JSONValue]))
    }

    private func getCredentials(_ request: HTTPRequest) throws -> HTTPResponse {
        let id = identity(of: try Payload.decode(Asked.self, from: request.body))
        let credentials: [String: JSONValue] = [
            "AccessKeyId": "ASIADOUBLE", "SecretKey": "double", "SessionToken": .string(id),
            "Expiration": .number(Date().timeIntervalSince1970 + 3_600),
        ]
        return answer(
            200, try Payload.encode(["IdentityId": .string(id), "Credentials": .object(credentials)] as [String: JSONValue])
        )
    }

    private func identity(of asked: Asked) -> String {
        lock.withLock {
            for token in (asked.Logins ?? [:]).values.sorted() {
                if let id = identities[token] { return id }
            }
            guests += asked.IdentityId == nil ? 1 : 0
            let id = asked.IdentityId ?? "us-east-1:guest-\(guests)"
            for token in (asked.Logins ?? [:]).values { identities[token] = id }
            return id
        }
    }

    // MARK: Functions

    private func invoke(_ request: HTTPRequest) async throws -> HTTPResponse {
        let call = CallgateDouble.Call(request)
        let (trouble, function, stored): (CallgateDouble.Trouble?, Function?, HTTPResponse?) = lock.withLock {
            recorded.append(call)
            return (next(call.function), functions[call.function], call.idempotencyKey.flatMap { kept[$0] })
        }
        if let stored { return stored }
        let response: HTTPResponse
        if let trouble {
            response = try await meet(trouble, request)
        } else if let function {
            do { response = answer(200, try await function(request.body)) } catch {
                response = failed("\(type(of: error))", "\(error)")
            }
        } else {
            response = refuse(404, "ResourceNotFoundException", "the test has given no function \(call.function)")
        }
        if let key = call.idempotencyKey, response.status == 200 { lock.withLock { kept[key] = response } }
        return response
    }

    private func next(_ function: String) -> CallgateDouble.Trouble? {
        guard let (trouble, left) = troubles[function], left > 0 else { return nil }
        if left != .max { troubles[function] = (trouble, left - 1) }
        return trouble
    }

    private func meet(_ trouble: CallgateDouble.Trouble, _ request: HTTPRequest) async throws -> HTTPResponse {
        switch trouble {
        case .offline: throw TransportFault.offline("as told")
        case .denied: return refuse(403, "AccessDeniedException", "not authorized, as told")
        case .serviceFailure: return refuse(500, "ServiceException", "as told")
        case .silence:
            do { try await Task.sleep(nanoseconds: UInt64(request.timeout * 1e9)) } catch { throw TransportFault.cancelled }
            throw TransportFault.timedOut
        case .function(let type, let message): return failed(type, message)
        case .throttled(let reason, let retryAfter):
            var response = refuse(429, "TooManyRequestsException", "Rate Exceeded.", more: ["Reason": .string(reason)])
            response.headers["retry-after"] = String(retryAfter)
            return response
        }
    }

    private func failed(_ type: String, _ message: String) -> HTTPResponse {
        let body = try? Payload.encode(["errorType": type, "errorMessage": message])
        var response = answer(200, body ?? Data())
        response.headers["x-amz-function-error"] = "Unhandled"
        return response
    }

    private func refuse(
        _ status: Int, _ code: String, _ message: String, more: [String: JSONValue] = [:]
    ) -> HTTPResponse {
        let members = more.merging(["message": .string(message)]) { own, _ in own }
        var response = answer(status, (try? Payload.encode(members)) ?? Data())
        response.headers["x-amzn-errortype"] = code
        return response
    }

    private func answer(_ status: Int, _ body: Data = Data()) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["x-amzn-requestid": Surroundings.real.uuid()], body: body)
    }
}

extension CallgateDouble.Call {
    init(_ request: HTTPRequest) {
        let name = request.path.split(separator: "/").dropLast().last.map(String.init) ?? ""
        function = name.removingPercentEncoding ?? name
        qualifier = request.query.first { $0.name == "Qualifier" }?.value
        payload = try? Payload.decode(JSONValue?.self, from: request.body)
        idempotencyKey = request.headers["idempotency-key"]
        invocationID = request.headers["amz-sdk-invocation-id"]
        identityID = request.headers["x-amz-security-token"]
        clientContext = request.headers["x-amz-client-context"]
            .flatMap { Data(base64Encoded: $0) }
            .flatMap { try? Payload.decode(ClientContext.self, from: $0) }
    }
}
