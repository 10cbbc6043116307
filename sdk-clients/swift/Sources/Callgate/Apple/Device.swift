import Foundation

#if canImport(UIKit)
import UIKit
#endif

/// What the system knows of the app and of the device.
enum Device {
    static func describe() async -> ClientContext {
        let bundle = Bundle.main
        func text(_ key: String) -> String? { bundle.object(forInfoDictionaryKey: key) as? String }
        let client = ClientContext.Client(
            appTitle: text("CFBundleDisplayName") ?? text("CFBundleName") ?? ProcessInfo.processInfo.processName,
            appVersionName: text("CFBundleShortVersionString"), appVersionCode: text("CFBundleVersion"),
            appPackageName: bundle.bundleIdentifier
        )
        var env = await system()
        env.locale = Locale.current.identifier
        return ClientContext(client: client, env: env)
    }

    #if canImport(UIKit)
    /// UIDevice belongs to the main actor.
    @MainActor
    private static func system() -> ClientContext.Environment {
        let device = UIDevice.current
        return ClientContext.Environment(
            platform: device.systemName, platformVersion: device.systemVersion, make: "Apple", model: machine()
        )
    }
    #elseif os(macOS)
    private static func system() async -> ClientContext.Environment {
        ClientContext.Environment(platform: "macOS", platformVersion: version(), make: "Apple", model: machine())
    }
    #else
    private static func system() async -> ClientContext.Environment {
        ClientContext.Environment(platform: "Linux", platformVersion: version(), model: machine())
    }
    #endif

    private static func version() -> String {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        return "\(version.majorVersion).\(version.minorVersion).\(version.patchVersion)"
    }

    /// The hardware's name: `iPhone17,1` on a device, its simulated one in a simulator, `x86_64` on a server.
    private static func machine() -> String? {
        if let simulated = ProcessInfo.processInfo.environment["SIMULATOR_MODEL_IDENTIFIER"] { return simulated }
        var system = utsname()
        guard uname(&system) == 0 else { return nil }
        let name = withUnsafeBytes(of: &system.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return name.isEmpty ? nil : name
    }
}
