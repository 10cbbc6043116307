import Foundation

/// One call of an app, ready to go out: the same for all its attempts.
package struct Invocation: Sendable {
    package static let bodyBytesMax = 6_291_456
    private static let nameCharactersMax = 256

    package var function: String
    package var qualifier: String?
    /// JSON, or nothing.
    package var payload: Data
    package var invocationID: String
    package var idempotencyKey: String?
    /// The header's value.
    package var clientContext: String?
    /// Of all attempts together, in seconds; nil for what has no deadline to send on.
    package var timeout: TimeInterval?
    package var compressed: Data?

    package init(
        function: String, qualifier: String? = nil, payload: Data, invocationID: String, idempotencyKey: String? = nil,
        clientContext: String? = nil, timeout: TimeInterval? = nil
    ) throws {
        guard !function.isEmpty, function.count <= Self.nameCharactersMax else {
            throw CallgateError.invalidArgument("a function's name has 1 to \(Self.nameCharactersMax) characters")
        }
        guard payload.count <= Self.bodyBytesMax else {
            throw CallgateError.invalidArgument(
                "the call has \(payload.count) bytes, and at most \(Self.bodyBytesMax) are sent"
            )
        }
        if let idempotencyKey, !Self.isKey(idempotencyKey) {
            throw CallgateError.invalidArgument("an idempotency key has 1 to 255 visible ASCII characters")
        }
        (self.function, self.qualifier, self.payload) = (function, qualifier, payload)
        (self.invocationID, self.idempotencyKey) = (invocationID, idempotencyKey)
        (self.clientContext, self.timeout) = (clientContext, timeout)
    }

    private static func isKey(_ key: String) -> Bool {
        (1...255).contains(key.utf8.count) && key.utf8.allSatisfy((0x21...0x7e).contains)
    }

    /// An attempt's request, before it is signed. `remaining` is what is left of the deadline, in seconds.
    package func request(
        to endpoint: Endpoint, attempt: Int, attemptsMax: Int, remaining: TimeInterval?, within seconds: TimeInterval,
        userAgent: String
    ) -> HTTPRequest {
        var request = HTTPRequest(method: "POST", endpoint: endpoint, path: path, timeout: seconds)
        request.query = query
        request.headers["content-type"] = "application/json"
        request.headers["amz-sdk-invocation-id"] = invocationID
        request.headers["amz-sdk-request"] = "attempt=\(attempt); max=\(attemptsMax)"
        request.headers["user-agent"] = userAgent
        if let remaining { request.headers["callgate-timeout-ms"] = String(max(1, Int((remaining * 1000).rounded()))) }
        request.headers["idempotency-key"] = idempotencyKey
        request.headers["x-amz-client-context"] = clientContext
        if compressed != nil { request.headers["content-encoding"] = "gzip" }
        request.body = compressed ?? payload
        return request
    }

    /// The request that ends the call, before it is signed.
    package func cancellation(at endpoint: Endpoint, within seconds: TimeInterval, userAgent: String) -> HTTPRequest {
        let id = PercentEncoding.encode(idempotencyKey ?? invocationID)
        var request = HTTPRequest(method: "DELETE", endpoint: endpoint, path: "\(path)/\(id)", timeout: seconds)
        request.query = query
        request.headers["user-agent"] = userAgent
        return request
    }

    private var path: String { "/2015-03-31/functions/\(PercentEncoding.encode(function))/invocations" }

    private var query: [(name: String, value: String)] { qualifier.map { [("Qualifier", $0)] } ?? [] }
}
