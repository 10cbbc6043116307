import Foundation

/// Who the app's user is: identity, logins, and the credentials of the moment, fetched once however many calls wait for them.
actor IdentityKeeper {
    static let loginsMax = 10
    /// A fetch ahead that failed is not tried again for so long.
    static let aheadPauseSeconds: TimeInterval = 10

    private static let signedOut = CallgateError.authentication(Refusal(message: "signed out meanwhile"))

    private let service: IdentityService
    private let storage: any IdentityStorage
    private let clock: ServerClock
    private let log: Logger
    private let changes = Broadcast<IdentityChange>()

    /// nil until it has been read from the storage.
    private var loaded: KeptIdentity?
    private var credentials: Credentials?
    private var logins: [String: LoginToken] = [:]
    private var fetching: Flight<Credentials>?
    /// A sign-in on its way: calls wait for it, and go out as who it makes of them.
    private var signingIn: Flight<String>?
    /// Counts sign-outs: what began before one changes nothing after it.
    private var generation = 0
    private var aheadNotBefore = Date.distantPast

    init(service: IdentityService, storage: any IdentityStorage, clock: ServerClock, log: Logger) {
        (self.service, self.storage, self.clock, self.log) = (service, storage, clock, log)
    }

    /// Hears of changes from now on.
    nonisolated func stream() -> AsyncStream<IdentityChange> { changes.stream() }

    /// The id, if there is one yet.
    var currentID: String? {
        get throws { try kept().id }
    }

    /// The id that kept calls go out as, and those that became it.
    func ownIDs() throws -> (current: String, former: [String])? {
        let kept = try kept()
        return kept.id.map { ($0, kept.formerIDs) }
    }

    func identityID(within seconds: TimeInterval) async throws -> String {
        if signingIn == nil, let id = try kept().id { return id }
        _ = try await credentials(within: seconds)
        guard let id = try kept().id else { throw Self.signedOut }
        return id
    }

    /// Credentials that are good now. Waits at most so long for them. With an owner, they are its own or of the identity that
    /// it became, and otherwise `.authentication`.
    func credentials(within seconds: TimeInterval, for owner: String? = nil) async throws -> Credentials {
        while true {
            if let signingIn {
                try await signingIn.settled(within: seconds)
                continue
            }
            _ = try kept()
            switch credentials?.use(at: clock.now) {
            case .use: break
            case .fetchAhead: fetchAhead()
            case .wait, nil: credentials = nil
            }
            if let credentials { return try owned(credentials, by: owner) }
            let began = generation
            do {
                let fetched = try await (fetching ?? fetch()).value(within: seconds)
                if began == generation, signingIn == nil { return try owned(fetched, by: owner) }
            } catch let error where began == generation || Task.isCancelled {
                throw error
            } catch {
                // What was signed out meanwhile is nobody's error: the next round is a new guest's.
            }
        }
    }

    private func owned(_ credentials: Credentials, by owner: String?) throws -> Credentials {
        guard let owner, let loaded, loaded.id != owner, !loaded.formerIDs.contains(owner) else { return credentials }
        throw CallgateError.authentication(Refusal(message: "another identity is signed in"))
    }

    /// Forgets credentials that were refused, unless there are newer ones by now.
    func refused(_ refused: Credentials) {
        guard credentials == refused else { return }
        credentials = nil
        loaded?.credentials = nil
        keep()
    }

    func signIn(_ provider: String, _ token: @escaping LoginToken) async throws -> String {
        while let running = signingIn { try await running.settled(within: IdentityService.secondsMax) }
        guard logins[provider] != nil || logins.count < Self.loginsMax else {
            throw CallgateError.invalidArgument("at most \(Self.loginsMax) providers may be signed in at a time")
        }
        let began = generation
        let flight = Flight { try await self.takeLogin(provider, token, began) }
        signingIn = flight
        return try await flight.value(within: IdentityService.secondsMax)
    }

    func signOut() throws {
        generation += 1
        let before = try kept().id
        (credentials, fetching, signingIn, logins) = (nil, nil, nil, [:])
        aheadNotBefore = .distantPast
        loaded = KeptIdentity()
        keep()
        if before != nil { tell(IdentityChange(from: before, to: nil)) }
    }

    // MARK: Fetching

    private func fetch() -> Flight<Credentials> {
        let began = generation
        let flight = Flight { try await self.fetched(began) }
        fetching = flight
        return flight
    }

    private func fetched(_ began: Int) async throws -> Credentials {
        defer { if began == generation { fetching = nil } }
        return try await obtain(began)
    }

    private func fetchAhead() {
        guard fetching == nil, clock.now >= aheadNotBefore else { return }
        aheadNotBefore = clock.now.addingTimeInterval(Self.aheadPauseSeconds)
        _ = fetch()
    }

    /// Fetches a guest that is on its way first, so that it becomes who signs in.
    private func takeLogin(_ provider: String, _ token: @escaping LoginToken, _ began: Int) async throws -> String {
        if let fetching { try? await fetching.settled(within: IdentityService.secondsMax) }
        let (former, formerCredentials) = (logins[provider], credentials)
        defer { if began == generation { signingIn = nil } }
        if began == generation { (logins[provider], credentials) = (token, nil) }
        do {
            _ = try await obtain(began)
        } catch {
            if began == generation { (logins[provider], credentials) = (former, formerCredentials) }
            throw error
        }
        guard began == generation, let id = loaded?.id else { throw Self.signedOut }
        loaded?.hasSignedIn = true
        keep()
        return id
    }

    /// The enhanced flow, and what to do where a kept id opens nothing.
    private func obtain(_ began: Int) async throws -> Credentials {
        let deadline = service.deadline
        let tokens = try await presented()
        let keptID = try kept().id
        var id = keptID ?? ""
        if keptID == nil { id = try await newID(tokens, began, deadline) }
        let got: (id: String, credentials: Credentials)
        do {
            got = try await service.credentials(of: id, logins: tokens, until: deadline)
        } catch let error as CallgateError where keptID != nil && Self.isLost(error, hasLogins: !tokens.isEmpty) {
            id = try await newID(tokens, began, deadline)
            got = try await service.credentials(of: id, logins: tokens, until: deadline)
        }
        guard began == generation else { throw Self.signedOut }
        if got.id != id { become(got.id, from: id) }
        credentials = got.credentials
        loaded?.credentials = storage.keepsSecrets ? got.credentials : nil
        keep()
        let left = Int(got.credentials.expiration.timeIntervalSince(clock.now))
        log(.credentials, "fetched", ["lasts_s": "\(left)"])
        return got.credentials
    }

    /// The login tokens of the moment, asked for one by one.
    private func presented() async throws -> [String: String] {
        var tokens: [String: String] = [:]
        for (provider, token) in logins {
            do { tokens[provider] = try await token() } catch let error as CallgateError { throw error } catch {
                let reason = "there is no token of \(provider): \(type(of: error))"
                throw CallgateError.authentication(Refusal(message: reason))
            }
        }
        return tokens
    }

    /// Asks for an id and keeps it at once, so that a failure after it does not leave one guest behind for each attempt.
    private func newID(_ tokens: [String: String], _ began: Int, _ deadline: Date) async throws -> String {
        let id = try await service.identityID(logins: tokens, until: deadline)
        guard began == generation else { throw Self.signedOut }
        if loaded?.id != id { become(id, from: nil) }
        return id
    }

    private static func isLost(_ error: CallgateError, hasLogins: Bool) -> Bool {
        switch error.refusal?.code {
        case "ResourceNotFoundException": return true
        case "NotAuthorizedException": return hasLogins
        default: return false
        }
    }

    // MARK: Keeping

    private func kept() throws -> KeptIdentity {
        if let loaded { return loaded }
        var read = KeptIdentity()
        if let data = try storage.read(name) {
            if let decoded = try? JSONDecoder().decode(KeptIdentity.self, from: data) {
                read = decoded
            } else {
                log(.storage, "what is kept of the identity is unreadable, and is given up")
            }
        }
        loaded = read
        credentials = read.credentials
        return read
    }

    /// Another id: `from` was merged into it, or is nothing to it.
    private func become(_ id: String, from merged: String?) {
        let before = loaded?.id
        let former = merged.map { (loaded?.formerIDs ?? []) + [$0] } ?? []
        loaded = KeptIdentity(
            id: id, hasSignedIn: loaded?.hasSignedIn ?? false, formerIDs: Array(former.suffix(KeptIdentity.formerIDsMax))
        )
        keep()
        tell(IdentityChange(from: before, to: id))
    }

    private func keep() {
        guard let loaded else { return }
        do {
            try storage.write(loaded == KeptIdentity() ? nil : try JSONEncoder().encode(loaded), name)
        } catch { log(.storage, "the identity could not be kept", ["why": "\(type(of: error))"]) }
    }

    private var name: String { "callgate.identity.\(service.poolID)" }

    private func tell(_ change: IdentityChange) {
        log(.identity, change.to == nil ? "signed out" : "changed")
        changes.tell(change)
    }
}
