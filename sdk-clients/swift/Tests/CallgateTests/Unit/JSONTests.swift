import Callgate
import Foundation
import XCTest

/// The contract's `json.json`, and what is Swift's own.
final class JSONTests: XCTestCase {
    private struct Person: Codable, Sendable {
        enum Level: String, Codable, Sendable {
            case low = "LOW"
            case high = "HIGH"
        }
        var name: String?
        var age: Int32?
        var born: Int64?
        var weight: Double?
        var active: Bool?
        var tags: [String]?
        var address: Address?
        var attributes: [String: String]?
        var level: Level?
    }
    private struct Address: Codable, Sendable {
        var street: String?
        var zip: String?
    }
    private struct Score: Codable, Sendable {
        var player: String?
        var points: Int64?
    }

    /// What an answer of that type is when it is sent again.
    private func again<T: Codable & Sendable>(_ type: T.Type, _ text: String) throws -> JSONValue {
        let value = try Payload.decode(T?.self, from: Data(text.utf8))
        return try JSONDecoder().decode(JSONValue.self, from: try Payload.encode(value))
    }

    private func again(_ type: String, _ text: String) throws -> JSONValue {
        switch type {
        case "Person": return try again(Person.self, text)
        case "Address": return try again(Address.self, text)
        case "list<Score>": return try again([Score].self, text)
        case "map<string,Score>": return try again([String: Score].self, text)
        case "map<string,list<int64>>": return try again([String: [Int64]].self, text)
        case "string": return try again(String.self, text)
        case "int64": return try again(Int64.self, text)
        case "int32": return try again(Int32.self, text)
        case "double": return try again(Double.self, text)
        case "boolean": return try again(Bool.self, text)
        case "any": return try again(JSONValue.self, text)
        default: throw CallgateError.invalidArgument("a type that no test knows: \(type)")
        }
    }

    /// 1 and 1.0 are the same.
    private func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.integer, .number), (.number, .integer): return left.fraction == right.fraction
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { isSame($0, $1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count && left.allSatisfy { name, value in right[name].map { isSame(value, $0) } ?? false }
        default: return left == right
        }
    }

    func testTheContractsTypes() throws {
        try Vectors.each("json") { id, vector in
            let (type, text) = (vector["type"].text ?? "", vector["json"].text ?? "")
            guard let encoded = vector["encoded"].text else {
                XCTAssertThrowsError(try self.again(type, text), id) { error in
                    XCTAssertEqual((error as? CallgateError)?.kind, "answer", id)
                }
                return
            }
            let expected = try JSONDecoder().decode(JSONValue.self, from: Data(encoded.utf8))
            let found = try self.again(type, text)
            XCTAssertTrue(self.isSame(found, expected), "\(id): \(found) is not \(expected)")
        }
    }

    func testDatesAreAsJavaScriptWritesThem() throws {
        let moment = Date(timeIntervalSince1970: 1_773_500_966.123)
        XCTAssertEqual(String(decoding: try Payload.encode(moment), as: UTF8.self), #""2026-03-14T15:09:26.123Z""#)
        let read = try Payload.decode(Date.self, from: Data(#""2026-03-14T15:09:26.123Z""#.utf8))
        XCTAssertEqual(read.timeIntervalSince1970, moment.timeIntervalSince1970, accuracy: 0.0005)
        let whole = try Payload.decode(Date.self, from: Data(#""2026-03-14T15:09:26Z""#.utf8))
        XCTAssertEqual(whole.timeIntervalSince1970, 1_773_500_966)
        XCTAssertThrowsError(try Payload.decode(Date.self, from: Data(#""yesterday""#.utf8)))
    }

    /// A key of the app's own stands for one payload, byte for byte, in whatever process it is encoded.
    func testEqualValuesAreEqualBytes() throws {
        func encoded() throws -> Data {
            try Payload.encode(Dictionary(uniqueKeysWithValues: (0..<20).shuffled().map { ("name\($0)", $0) }))
        }
        let first = try encoded()
        for _ in 0..<50 { XCTAssertEqual(try encoded(), first) }
    }

    func testNothingIsNoBodyAndAnyAnswer() throws {
        XCTAssertEqual(try Payload.encode(Nothing()), Data())
        for answer in ["", "null", "{}", "[1]", "\"x\""] {
            XCTAssertEqual(try Payload.decode(Nothing.self, from: Data(answer.utf8)), Nothing(), answer)
        }
    }

    func testWhatDoesNotFitIsNamedByItsPlaceAndNotByItsValue() {
        XCTAssertThrowsError(
            try Payload.decode(Person.self, from: Data(#"{"address":{"zip":"secret-value"},"tags":["a",{"secret":1}]}"#.utf8))
        ) { error in
            let text = "\(error)"
            XCTAssertTrue(text.contains(".tags[1]"), text)
            XCTAssertFalse(text.contains("secret-value"), text)
        }
    }

    func testValuesThatAreNoJSONAreRefusedBeforeTheyAreSent() {
        XCTAssertThrowsError(try Payload.encode(Double.nan)) { error in
            XCTAssertEqual((error as? CallgateError)?.kind, "invalid-argument")
        }
    }
}
