import Foundation
import XCTest

@testable import Callgate

/// The app that dies: one folder, one process after the other.
final class Victim: @unchecked Sendable {
    /// Every step after which it may die, as it names them.
    static let addingSteps: [OutboxStep] = DurableFile.Step.allCases.map(OutboxStep.adding) + [.added]
    static let sendingSteps: [OutboxStep] =
        DurableFile.Step.allCases.map(OutboxStep.marking) + [.marked, .answered, .delivered, .erased]

    let folder: URL
    private let environment: [String: String]
    private let lock = NSLock()
    private var running: Process?

    init(endpoint: URL, pool: String, function: String) throws {
        folder = try temporaryFolder()
        environment = [
            "ENDPOINT": endpoint.absoluteString, "POOL": pool, "FOLDER": folder.path, "FUNCTION": function,
            "HOME": folder.path,
        ]
    }

    /// Runs it; returns what it printed, and whether it died.
    @discardableResult
    func run(_ command: String, dyingAt step: OutboxStep? = nil) throws -> (printed: String, died: Bool) {
        let (process, out) = (Process(), Pipe())
        process.executableURL = Self.program
        process.arguments = [command]
        process.environment = environment.merging(step.map { ["DIE_AT": "\($0)"] } ?? [:]) { $1 }
        process.standardOutput = out
        try process.run()
        lock.withLock { running = process }
        let printed = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        lock.withLock { running = nil }
        let died = process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL
        XCTAssertTrue(died || process.terminationStatus == 0, "it ended with \(process.terminationStatus)")
        return (printed.trimmingCharacters(in: .whitespacesAndNewlines), died)
    }

    /// Kills it from outside.
    func kill() {
        lock.withLock { running.map { _ = Foundation.kill($0.processIdentifier, SIGKILL) } }
    }

    /// What it heard: ids and answers.
    func results() throws -> [(id: String, answer: String)] {
        let data = try DurableFile.read(folder.appendingPathComponent("results")) ?? Data()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            return (String(parts[0]), String(parts[1]))
        }
    }

    /// It lies beside the tests' own program.
    private static var program: URL {
        #if canImport(Darwin)
        let tests = Bundle(for: Victim.self).bundleURL
        #else
        let tests = Bundle.main.executableURL!
        #endif
        return tests.deletingLastPathComponent().appendingPathComponent("OutboxVictim")
    }
}
