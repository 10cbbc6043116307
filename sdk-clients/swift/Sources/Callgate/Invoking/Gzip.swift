import CallgateZlib
import Foundation

/// Bodies compressed as RFC 1952 has it.
package enum Gzip {
    /// The gateway takes at most 100:1; what compresses that well is sent as it is.
    package static let ratioMax = 90

    /// The compressed body where it has at least `bytesMin` bytes and is worth it; nil otherwise. 0 switches it off.
    package static func compressed(_ body: Data, from bytesMin: Int) -> Data? {
        guard bytesMin > 0, body.count >= bytesMin, let smaller = compress(body), smaller.count < body.count,
            smaller.count * ratioMax >= body.count
        else { return nil }
        return smaller
    }

    static func compress(_ body: Data) -> Data? {
        guard body.count <= Int(UInt32.max) else { return nil }
        var stream = z_stream()
        // 15 is the largest window; 16 more asks for gzip's header and check.
        let began = deflateInit2_(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard began == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        var out = Data(count: Int(deflateBound(&stream, uLong(body.count))))
        var input = body
        let status = input.withUnsafeMutableBytes { bytes in
            out.withUnsafeMutableBytes { room in
                stream.next_in = bytes.bindMemory(to: Bytef.self).baseAddress
                stream.avail_in = uInt(bytes.count)
                stream.next_out = room.bindMemory(to: Bytef.self).baseAddress
                stream.avail_out = uInt(room.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { return nil }
        return out.prefix(Int(stream.total_out))
    }
}
