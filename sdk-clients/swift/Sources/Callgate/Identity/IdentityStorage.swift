import Foundation

/// Where an identity is kept between an app's starts. `KeychainStorage` on Apple's systems, `FileStorage` elsewhere.
public protocol IdentityStorage: Sendable {
    /// Whether it keeps what it holds encrypted, for this app alone. Only then are a session's credentials kept too.
    var keepsSecrets: Bool { get }

    /// nil if there is nothing under the name. Throws where it cannot be known, as in a locked keychain: then nothing goes
    /// on, rather than beginning with a new identity.
    func read(_ name: String) throws -> Data?

    /// Keeps the data under the name, or forgets what is there.
    func write(_ data: Data?, _ name: String) throws
}

/// Files in a folder, readable by their owner alone. An identity's id is as good as a password for a guest: choose a folder
/// that no other app and no backup reads.
public struct FileStorage: IdentityStorage {
    public let folder: URL
    public var keepsSecrets: Bool { false }

    public init(folder: URL) {
        self.folder = folder
    }

    public func read(_ name: String) throws -> Data? {
        try DurableFile.read(file(name))
    }

    public func write(_ data: Data?, _ name: String) throws {
        try DurableFile.makeFolder(folder)
        if let data { try DurableFile.write(data, to: file(name)) } else { try DurableFile.remove(file(name)) }
    }

    private func file(_ name: String) -> URL {
        folder.appendingPathComponent(PercentEncoding.encode(name))
    }
}

/// Nothing outlasts the process.
public final class MemoryStorage: IdentityStorage, @unchecked Sendable {
    private let lock = NSLock()
    private var kept: [String: Data] = [:]

    public init() {}

    public var keepsSecrets: Bool { false }

    public func read(_ name: String) -> Data? {
        lock.withLock { kept[name] }
    }

    public func write(_ data: Data?, _ name: String) {
        lock.withLock { kept[name] = data }
    }
}
