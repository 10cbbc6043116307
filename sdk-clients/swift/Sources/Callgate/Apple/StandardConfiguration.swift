import Foundation

extension Configuration {
    /// Everything as it comes: the identity is kept where this system keeps such things, the keychain on Apple's, elsewhere a
    /// folder in the user's home.
    public static func standard(endpoint: URL, identityPoolID: String) -> Configuration {
        var configuration = Configuration(endpoint: endpoint, identityPoolID: identityPoolID)
        #if canImport(Security)
        configuration.storage = KeychainStorage()
        #else
        let environment = ProcessInfo.processInfo.environment
        let data =
            environment["XDG_DATA_HOME"].map { URL(fileURLWithPath: $0) }
            ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".local/share")
        let app = "callgate/\(PercentEncoding.encode(ProcessInfo.processInfo.processName))"
        configuration.storage = FileStorage(folder: data.appendingPathComponent(app))
        #endif
        return configuration
    }
}
