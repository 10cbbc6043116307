import Foundation

/// Calls that must be made although the device is offline. `add` keeps one in a file before it returns; from then on it runs at
/// most once, and its result is heard at least once, whenever the app dies.
///
/// Calls go out in the order in which they were added, one at a time, as the identity that added them; while another is signed
/// in they wait. Sending begins with `start`.
public actor Outbox {
    /// Hears how a kept call ended. The call is erased when this returns.
    public typealias Listener = @Sendable (OutboxResult) async -> Void

    /// One try, with all its attempts, has so long.
    private static let trySeconds: TimeInterval = 60
    private static let pauseBase: TimeInterval = 1
    private static let pauseMax: TimeInterval = 300
    /// Ages are looked at so often where nothing else happens.
    private static let ageCheckSeconds: TimeInterval = 3_600

    private let ageLimit: TimeInterval
    private let context: ContextKeeper
    private let keeper: IdentityKeeper
    private let invoker: Invoker
    private let clock: ServerClock
    private let surroundings: Surroundings
    private let log: Logger
    private let steps: @Sendable (OutboxStep) -> Void

    private var folder: OutboxFolder
    private var listener: Listener?
    private var sending: Task<Void, Never>?
    private var watching: Task<Void, Never>?
    /// Failed attempts at the first of the queue, one after the other.
    private var failures = 0
    private var isPausing = false
    private let sleeper = Sleeper()

    init(
        folder: URL, ageLimit: TimeInterval, context: ContextKeeper, keeper: IdentityKeeper, invoker: Invoker,
        clock: ServerClock, surroundings: Surroundings, log: Logger, steps: @escaping @Sendable (OutboxStep) -> Void
    ) throws {
        self.folder = try OutboxFolder(folder, log: log)
        (self.ageLimit, self.context, self.keeper, self.invoker) = (ageLimit, context, keeper, invoker)
        (self.clock, self.surroundings, self.log, self.steps) = (clock, surroundings, log, steps)
    }

    deinit {
        sending?.cancel()
        watching?.cancel()
    }

    /// How many calls wait.
    public var count: Int { folder.entries.count }

    /// Keeps a call, and gives back its id. `label` is the app's own word for it. Throws `.outboxFull` or `.storage`: then it
    /// is not kept.
    @discardableResult
    public func add<Input, Output>(
        _ function: CallgateFunction<Input, Output>, _ input: Input, label: String? = nil,
        custom: [String: JSONValue] = [:]
    ) async throws -> String {
        let payload = try Payload.encode(input)
        let key = surroundings.uuid()
        // Refused now rather than when it is sent.
        _ = try Invocation(function: function.name, qualifier: function.qualifier, payload: payload, invocationID: key)
        _ = try await context.header(adding: custom)
        let own = try await keeper.ownIDs()
        let record = OutboxRecord(
            id: surroundings.uuid(), function: function.name, qualifier: function.qualifier, payload: payload,
            custom: custom, label: label, identityID: own?.current, idempotencyKey: key, made: now
        )
        try folder.add(record) { steps(.adding($0)) }
        steps(.added)
        log(.outbox, "kept", ["record": record.id, "function": record.function])
        if !isPausing { sleeper.wake() }
        return record.id
    }

    /// Begins to send, and to tell how calls ended. Called again, it replaces the listener.
    public func start(_ listener: @escaping Listener) {
        self.listener = listener
        guard sending == nil else { return }
        sending = Task { [weak self, sleeper, surroundings] in
            // Between two rounds nothing holds the outbox but its owner.
            while !Task.isCancelled, let pause = await self?.round() {
                await sleeper.sleep(pause, surroundings)
            }
        }
        let changes = keeper.stream()
        watching = Task { [weak self] in
            for await _ in changes { await self?.flush() }
        }
    }

    /// Stops sending. What is on its way is broken off and goes out again after the next `start`, under its key.
    public func stop() async {
        watching?.cancel()
        sending?.cancel()
        await sending?.value
        (sending, watching) = (nil, nil)
    }

    /// Tries at once, as when the network is back.
    public func flush() {
        failures = 0
        sleeper.wake()
    }

    // MARK: Sending

    /// Does what can be done now; returns how long to wait then.
    private func round() async -> TimeInterval {
        isPausing = false
        do {
            try await endOld()
            guard !folder.entries.isEmpty else { return Self.ageCheckSeconds }
            try await adopt()
            guard let own = try await keeper.ownIDs(), let entry = first(of: own) else { return Self.ageCheckSeconds }
            return try await send(entry)
        } catch {
            log(.outbox, "waits", ["why": (error as? CallgateError)?.kind ?? "\(type(of: error))"])
            return pause(after: error as? CallgateError)
        }
    }

    /// What has become too old, whoever's it is.
    private func endOld() async throws {
        for entry in folder.entries {
            if Task.isCancelled { return }
            let fate = OutboxFate(
                age: now - entry.record.made, firstSentAge: entry.record.firstSent.map { now - $0 },
                ageLimit: Int64(ageLimit * 1000)
            )
            if case .done(let outcome) = fate { try await end(entry, outcome) }
        }
    }

    /// Calls from before there was an identity belong to the first that comes; without one, that is a guest.
    private func adopt() async throws {
        if try await keeper.ownIDs() == nil { _ = try await keeper.credentials(within: Self.trySeconds) }
        guard let own = try await keeper.ownIDs() else { return }
        for var entry in folder.entries where entry.record.identityID == nil {
            entry.record.identityID = own.current
            try folder.update(entry)
        }
    }

    private func first(of own: (current: String, former: [String])) -> OutboxFolder.Entry? {
        folder.entries.first { entry in
            entry.record.identityID.map { $0 == own.current || own.former.contains($0) } ?? false
        }
    }

    private func send(_ found: OutboxFolder.Entry) async throws -> TimeInterval {
        var entry = found
        // The clock is right once there are credentials.
        _ = try await keeper.credentials(within: Self.trySeconds)
        if entry.record.firstSent == nil {
            entry.record.firstSent = now
            try folder.update(entry) { steps(.marking($0)) }
            steps(.marked)
        }
        let result: Result<Data, CallgateError>
        do {
            let record = entry.record
            let invocation = try Invocation(
                function: record.function, qualifier: record.qualifier, payload: record.payload,
                invocationID: surroundings.uuid(), idempotencyKey: record.idempotencyKey,
                clientContext: try await context.header(adding: record.custom)
            )
            result = .success(try await invoker.invoke(invocation, within: Self.trySeconds, keptFor: record.identityID))
        } catch let error as CallgateError { result = .failure(error) }
        steps(.answered)
        switch OutboxFate(after: result) {
        case .done(let outcome):
            try await end(entry, outcome)
            return 0
        case .keep, .send:
            guard case .failure(let error) = result else { return 0 }
            log(.outbox, "is tried again", ["record": entry.record.id, "why": error.kind])
            return pause(after: error)
        }
    }

    private func end(_ entry: OutboxFolder.Entry, _ outcome: OutboxOutcome) async throws {
        let record = entry.record
        await listener?(OutboxResult(id: record.id, function: record.function, label: record.label, outcome: outcome))
        steps(.delivered)
        try folder.erase(entry)
        steps(.erased)
        failures = 0
        log(.outbox, "ended", ["record": record.id, "how": outcome.word])
    }

    // MARK: Waiting

    private var now: Int64 { Int64((clock.now.timeIntervalSince1970 * 1000).rounded()) }

    private func pause(after error: CallgateError?) -> TimeInterval {
        let jitter = surroundings.random() * min(Self.pauseMax, Self.pauseBase * pow(2, Double(min(failures, 20))))
        failures += 1
        isPausing = true
        return max(jitter, error?.refusal?.retryAfter ?? 0)
    }
}

extension OutboxOutcome {
    fileprivate var word: String {
        switch self {
        case .answer: return "success"
        case .failure(let error): return error.kind
        case .expired: return "expired"
        }
    }
}
