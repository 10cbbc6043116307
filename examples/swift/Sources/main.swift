// A personal greeting and a high-score list: the functions of examples/functions, called from Swift.
//
//   CALLGATE_ENDPOINT=http://127.0.0.1:7070 CALLGATE_POOL=us-east-1:… swift run CallgateExample Ada 4200

import Callgate
import Foundation

struct Name: Codable, Sendable { let name: String }
struct Greeting: Codable, Sendable { let text: String, signedIn: Bool }
struct Score: Codable, Sendable { let player: String, points: Int }

let greeting = CallgateFunction<Name, Greeting>("greeting")
let scores = CallgateFunction<Nothing, [Score]>("scores")
// A score counts once, whatever happens to the network, to the gateway, or to this program's retries.
let play = CallgateFunction<Score, [Score]>("scores", runsOnce: true)

func setting(_ name: String) -> String {
    guard let value = ProcessInfo.processInfo.environment[name] else {
        print("\(name) is not set")
        exit(2)
    }
    return value
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let points = Int(arguments[2]), let endpoint = URL(string: setting("CALLGATE_ENDPOINT")) else {
    print("usage: CallgateExample PLAYER POINTS")
    exit(2)
}
let player = arguments[1]

do {
    let callgate = try CallgateClient(endpoint: endpoint, identityPoolID: setting("CALLGATE_POOL"))

    let answer = try await callgate.call(greeting, Name(name: player))
    print(answer.text + (answer.signedIn ? "" : " (You are a guest.)"))

    let before = try await callgate.call(scores)
    let best = before.map(\.points).max() ?? 0
    let list = try await callgate.call(play, Score(player: player, points: points))
    print(points > best ? "A new high score!" : "The best is \(best).")
    for (place, score) in list.enumerated() { print("\(place + 1). \(score.player) \(score.points)") }
} catch CallgateError.offline {
    print("No network: try again later.")
    exit(1)
} catch CallgateError.throttled(let throttle) {
    print("Too many calls: try again in \(Int(throttle.retryAfter ?? 1)) s.")
    exit(1)
} catch CallgateError.function(let failure) {
    print("The function failed: \(failure.message ?? failure.type ?? "without a word")")
    exit(1)
}
