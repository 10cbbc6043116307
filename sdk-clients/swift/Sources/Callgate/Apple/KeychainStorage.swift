#if canImport(Security)
import Foundation
import Security

/// The keychain: encrypted by the system, for this app on this device alone, readable from the device's first unlock on. What
/// is in it outlasts the app's removal; `signOut()` forgets it.
public struct KeychainStorage: IdentityStorage {
    public let service: String
    public var keepsSecrets: Bool { true }

    /// `service` tells apps of one keychain group apart.
    public init(service: String = Bundle.main.bundleIdentifier ?? "callgate") {
        self.service = service
    }

    public func read(_ name: String) throws -> Data? {
        var query = item(name)
        query[kSecReturnData] = true
        query[kSecMatchLimit] = kSecMatchLimitOne
        var found: CFTypeRef?
        switch SecItemCopyMatching(query as CFDictionary, &found) {
        case errSecSuccess: return found as? Data
        case errSecItemNotFound: return nil
        case let status: throw Self.failure("read", status)
        }
    }

    public func write(_ data: Data?, _ name: String) throws {
        guard let data else {
            let status = SecItemDelete(item(name) as CFDictionary)
            guard status == errSecSuccess || status == errSecItemNotFound else { throw Self.failure("erased", status) }
            return
        }
        let values: [CFString: Any] = [
            kSecValueData: data, kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
        var status = SecItemUpdate(item(name) as CFDictionary, values as CFDictionary)
        if status == errSecItemNotFound {
            status = SecItemAdd(item(name).merging(values) { _, new in new } as CFDictionary, nil)
        }
        guard status == errSecSuccess else { throw Self.failure("written", status) }
    }

    private func item(_ name: String) -> [CFString: Any] {
        [kSecClass: kSecClassGenericPassword, kSecAttrService: service, kSecAttrAccount: name]
    }

    private static func failure(_ what: String, _ status: OSStatus) -> CallgateError {
        .storage("the keychain cannot be \(what): status \(status)")
    }
}
#endif
