import Callgate
import Foundation
import XCTest

final class DigestTests: XCTestCase {
    private func hash(_ text: String) -> String { Digest.hex(SHA256Portable.hash(Array(text.utf8))) }

    /// FIPS 180-4's own examples.
    func testTheStandardsExamples() {
        XCTAssertEqual(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        XCTAssertEqual(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        XCTAssertEqual(
            hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        )
        XCTAssertEqual(
            hash(
                "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
            ),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        )
        XCTAssertEqual(
            hash(String(repeating: "a", count: 1_000_000)),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        )
    }

    /// All lengths around two blocks: the digest of the digests of 0, 1, … 256 bytes, as Python's hashlib has it.
    func testEveryLengthAroundABlock() {
        let digests = (0...256).flatMap { length in SHA256Portable.hash((0..<length).map { UInt8($0 & 0xff) }) }
        XCTAssertEqual(
            Digest.hex(SHA256Portable.hash(digests)), "35970715cb0d62a006d72921e886dd4ea67151affe64b55164397fe5bb5c1730"
        )
    }

    /// RFC 4231, cases 1, 2, 3, 6 and 7.
    func testTheHMACsExamples() {
        func code(_ key: [UInt8], _ message: [UInt8]) -> String {
            Digest.hex(SHA256Portable.authenticate(message, key: key))
        }
        XCTAssertEqual(
            code(Array(repeating: 0x0b, count: 20), Array("Hi There".utf8)),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        )
        XCTAssertEqual(
            code(Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        )
        XCTAssertEqual(
            code(Array(repeating: 0xaa, count: 20), Array(repeating: 0xdd, count: 50)),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        )
        XCTAssertEqual(
            code(Array(repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        )
        XCTAssertEqual(
            code(
                Array(repeating: 0xaa, count: 131),
                Array(
                    ("This is a test using a larger than block-size key and a larger than block-size data. "
                        + "The key needs to be hashed before being used by the HMAC algorithm.").utf8
                )
            ),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        )
    }

    /// What the SDK uses on this system is the same, whichever it is.
    func testTheSystemsIsTheSame() {
        for length in [0, 1, 55, 56, 63, 64, 65, 1_000] {
            let message = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            XCTAssertEqual(Digest.sha256(Data(message)), SHA256Portable.hash(message))
            XCTAssertEqual(
                Digest.hmacSHA256(Data(message), key: [1, 2, 3]), SHA256Portable.authenticate(message, key: [1, 2, 3])
            )
        }
    }
}
