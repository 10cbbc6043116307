import Foundation

/// Sends calls: signs each attempt, reads its answer, tries again where that helps, and tells the gateway when a call's task is
/// cancelled.
final class Invoker: Sendable {
    private static let cancelSeconds: TimeInterval = 5

    private let endpoint: Endpoint
    private let signer: Signer
    private let transport: any Transport
    private let keeper: IdentityKeeper
    private let clock: ServerClock
    private let retrier: Retrier
    private let attemptTimeout: TimeInterval
    private let gzipFromBytes: Int
    private let userAgent: String
    private let log: Logger
    /// Whether the gateway refused compressed bodies once.
    private let sendsPlain = Flag()

    init(
        endpoint: Endpoint, region: String, transport: any Transport, keeper: IdentityKeeper, clock: ServerClock,
        retrier: Retrier, attemptTimeout: TimeInterval, gzipFromBytes: Int, userAgent: String, log: Logger
    ) {
        self.endpoint = endpoint
        self.signer = Signer(region: region, service: "lambda")
        self.transport = transport
        self.keeper = keeper
        self.clock = clock
        self.retrier = retrier
        self.attemptTimeout = attemptTimeout
        self.gzipFromBytes = gzipFromBytes
        self.userAgent = userAgent
        self.log = log
    }

    /// The function's payload. All attempts together have so many seconds. A kept call goes out as its owner
    /// alone, and is not cancelled with the task that sends it.
    func invoke(
        _ invocation: Invocation, within seconds: TimeInterval, keptFor owner: String? = nil
    ) async throws -> Data {
        let deadline = retrier.surroundings.now().addingTimeInterval(seconds)
        let compressed = sendsPlain.isSet ? nil : Gzip.compressed(invocation.payload, from: gzipFromBytes)
        let course = Course(invocation, compressed: compressed)
        do {
            return try await retrier.run(until: deadline) { number in
                try await self.attempt(number, of: course, for: owner, until: deadline)
            }
        } catch let error as CallgateError {
            throw error.traced(course.trace)
        } catch is CancellationError {
            if course.trace.mayHaveRun, owner == nil { cancel(course.invocation) }
            throw CancellationError()
        }
    }

    /// What changes from attempt to attempt. One task has it at a time.
    private final class Course: @unchecked Sendable {
        var invocation: Invocation
        var trace = CallTrace()
        /// What was put right already: each once a call.
        var hadNewCredentials = false
        var hadClock = false

        init(_ invocation: Invocation, compressed: Data?) {
            self.invocation = invocation
            self.invocation.compressed = compressed
            trace.invocationID = invocation.invocationID
        }
    }

    private func attempt(
        _ number: Int, of course: Course, for owner: String?, until deadline: Date
    ) async throws -> Attempt<Data> {
        func remaining() -> TimeInterval { deadline.timeIntervalSince(retrier.surroundings.now()) }
        guard remaining() > 0 else { return .failure(Self.late, .never) }
        let credentials: Credentials
        do {
            credentials = try await keeper.credentials(within: remaining(), for: owner)
        } catch let error as CallgateError {
            // The fetch had its own attempts.
            return .failure(error, .never)
        }
        let left = remaining()
        guard left > 0 else { return .failure(Self.late, .never) }
        let isLast = number >= retrier.policy.attemptsMax
        var bare = course.invocation.request(
            to: endpoint, attempt: number, attemptsMax: retrier.policy.attemptsMax,
            remaining: course.invocation.timeout == nil ? nil : left, within: left, userAgent: userAgent
        )
        if !isLast { bare.silence = attemptTimeout }
        let offset = clock.offsetSeconds
        let request = signer.sign(bare, with: credentials, at: clock.now)
        let began = retrier.surroundings.now()
        course.trace.attempts = number
        let ranBefore = course.trace.mayHaveRun
        course.trace.mayHaveRun = true
        let response: HTTPResponse
        do { response = try await transport.send(request) } catch let fault as TransportFault {
            if fault.isBeforeSending { course.trace.mayHaveRun = ranBefore }
            note(course, number, began, sent: request, fault: fault)
            return remaining() <= 0 && fault != .cancelled ? .failure(Self.late, .never) : try fault.asAttempt()
        }
        clock.learn(from: response)
        note(course, number, began, sent: request, response: response)
        switch Verdict(response, isCompressed: course.invocation.compressed != nil) {
        case .payload(let payload):
            return .success(payload)
        case .failure(let error, let remedy):
            return .failure(error, await advice(remedy, course, credentials, signedWith: offset))
        }
    }

    private static let late = CallgateError.timedOut(Refusal(message: "no answer within the call's timeout"))

    private func advice(
        _ remedy: Verdict.Remedy, _ course: Course, _ credentials: Credentials, signedWith offset: TimeInterval
    ) async -> Advice {
        switch remedy {
        case .none: return .never
        case .retry(let after): return .later(after: after)
        case .newCredentials:
            await keeper.refused(credentials)
            defer { course.hadNewCredentials = true }
            return course.hadNewCredentials ? .never : .atOnce
        case .clock:
            defer { course.hadClock = true }
            return course.hadClock || clock.offsetSeconds == offset ? .never : .atOnce
        case .plainBody:
            sendsPlain.set()
            course.invocation.compressed = nil
            return .atOnce
        }
    }

    /// Asks for the call's end, beside: whoever cancelled does not wait for it.
    private func cancel(_ invocation: Invocation) {
        Task.detached { [self] in
            do {
                let credentials = try await keeper.credentials(within: Self.cancelSeconds)
                let bare = invocation.cancellation(at: endpoint, within: Self.cancelSeconds, userAgent: userAgent)
                let response = try await transport.send(signer.sign(bare, with: credentials, at: clock.now))
                log(.cancel, "asked for the call's end", [
                    "function": invocation.function, "invocation": invocation.invocationID, "status": "\(response.status)",
                ])
            } catch {
                log(.cancel, "could not ask for the call's end", [
                    "function": invocation.function, "invocation": invocation.invocationID,
                    "why": (error as? CallgateError)?.kind ?? "\(type(of: error))",
                ])
            }
        }
    }

    private func note(
        _ course: Course, _ number: Int, _ began: Date, sent: HTTPRequest, response: HTTPResponse? = nil,
        fault: TransportFault? = nil
    ) {
        let milliseconds = Int(retrier.surroundings.now().timeIntervalSince(began) * 1000)
        log(.attempt, response == nil ? "no answer" : "answered", {
            var fields = [
                "function": course.invocation.function, "invocation": course.invocation.invocationID,
                "attempt": "\(number)", "ms": "\(milliseconds)", "bytes_sent": "\(sent.body.count)",
            ]
            if let response {
                fields["status"] = "\(response.status)"
                fields["bytes_received"] = "\(response.body.count)"
                fields["request"] = response.requestID
                fields["code"] = response.headers["x-amzn-errortype"] ?? response.headers["x-amz-function-error"]
            }
            if let fault { fields["why"] = "\(fault)" }
            return fields
        }())
    }
}

/// Set once, from anywhere.
private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    var isSet: Bool { lock.withLock { value } }

    func set() { lock.withLock { value = true } }
}
