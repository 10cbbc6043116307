import Foundation

@testable import Callgate

/// Stands between a client and a gateway, and cuts connections where it is told to.
final class FaultProxy: @unchecked Sendable {
    enum Cut: CaseIterable {
        case beforeTheRequest, inTheRequest, beforeTheAnswer, inTheAnswer, afterTheAnswer
    }

    private let lock = NSLock()
    private var cuts: [Cut] = []
    private var invocations = 0
    private(set) var server: LoopServer!

    /// How many requests to invoke a function came by.
    var requests: Int { lock.withLock { invocations } }

    init(to gateway: URL) throws {
        let port = UInt16(gateway.port ?? 0)
        server = try LoopServer { [unowned self] connection, _ in
            while let request = connection.request() {
                var cut: Cut?
                if request.line.contains("/invocations") {
                    cut = lock.withLock {
                        invocations += 1
                        return cuts.isEmpty ? nil : cuts.removeFirst()
                    }
                }
                guard pass(request, to: port, connection, cut) else { return }
            }
        }
    }

    /// The next requests that invoke a function meet these, in turn.
    func cut(_ cuts: [Cut]) {
        lock.withLock { self.cuts = cuts }
    }

    /// Whether the connection goes on.
    private func pass(_ request: Connection.Request, to port: UInt16, _ connection: Connection, _ cut: Cut?) -> Bool {
        if cut == .beforeTheRequest { return false }
        guard let upstream = try? LoopServer.connect(port) else { return false }
        defer { upstream.close() }
        if cut == .inTheRequest {
            upstream.write(request.bytes.prefix(request.bytes.count - 2))
            return false
        }
        upstream.write(request.bytes)
        if cut == .beforeTheAnswer {
            connection.close()
            // The gateway has it, and goes on with it.
            _ = upstream.request()
            return false
        }
        guard let answer = upstream.request() else { return false }
        if cut == .inTheAnswer {
            connection.write(answer.bytes.prefix(answer.bytes.count - 3))
            return false
        }
        connection.write(answer.bytes)
        return cut == nil
    }
}
