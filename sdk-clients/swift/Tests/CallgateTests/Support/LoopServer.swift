import Foundation

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A server on loopback whose connections a test handles byte by byte, one thread each.
final class LoopServer: @unchecked Sendable {
    let port: UInt16
    private let listening: Int32

    var url: URL { URL(string: "http://127.0.0.1:\(port)")! }

    /// `handle` is told the connection's number, from 1; when it returns the connection is closed.
    init(_ handle: @escaping @Sendable (Connection, Int) -> Void) throws {
        let descriptor = try Self.socket()
        listening = descriptor
        var address = Self.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, pointer, &size) == 0
            }
        }
        guard bound else { throw Failed() }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread {
            var number = 0
            while true {
                let accepted = accept(descriptor, nil, nil)
                guard accepted >= 0 else { return }
                number += 1
                let (connection, own) = (Connection(accepted), number)
                Thread.detachNewThread {
                    handle(connection, own)
                    connection.close()
                }
            }
        }
    }

    /// A server that answers whole requests, each as told.
    convenience init(answering answer: @escaping @Sendable (Connection.Request) -> String) throws {
        try self.init { connection, _ in
            while let request = connection.request() { connection.write(answer(request)) }
        }
    }

    deinit {
        shutdown(listening, Int32(SHUT_RDWR))
        #if canImport(Darwin)
        Darwin.close(listening)
        #else
        Glibc.close(listening)
        #endif
    }

    struct Failed: Error {}

    static func connect(_ port: UInt16) throws -> Connection {
        let descriptor = try socket()
        var address = loopback(port)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                #if canImport(Darwin)
                Darwin.connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
                #else
                Glibc.connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
                #endif
            }
        }
        guard connected == 0 else { throw Failed() }
        return Connection(descriptor)
    }

    private static func socket() throws -> Int32 {
        #if canImport(Darwin)
        let descriptor = Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #else
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        guard descriptor >= 0 else { throw Failed() }
        return descriptor
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}

/// One end of a connection.
final class Connection: @unchecked Sendable {
    struct Request: Sendable {
        /// `POST /path HTTP/1.1`
        let line: String
        /// Names in lower case.
        let headers: [String: String]
        let body: Data
        /// As it came.
        let bytes: Data
    }

    private let descriptor: Int32
    private let lock = NSLock()
    private var isClosed = false
    private var read = Data()

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        #if canImport(Darwin)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
    }

    /// What has come; nil at the end.
    func some() -> Data? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Data(buffer[..<count]) : nil
    }

    /// A whole request, or an answer read the same way; nil if it does not come whole.
    func request() -> Request? {
        let end = Data("\r\n\r\n".utf8)
        while true {
            if let head = read.range(of: end) {
                let lines = String(decoding: read[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    headers[line[..<colon].lowercased()] =
                        line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                }
                let length = Int(headers["content-length"] ?? "0") ?? 0
                let size = head.upperBound - read.startIndex + length
                if read.count >= size {
                    let bytes = Data(read.prefix(size))
                    let request = Request(line: lines[0], headers: headers, body: bytes.suffix(length), bytes: bytes)
                    read = Data(read.dropFirst(size))
                    return request
                }
            }
            guard let more = some() else { return nil }
            read.append(more)
        }
    }

    func write(_ text: String) { write(Data(text.utf8)) }

    func write(_ data: Data) {
        #if canImport(Darwin)
        let flags: Int32 = 0
        #else
        let flags = Int32(MSG_NOSIGNAL)
        #endif
        data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = UnsafeRawBufferPointer(rebasing: rest).withMemoryRebound(to: UInt8.self) {
                    send(descriptor, $0.baseAddress, $0.count, flags)
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    func close() {
        lock.lock()
        defer { lock.unlock() }
        guard !isClosed else { return }
        isClosed = true
        shutdown(descriptor, Int32(SHUT_RDWR))
        #if canImport(Darwin)
        Darwin.close(descriptor)
        #else
        Glibc.close(descriptor)
        #endif
    }
}

/// An answer of a gateway, as it goes over the wire.
func wire(_ status: Int, _ body: String = "", _ headers: [String: String] = [:]) -> String {
    let complete = ["x-amzn-RequestId": "r", "Content-Length": "\(body.utf8.count)"].merging(headers) { _, own in own }
    let lines = complete.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
    return "HTTP/1.1 \(status) As Told\r\n\(lines)\r\n\(body)"
}
