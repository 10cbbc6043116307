import Foundation

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Files that are whole or not there, whenever the process or the device dies, and that only their owner can read.
package enum DurableFile {
    /// What a file is called while it is being written.
    package static let unfinishedExtension = "unfinished"

    /// Steps between which a process may die; tests do.
    package enum Step: String, Sendable, CaseIterable {
        case written, synced, renamed
    }

    package static func makeFolder(_ folder: URL) throws {
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700]
            )
        } catch { throw CallgateError.storage("\(folder.path) cannot be made: \(Self.reason(error))") }
    }

    /// Writes beside, syncs, and renames; after it the new content is there to stay.
    package static func write(_ data: Data, to file: URL, after step: (Step) -> Void = { _ in }) throws {
        let beside = file.appendingPathExtension(unfinishedExtension)
        let descriptor = open(beside.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot be made", beside) }
        do {
            defer { close(descriptor) }
            try data.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = UnsafeRawBufferPointer(rebasing: rest).withMemoryRebound(to: UInt8.self) {
                        #if canImport(Darwin)
                        Darwin.write(descriptor, $0.baseAddress, $0.count)
                        #elseif canImport(Musl)
                        Musl.write(descriptor, $0.baseAddress, $0.count)
                        #else
                        Glibc.write(descriptor, $0.baseAddress, $0.count)
                        #endif
                    }
                    if count < 0 && errno == EINTR { continue }
                    guard count > 0 else { throw failure("cannot be written", beside) }
                    rest = rest.dropFirst(count)
                }
            }
            step(.written)
            guard sync(descriptor) else { throw failure("cannot be synced", beside) }
            step(.synced)
        } catch {
            unlink(beside.path)
            throw error
        }
        guard rename(beside.path, file.path) == 0 else {
            let error = failure("cannot be renamed", beside)
            unlink(beside.path)
            throw error
        }
        step(.renamed)
        try syncFolder(of: file)
    }

    package static func remove(_ file: URL) throws {
        guard unlink(file.path) == 0 || errno == ENOENT else { throw failure("cannot be removed", file) }
        try syncFolder(of: file)
    }

    /// nil if there is none.
    package static func read(_ file: URL) throws -> Data? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        do { return try Data(contentsOf: file) } catch {
            throw CallgateError.storage("\(file.path) cannot be read: \(reason(error))")
        }
    }

    /// A name in a folder is durable when the folder is.
    private static func syncFolder(of file: URL) throws {
        let folder = file.deletingLastPathComponent()
        let descriptor = open(folder.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot be opened", folder) }
        defer { close(descriptor) }
        guard sync(descriptor) else { throw failure("cannot be synced", folder) }
    }

    private static func sync(_ descriptor: Int32) -> Bool {
        #if canImport(Darwin)
        // fsync alone leaves it in the drive's cache there.
        if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
        #endif
        return fsync(descriptor) == 0
    }

    private static func failure(_ what: String, _ file: URL) -> CallgateError {
        .storage("\(file.path) \(what): \(String(cString: strerror(errno)))")
    }

    private static func reason(_ error: Error) -> String {
        (error as NSError).localizedDescription
    }
}

/// One process at a time has a folder: a lock that the system takes back when the process ends, however it does.
package final class FolderLock: Sendable {
    private let descriptor: Int32

    package init(_ folder: URL) throws {
        let file = folder.appendingPathComponent("lock")
        descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CallgateError.storage("\(file.path) cannot be made: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw CallgateError.storage("\(folder.path) is in use by another client")
        }
    }

    deinit {
        close(descriptor)
    }
}
