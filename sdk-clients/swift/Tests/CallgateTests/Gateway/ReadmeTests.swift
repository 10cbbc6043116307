import Callgate
import Foundation
import XCTest

/// The README's first lines are lines that run.
final class ReadmeTests: XCTestCase {
    func testTheTenLines() async throws {
        let gateway = try RealGateway()
        let (endpoint, pool) = (gateway.endpoint, gateway.pool)
        let print: (String) -> Void = { XCTAssertEqual($0, "Hello, Ada!") }
        // README
        struct Name: Codable, Sendable { let name: String }
        struct Greeting: Codable, Sendable { let text: String, signedIn: Bool }
        let greeting = CallgateFunction<Name, Greeting>("greeting")

        let callgate = try CallgateClient(endpoint: endpoint, identityPoolID: pool)
        let answer = try await callgate.call(greeting, Name(name: "Ada"))
        print(answer.text)
        // README
        XCTAssertFalse(answer.signedIn)
    }

    func testTheyAreTheReadmes() throws {
        func lines(_ file: String, between begin: String, and end: String) throws -> [String] {
            let text = try String(contentsOf: repository.appendingPathComponent("sdk-clients/swift/\(file)"), encoding: .utf8)
            let after = try XCTUnwrap(text.range(of: begin)).upperBound
            let before = try XCTUnwrap(text.range(of: end, range: after..<text.endIndex)).lowerBound
            return text[after..<before].split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let promised = try lines("README.md", between: "```swift\nimport Callgate\n", and: "```")
        let run = try lines("Tests/CallgateTests/Gateway/ReadmeTests.swift", between: "// README\n", and: "// README\n")
        XCTAssertEqual(promised, run.filter { !$0.isEmpty })
        XCTAssertLessThanOrEqual(promised.count + 1, 10)
    }

    /// The small app of examples/swift, built by scripts/sdk-swift.sh.
    func testTheExample() throws {
        let gateway = try RealGateway()
        let program = try XCTUnwrap(ProcessInfo.processInfo.environment["CALLGATE_TEST_EXAMPLE"], "scripts/sdk-swift.sh sets it")
        func run(_ arguments: String...) throws -> String {
            let (process, out) = (Process(), Pipe())
            process.executableURL = URL(fileURLWithPath: program, relativeTo: repository)
            process.arguments = arguments
            process.environment = [
                "CALLGATE_ENDPOINT": gateway.endpoint.absoluteString, "CALLGATE_POOL": gateway.pool,
                "HOME": try temporaryFolder().path, "LANG": "en_GB.UTF-8",
            ]
            process.standardOutput = out
            try process.run()
            let printed = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            XCTAssertEqual(process.terminationStatus, arguments.count == 2 ? 0 : 2, printed)
            return printed
        }
        XCTAssertEqual(
            try run("Ada", "4200"), "Hello, Ada! (You are a guest.)\nA new high score!\n1. Ada 4200\n"
        )
        XCTAssertEqual(
            try run("Bob", "3000"), "Hello, Bob! (You are a guest.)\nThe best is 4200.\n1. Ada 4200\n2. Bob 3000\n"
        )
        XCTAssertEqual(try run("Bob"), "usage: CallgateExample PLAYER POINTS\n")
    }
}
