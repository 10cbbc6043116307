import Callgate
import Foundation
import XCTest

/// The repository's root, wherever it is.
let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

/// The contract's cases, which the tests of all languages read.
enum Vectors {
    static func document(_ name: String) throws -> JSONValue {
        let file = repository.appendingPathComponent("sdk-clients/contract/vectors/\(name).json")
        return try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: file))
    }

    /// Every case under a name, told to the test in turn. A file that has none fails.
    static func each(_ name: String, _ list: String = "vectors", _ test: (_ id: String, JSONValue) throws -> Void) throws {
        let vectors = try document(name)[list].list
        XCTAssertFalse(vectors.isEmpty, "\(name) has \(list)")
        for (index, vector) in vectors.enumerated() {
            let id = vector["id"].text ?? vector["why"].text ?? "\(list) \(index)"
            do { try test("\(name): \(id)", vector) } catch { XCTFail("\(name): \(id): \(error)") }
        }
    }
}

extension JSONValue {
    subscript(_ name: String) -> JSONValue {
        if case .object(let members) = self { return members[name] ?? .null }
        return .null
    }

    var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    var flag: Bool {
        if case .boolean(let value) = self { return value }
        return false
    }

    var whole: Int64? {
        if case .integer(let number) = self { return number }
        return nil
    }

    var fraction: Double? {
        switch self {
        case .integer(let number): return Double(number)
        case .number(let number): return number
        default: return nil
        }
    }

    var list: [JSONValue] {
        if case .array(let list) = self { return list }
        return []
    }

    var members: [String: JSONValue] {
        if case .object(let members) = self { return members }
        return [:]
    }

    var texts: [String: String] { members.compactMapValues(\.text) }
}

/// Waits until something is so, and fails after half a minute.
func eventually(
    _ what: String, file: StaticString = #filePath, line: UInt = #line, _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<3_000 {
        if try await condition() { return }
        try await Task.sleep(nanoseconds: 10_000_000)
    }
    XCTFail("not within half a minute: \(what)", file: file, line: line)
}

/// A folder of a test's own.
func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("callgate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}

func assertThrows<T>(
    _ kind: String, file: StaticString = #filePath, line: UInt = #line, _ work: () async throws -> T
) async -> CallgateError? {
    do {
        _ = try await work()
        XCTFail("nothing was thrown", file: file, line: line)
    } catch let error as CallgateError {
        XCTAssertEqual(error.kind, kind, "\(error)", file: file, line: line)
        return error
    } catch {
        XCTFail("thrown was \(error)", file: file, line: line)
    }
    return nil
}
