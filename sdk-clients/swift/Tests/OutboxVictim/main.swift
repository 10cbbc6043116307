// An app with an outbox that dies where it is told to, as a phone's apps do: by SIGKILL, without a word.
//
//   OutboxVictim add       keeps a call and prints its id
//   OutboxVictim send      sends what is kept, writes a line for each result, and ends when nothing is left
//
// DIE_AT names the step after which it dies. ENDPOINT, POOL, FOLDER and FUNCTION say where and what.

import Callgate
import Foundation

func setting(_ name: String) -> String {
    guard let value = ProcessInfo.processInfo.environment[name] else { fatalError("\(name) is not set") }
    return value
}

let folder = URL(fileURLWithPath: setting("FOLDER"))
let deadly = ProcessInfo.processInfo.environment["DIE_AT"]
var configuration = Configuration(endpoint: URL(string: setting("ENDPOINT"))!, identityPoolID: setting("POOL"))
configuration.storage = FileStorage(folder: folder)
configuration.outboxFolder = folder.appendingPathComponent("outbox")

let client = try CallgateClient(configuration, transport: URLSessionTransport(), surroundings: .real) { step in
    if "\(step)" == deadly { kill(getpid(), SIGKILL) }
}
let outbox = client.outbox!

switch CommandLine.arguments.dropFirst().first {
case "add":
    let function = CallgateFunction<[String: Int], JSONValue>(setting("FUNCTION"))
    print(try await outbox.add(function, ["n": 1]))
case "send":
    let results = folder.appendingPathComponent("results")
    await outbox.start { result in
        var lines = (try? Data(contentsOf: results)) ?? Data()
        if case .answer(let payload) = result.outcome {
            lines.append(Data("\(result.id) \(String(decoding: payload, as: UTF8.self))\n".utf8))
        } else {
            lines.append(Data("\(result.id) \(result.outcome)\n".utf8))
        }
        do { try DurableFile.write(lines, to: results) } catch { fatalError("\(error)") }
    }
    while await outbox.count > 0 { try await Task.sleep(nanoseconds: 5_000_000) }
default:
    fatalError("usage: OutboxVictim add|send")
}
