import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Requests by URLSession: no cache, no cookies, no redirect followed (a signature is for one host), answers bounded.
package final class URLSessionTransport: Transport, @unchecked Sendable {
    /// A function's answer has at most 6 MiB and a few bytes.
    package static let answerBytesMax = 8 * 1024 * 1024

    private struct Exchange {
        var response: HTTPURLResponse?
        var body = Data()
        var isTooLarge = false
        /// Ends it when the time for the whole is over.
        let timer: DispatchWorkItem
        /// When something last moved, either way.
        var moved = DispatchTime.now()
        let continuation: CheckedContinuation<HTTPResponse, Error>
    }

    /// Guards `exchanges`, by the tasks' identifiers.
    private let lock = NSLock()
    private var exchanges: [Int: Exchange] = [:]
    private var session: URLSession!

    package init() {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        configuration.urlCache = nil
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        session = URLSession(configuration: configuration, delegate: Weakly(self), delegateQueue: nil)
    }

    deinit {
        session.invalidateAndCancel()
    }

    package func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let url = request.url else { throw CallgateError.invalidArgument("no URL: \(request.path)") }
        var carried = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: request.timeout)
        carried.httpMethod = request.method
        for (name, value) in request.headers where name != "host" {
            carried.setValue(value, forHTTPHeaderField: name)
        }
        if request.method == "POST" { carried.httpBody = request.body }
        let task = session.dataTask(with: carried)
        let started = TaskOfSession(task)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let timer = DispatchWorkItem { [weak self] in self?.end(started, .timedOut) }
                lock.withLock { exchanges[task.taskIdentifier] = Exchange(timer: timer, continuation: continuation) }
                // Cancelled before this, the handler found nothing to end.
                guard !Task.isCancelled else { return end(started, .cancelled) }
                DispatchQueue.global().asyncAfter(deadline: .now() + request.timeout, execute: timer)
                if request.silence < request.timeout { watch(started, request.silence, after: request.silence) }
                task.resume()
            }
        } onCancel: {
            end(started, .cancelled)
        }
    }

    /// Breaks off what has been silent for so long. URLSession's own time-out does not on Linux.
    private func watch(_ started: TaskOfSession, _ silence: TimeInterval, after seconds: TimeInterval) {
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [weak self] in
            guard let self, let moved = self.lastMoved(started) else { return }
            let quiet = Double(DispatchTime.now().uptimeNanoseconds - moved.uptimeNanoseconds) / 1e9
            if quiet >= silence {
                self.end(started, .timedOut)
            } else {
                self.watch(started, silence, after: silence - quiet)
            }
        }
    }

    private func lastMoved(_ started: TaskOfSession) -> DispatchTime? {
        lock.withLock { exchanges[started.task.taskIdentifier]?.moved }
    }

    func moved(_ task: Int) {
        lock.withLock { exchanges[task]?.moved = .now() }
    }

    private func end(_ started: TaskOfSession, _ fault: TransportFault) {
        let exchange = remove(started.task.taskIdentifier)
        started.task.cancel()
        exchange?.continuation.resume(throwing: fault)
    }

    private func remove(_ task: Int) -> Exchange? {
        let exchange = lock.withLock { exchanges.removeValue(forKey: task) }
        exchange?.timer.cancel()
        return exchange
    }

    // MARK: What the session tells

    func took(_ response: URLResponse, of task: Int) {
        moved(task)
        lock.withLock { exchanges[task]?.response = response as? HTTPURLResponse }
    }

    /// Whether the answer may go on.
    func took(_ data: Data, of task: Int) -> Bool {
        moved(task)
        return lock.withLock {
            guard let held = exchanges[task]?.body.count else { return false }
            guard held + data.count <= Self.answerBytesMax else {
                exchanges[task]?.isTooLarge = true
                return false
            }
            exchanges[task]?.body.append(data)
            return true
        }
    }

    func completed(_ task: Int, error: Error?) {
        guard let exchange = remove(task) else { return }
        if exchange.isTooLarge {
            exchange.continuation.resume(throwing: TransportFault.tooLarge)
        } else if let error {
            exchange.continuation.resume(throwing: TransportFault(error))
        } else if let response = exchange.response {
            exchange.continuation.resume(returning: HTTPResponse(response, body: exchange.body))
        } else {
            exchange.continuation.resume(throwing: TransportFault.broken("no HTTP answer"))
        }
    }
}

/// URLSession holds its delegate until it is invalidated; by way of this it does not hold the transport.
private final class Weakly: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private weak var transport: URLSessionTransport?

    init(_ transport: URLSessionTransport) {
        self.transport = transport
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        transport?.took(response, of: dataTask.taskIdentifier)
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        if transport?.took(data, of: dataTask.taskIdentifier) != true { dataTask.cancel() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64, totalBytesSent: Int64,
        totalBytesExpectedToSend: Int64
    ) {
        transport?.moved(task.taskIdentifier)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: Error?) {
        transport?.completed(task.taskIdentifier, error: error)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}

/// URLSession's tasks may be cancelled from any thread; their type does not say so everywhere.
private struct TaskOfSession: @unchecked Sendable {
    let task: URLSessionDataTask

    init(_ task: URLSessionDataTask) {
        self.task = task
    }
}

extension HTTPResponse {
    init(_ response: HTTPURLResponse, body: Data) {
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields {
            if let name = name as? String, let value = value as? String { headers[name.lowercased()] = value }
        }
        self.init(status: response.statusCode, headers: headers, body: body)
    }
}

extension TransportFault {
    /// URLSession's errors, as far as they differ in what is to be done.
    package init(_ error: Error) {
        guard let error = error as? URLError else {
            self = .broken(String(describing: type(of: error)))
            return
        }
        switch error.code {
        case .notConnectedToInternet, .dataNotAllowed, .internationalRoamingOff, .callIsActive:
            self = .offline("URLError \(error.code.rawValue)")
        case .cannotFindHost, .cannotConnectToHost, .dnsLookupFailed:
            self = .unconnected("URLError \(error.code.rawValue)")
        case .timedOut:
            self = .timedOut
        case .cancelled:
            self = .cancelled
        case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
            .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid, .clientCertificateRejected,
            .clientCertificateRequired, .appTransportSecurityRequiresSecureConnection:
            self = .untrusted("URLError \(error.code.rawValue)")
        case .dataLengthExceedsMaximum:
            self = .tooLarge
        default:
            self = .broken("URLError \(error.code.rawValue)")
        }
    }
}
