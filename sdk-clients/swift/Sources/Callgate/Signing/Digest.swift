import Foundation

#if canImport(CryptoKit)
import CryptoKit
#endif

/// SHA-256 and its HMAC, by the system's CryptoKit where there is one.
package enum Digest {
    package static func sha256(_ message: Data) -> [UInt8] {
        #if canImport(CryptoKit)
        return Array(SHA256.hash(data: message))
        #else
        return SHA256Portable.hash(Array(message))
        #endif
    }

    package static func hmacSHA256(_ message: Data, key: [UInt8]) -> [UInt8] {
        #if canImport(CryptoKit)
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
        #else
        return SHA256Portable.authenticate(Array(message), key: key)
        #endif
    }

    /// Lower-case hexadecimal digits.
    package static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
