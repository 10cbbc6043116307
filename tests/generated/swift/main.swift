// What is done with the code that `callgate generate swift` wrote for Backend.
//
//   Generated there-and-back     reads JSON into its types and writes it again, with the SDK's own mapping. Lines of standard
//                                input: function, tab, "input" or "output", tab, JSON. A line of standard output for each: "="
//                                and the JSON that the value is written as, or "!" and what was wrong with it.
//   Generated calls              calls the functions of examples/functions by the struct

import Callgate
import Foundation

@main
struct Generated {
    static func main() async throws {
        switch CommandLine.arguments.dropFirst().first {
        case "there-and-back": thereAndBack()
        case "calls": try await calls()
        default: fatalError("usage: Generated there-and-back|calls")
        }
    }

    // MARK: There and back

    typealias Again = (Data) throws -> String

    static func thereAndBack() {
        var again: [String: Again] = [:]
        func add<Input: Codable & Hashable, Output: Codable & Hashable>(_ function: CallgateFunction<Input, Output>) {
            again["\(function.name)\tinput"] = { try written(Input.self, $0) }
            again["\(function.name)\toutput"] = { try written(Output.self, $0) }
        }
        add(Backend.Function.absence)
        add(Backend.Function.bare)
        add(Backend.Function.`class`)
        add(Backend.Function.greeting)
        add(Backend.Function.names)
        add(Backend.Function.orders)
        add(Backend.Function.scores)
        add(Backend.Function.shapes)
        add(Backend.Function.tiers)
        add(Backend.Function.trees)
        while let line = readLine() {
            guard let tab = line.utf8.lastIndex(of: 9), let again = again[String(line[..<tab])] else {
                fatalError("Backend has no \(line.prefix(40))")
            }
            do { print("=" + (try again(Data(line.utf8[line.utf8.index(after: tab)...])))) } catch {
                print("!" + "\(error)".replacingOccurrences(of: "\n", with: " "))
            }
        }
    }

    /// What an answer of that type is when it is sent again.
    static func written<Value: Codable & Hashable & Sendable>(_ type: Value.Type, _ json: Data) throws -> String {
        let value = try Payload.decode(type, from: json)
        let equal = try Payload.decode(type, from: json)
        guard value == equal, value.hashValue == equal.hashValue else { fatalError("equal JSON is no equal value: \(value)") }
        return String(decoding: try Payload.encode(value), as: UTF8.self)
    }

    // MARK: Calls

    static func calls() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let endpoint = environment["CALLGATE_ENDPOINT"].flatMap(URL.init), let pool = environment["CALLGATE_POOL"] else {
            fatalError("CALLGATE_ENDPOINT and CALLGATE_POOL are not set")
        }
        let backend = Backend(try CallgateClient(endpoint: endpoint, identityPoolID: pool))
        let greeting = try await backend.greeting(Backend.GreetingInput(name: "Ada"))
        guard greeting.text.hasSuffix(", Ada!"), !greeting.signedIn else { fatalError("\(greeting)") }
        let before = try await backend.scores()
        guard before == [] else { fatalError("\(before)") }
        let score = Backend.Score(player: "Ada", points: 4200)
        let after = try await backend.scores(score)
        guard after == [score] else { fatalError("\(after)") }
        print("called")
    }
}
