import Foundation

/// A request before it is sent. `path` is percent-encoded as it goes onto the wire; a query is not needed by anything sent
/// but a qualifier.
package struct HTTPRequest: Sendable {
    package var method: String
    package var endpoint: Endpoint
    package var path: String
    package var query: [(name: String, value: String)] = []
    /// Names in lower case, no name twice.
    package var headers: [String: String] = [:]
    package var body = Data()
    /// How long the whole of it may take, in seconds.
    package var timeout: TimeInterval
    /// How long nothing may be sent or received, in seconds.
    package var silence = TimeInterval.infinity

    package init(method: String, endpoint: Endpoint, path: String, timeout: TimeInterval) {
        (self.method, self.endpoint, self.path, self.timeout) = (method, endpoint, path, timeout)
    }

    package var encodedQuery: String {
        query
            .map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
            .sorted()
            .joined(separator: "&")
    }

    package var url: URL? {
        URL(string: endpoint.origin + path + (query.isEmpty ? "" : "?" + encodedQuery))
    }
}

/// An answer, whatever its status.
package struct HTTPResponse: Sendable {
    package var status: Int
    /// Names in lower case.
    package var headers: [String: String]
    package var body: Data

    package init(status: Int, headers: [String: String] = [:], body: Data = Data()) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }

    package var requestID: String? { headers["x-amzn-requestid"] }
}

/// Where a gateway is: scheme, host and port, without a path.
package struct Endpoint: Sendable, Equatable {
    /// `https://gate.example.com` or `http://127.0.0.1:7070`.
    package let origin: String
    /// What stands in the header `Host`: the port only where it is not the scheme's own.
    package let host: String
    package let isPlaintext: Bool
    /// Whether it is this machine.
    package let isLoopback: Bool

    package init(_ url: URL) throws {
        guard let scheme = url.scheme?.lowercased(), scheme == "https" || scheme == "http",
            let name = url.host, !name.isEmpty, url.user == nil, url.query == nil, url.fragment == nil,
            url.path.isEmpty || url.path == "/"
        else {
            throw CallgateError.invalidArgument(
                "the endpoint must be like https://gate.example.com, without a path, and is \(url.absoluteString)"
            )
        }
        let shown = name.contains(":") ? "[\(name)]" : name
        let own = scheme == "https" ? 443 : 80
        let port = url.port.map { $0 == own ? "" : ":\($0)" } ?? ""
        host = shown + port
        origin = "\(scheme)://\(host)"
        isPlaintext = scheme == "http"
        let bytes = name.split(separator: ".", omittingEmptySubsequences: false)
        isLoopback =
            name == "localhost" || name == "::1"
            || bytes.count == 4 && bytes[0] == "127" && bytes.allSatisfy { UInt8($0) != nil }
    }
}

/// What carries requests: URLSession, or a test's stand-in.
package protocol Transport: Sendable {
    /// Sends once. Throws a `TransportFault` where no whole answer came.
    func send(_ request: HTTPRequest) async throws -> HTTPResponse
}

/// Why there is no answer.
package enum TransportFault: Error, Sendable, Equatable {
    /// The device has no network.
    case offline(String)
    /// The connection could not be made.
    case unconnected(String)
    /// The connection broke. The request may have arrived.
    case broken(String)
    /// No answer in time. The request may have arrived.
    case timedOut
    /// The server's certificate is not trusted, or TLS failed: another attempt would fail as this one did.
    case untrusted(String)
    /// The answer is larger than any function's may be.
    case tooLarge
    /// The task was cancelled.
    case cancelled
}
