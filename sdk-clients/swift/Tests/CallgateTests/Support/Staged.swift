import Foundation

@testable import Callgate

/// Time that stands still but for waits, chance as told, ids that count.
final class Stage: @unchecked Sendable {
    private let lock = NSLock()
    private var time: Date
    private var chances: [Double] = []
    private var number = 0
    private(set) var waits: [TimeInterval] = []

    init(_ time: Date = Date(timeIntervalSince1970: 1_773_500_966)) {
        self.time = time
    }

    var now: Date {
        get { lock.withLock { time } }
        set { lock.withLock { time = newValue } }
    }

    func pass(_ seconds: TimeInterval) {
        lock.withLock { time += seconds }
    }

    func draw(_ chances: [Double]) {
        lock.withLock { self.chances = chances }
    }

    var surroundings: Surroundings {
        Surroundings(
            now: { self.now },
            random: { self.lock.withLock { self.chances.isEmpty ? 0.5 : self.chances.removeFirst() } },
            uuid: {
                self.lock.withLock {
                    self.number += 1
                    return "00000000-0000-4000-8000-\(String(format: "%012d", self.number))"
                }
            },
            sleep: { seconds in
                try Task.checkCancellation()
                // Nobody waits for an hour to pass but to be woken before.
                if seconds >= 3_600 { try await Task.sleep(nanoseconds: UInt64(seconds * 1e9)) }
                self.lock.withLock {
                    self.waits.append(seconds)
                    self.time += seconds
                }
                await Task.yield()
            }
        )
    }
}

/// A transport whose answers the test gives; it remembers what was asked.
final class StagedTransport: Transport, @unchecked Sendable {
    typealias Answer = @Sendable (HTTPRequest) async throws -> HTTPResponse

    private let lock = NSLock()
    private var answer: Answer
    private var seen: [HTTPRequest] = []

    init(_ answer: @escaping Answer) {
        self.answer = answer
    }

    var requests: [HTTPRequest] { lock.withLock { seen } }
    var calls: [HTTPRequest] { requests.filter { $0.path.hasSuffix("/invocations") } }

    func requests(_ operation: String) -> [HTTPRequest] {
        requests.filter { $0.headers["x-amz-target"] == "AWSCognitoIdentityService.\(operation)" }
    }

    func becomes(_ answer: @escaping Answer) {
        lock.withLock { self.answer = answer }
    }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let answer = lock.withLock {
            seen.append(request)
            return self.answer
        }
        return try await answer(request)
    }
}

/// Counts, from anywhere.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    @discardableResult
    func up() -> Int {
        lock.withLock {
            count += 1
            return count
        }
    }

    var value: Int { lock.withLock { count } }
}

/// Collects, from anywhere.
final class Collected<Element: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var elements: [Element] = []

    func append(_ element: Element) { lock.withLock { elements.append(element) } }

    var all: [Element] { lock.withLock { elements } }
}

extension HTTPResponse {
    static func gateway(_ status: Int, _ body: String = "", _ headers: [String: String] = [:]) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: headers.merging(["x-amzn-requestid": "request-1"]) { own, _ in own },
            body: Data(body.utf8)
        )
    }

    static func refused(_ status: Int, _ code: String, _ headers: [String: String] = [:]) -> HTTPResponse {
        gateway(status, #"{"message":"as told"}"#, headers.merging(["x-amzn-errortype": code]) { own, _ in own })
    }

    static func identity(_ id: String) -> HTTPResponse { gateway(200, #"{"IdentityId":"\#(id)"}"#) }

    /// Credentials that tell whose they are by their token.
    static func credentials(_ id: String, until end: Date, key: String = "ASIATEST") -> HTTPResponse {
        gateway(
            200,
            """
            {"IdentityId":"\(id)","Credentials":{"AccessKeyId":"\(key)","SecretKey":"very-secret-key",\
            "SessionToken":"token-of-\(id)","Expiration":\(end.timeIntervalSince1970)}}
            """
        )
    }
}

extension HTTPRequest {
    var operation: String? {
        headers["x-amz-target"]?.split(separator: ".").last.map(String.init)
    }

    /// A member of the JSON body.
    func member(_ name: String) -> JSONValue? {
        (try? JSONDecoder().decode([String: JSONValue].self, from: body))?[name]
    }
}

extension Stage {
    /// A gateway whose pool gives out the guest G, and whose functions answer so.
    func transport(_ answer: @escaping StagedTransport.Answer) -> StagedTransport {
        StagedTransport { request in
            switch request.operation {
            case "GetId": return .identity("us-east-1:G")
            case "GetCredentialsForIdentity": return .credentials("us-east-1:G", until: self.now + 3_600)
            default: return try await answer(request)
            }
        }
    }

    func client(
        _ transport: any Transport, _ configure: (inout Configuration) -> Void = { _ in }
    ) throws -> CallgateClient {
        var configuration = Configuration(
            endpoint: URL(string: "https://gate.example.com")!, identityPoolID: "us-east-1:pool"
        )
        configuration.describesDevice = false
        configure(&configuration)
        return try CallgateClient(configuration, transport: transport, surroundings: surroundings)
    }
}

let echo = CallgateFunction<JSONValue, JSONValue>("echo")
