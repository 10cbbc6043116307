import Foundation

/// What a device says of itself and of the app, sent with each call; the function finds it as `context.clientContext`.
/// Nobody has verified it: it may decide how something is shown, never who may see it.
public struct ClientContext: Sendable, Equatable, Codable {
    public struct Client: Sendable, Equatable, Codable {
        public var installationID: String?
        public var appTitle: String?
        public var appVersionName: String?
        public var appVersionCode: String?
        public var appPackageName: String?

        public init(
            installationID: String? = nil, appTitle: String? = nil, appVersionName: String? = nil,
            appVersionCode: String? = nil, appPackageName: String? = nil
        ) {
            (self.installationID, self.appTitle, self.appVersionName) = (installationID, appTitle, appVersionName)
            (self.appVersionCode, self.appPackageName) = (appVersionCode, appPackageName)
        }

        enum CodingKeys: String, CodingKey {
            case installationID = "installation_id"
            case appTitle = "app_title"
            case appVersionName = "app_version_name"
            case appVersionCode = "app_version_code"
            case appPackageName = "app_package_name"
        }
    }

    public struct Environment: Sendable, Equatable, Codable {
        public var platform: String?
        public var platformVersion: String?
        public var make: String?
        public var model: String?
        public var locale: String?

        public init(
            platform: String? = nil, platformVersion: String? = nil, make: String? = nil, model: String? = nil,
            locale: String? = nil
        ) {
            (self.platform, self.platformVersion, self.make) = (platform, platformVersion, make)
            (self.model, self.locale) = (model, locale)
        }

        enum CodingKeys: String, CodingKey {
            case platform, make, model, locale
            case platformVersion = "platform_version"
        }
    }

    public var client: Client
    public var env: Environment
    /// What the app adds.
    public var custom: [String: JSONValue]
    /// For functions that used services of the AWS Mobile SDK by it.
    public var services: [String: JSONValue]?

    public init(
        client: Client = Client(), env: Environment = Environment(), custom: [String: JSONValue] = [:],
        services: [String: JSONValue]? = nil
    ) {
        (self.client, self.env, self.custom, self.services) = (client, env, custom, services)
    }

    /// The encoded header may have so many bytes.
    public static let headerBytesMax = 3_583

    /// The header's value: base64 of the JSON. What does not fit is refused here, before anything is sent.
    package func header() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let header: String
        do { header = try encoder.encode(self).base64EncodedString() } catch {
            throw CallgateError.invalidArgument("the client context is no JSON: \(error)")
        }
        guard header.utf8.count <= Self.headerBytesMax else {
            throw CallgateError.invalidArgument(
                "the client context has \(header.utf8.count) bytes encoded, and at most \(Self.headerBytesMax) are sent: shorten `custom`"
            )
        }
        return header
    }
}

extension ClientContext {
    /// The header for a call that adds to `custom`; nil where there is nothing to say.
    func header(adding added: [String: JSONValue]) throws -> String? {
        var complete = self
        complete.custom.merge(added) { _, added in added }
        return complete == ClientContext() ? nil : try complete.header()
    }

    /// This, and what it leaves out from another.
    func completed(by other: ClientContext) -> ClientContext {
        var complete = self
        complete.client.installationID = client.installationID ?? other.client.installationID
        complete.client.appTitle = client.appTitle ?? other.client.appTitle
        complete.client.appVersionName = client.appVersionName ?? other.client.appVersionName
        complete.client.appVersionCode = client.appVersionCode ?? other.client.appVersionCode
        complete.client.appPackageName = client.appPackageName ?? other.client.appPackageName
        complete.env.platform = env.platform ?? other.env.platform
        complete.env.platformVersion = env.platformVersion ?? other.env.platformVersion
        complete.env.make = env.make ?? other.env.make
        complete.env.model = env.model ?? other.env.model
        complete.env.locale = env.locale ?? other.env.locale
        return complete
    }
}

/// The context of every call: what the app gave, completed once by what the system knows.
actor ContextKeeper {
    private static let installationName = "callgate.installation"

    private let given: ClientContext
    private let describesDevice: Bool
    private let storage: any IdentityStorage
    private let surroundings: Surroundings
    private let log: Logger
    private var complete: ClientContext?

    init(_ configuration: Configuration, storage: any IdentityStorage, surroundings: Surroundings, log: Logger) {
        (given, describesDevice) = (configuration.clientContext, configuration.describesDevice)
        (self.storage, self.surroundings, self.log) = (storage, surroundings, log)
    }

    /// The header for a call.
    func header(adding custom: [String: JSONValue]) async throws -> String? {
        if let complete { return try complete.header(adding: custom) }
        guard describesDevice else { return try given.header(adding: custom) }
        var device = await Device.describe()
        device.client.installationID = installationID()
        let context = given.completed(by: device)
        complete = context
        return try context.header(adding: custom)
    }

    /// An id of this installation of the app, and of nothing else: drawn at first use, and kept.
    private func installationID() -> String? {
        do {
            if let data = try storage.read(Self.installationName), let id = String(data: data, encoding: .utf8) { return id }
            let id = surroundings.uuid()
            try storage.write(Data(id.utf8), Self.installationName)
            return id
        } catch {
            log(.storage, "the installation's id could not be kept, and is not sent")
            return nil
        }
    }
}
