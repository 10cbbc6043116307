import Foundation

/// Kept calls as files, one a call, in the order of their names.
struct OutboxFolder {
    static let recordsMax = 1_000
    static let bytesMax = 16 * 1024 * 1024
    static let brokenMax = 16
    private static let ending = "call"
    private static let brokenEnding = "broken"
    private static let digits = 12

    struct Entry: Sendable {
        let number: Int
        var record: OutboxRecord
    }

    private let folder: URL
    private let lock: FolderLock
    private(set) var entries: [Entry] = []
    private var next = 1

    /// Reads what is there; what is no whole record is put aside.
    init(_ folder: URL, log: Logger) throws {
        self.folder = folder
        try DurableFile.makeFolder(folder)
        lock = try FolderLock(folder)
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() } catch {
            throw CallgateError.storage("\(folder.path) cannot be read")
        }
        var broken = names.filter { $0.hasSuffix(".\(Self.brokenEnding)") }.count
        for name in names {
            let file = folder.appendingPathComponent(name)
            switch file.pathExtension {
            case DurableFile.unfinishedExtension:
                try DurableFile.remove(file)
            case Self.ending:
                let number = Int(file.deletingPathExtension().lastPathComponent)
                let data = try DurableFile.read(file)
                if let number, let data, let record = try? JSONDecoder().decode(OutboxRecord.self, from: data) {
                    entries.append(Entry(number: number, record: record))
                } else {
                    log(.outbox, "put a broken file aside", ["file": name])
                    broken += 1
                    if broken > Self.brokenMax { try DurableFile.remove(file) } else {
                        try? FileManager.default.moveItem(at: file, to: file.appendingPathExtension(Self.brokenEnding))
                    }
                }
                // A number is never used twice, not even a broken file's.
                if let number { next = max(next, number + 1) }
            default:
                break
            }
        }
        entries.sort { $0.number < $1.number }
    }

    mutating func add(_ record: OutboxRecord, after step: (DurableFile.Step) -> Void) throws {
        let bytes = entries.reduce(record.payload.count) { $0 + $1.record.payload.count }
        guard entries.count < Self.recordsMax, bytes <= Self.bytesMax else {
            throw CallgateError.outboxFull("it holds \(entries.count) calls of at most \(Self.recordsMax), and this one would make it \(bytes) bytes of at most \(Self.bytesMax)")
        }
        let entry = Entry(number: next, record: record)
        try write(entry, after: step)
        next += 1
        entries.append(entry)
    }

    /// Keeps a record as it is now.
    mutating func update(_ entry: Entry, after step: (DurableFile.Step) -> Void = { _ in }) throws {
        guard let index = entries.firstIndex(where: { $0.number == entry.number }) else { return }
        try write(entry, after: step)
        entries[index] = entry
    }

    mutating func erase(_ entry: Entry) throws {
        try DurableFile.remove(file(entry))
        entries.removeAll { $0.number == entry.number }
    }

    private func write(_ entry: Entry, after step: (DurableFile.Step) -> Void) throws {
        let data: Data
        do { data = try JSONEncoder().encode(entry.record) } catch {
            throw CallgateError.invalidArgument("the call is no JSON: \(type(of: error))")
        }
        try DurableFile.write(data, to: file(entry), after: step)
    }

    private func file(_ entry: Entry) -> URL {
        let number = String(entry.number)
        let name = String(repeating: "0", count: max(0, Self.digits - number.count)) + number
        return folder.appendingPathComponent("\(name).\(Self.ending)")
    }
}
