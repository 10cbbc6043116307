import Foundation
import XCTest

@testable import Callgate

final class IdentityTests: XCTestCase {
    private let provider = "accounts.example.com"

    func testManyFirstCallsFetchOnce() async throws {
        let stage = Stage()
        let transport = stage.transport { _ in .gateway(200, "1") }
        let client = try stage.client(transport)
        try await withThrowingTaskGroup(of: JSONValue.self) { group in
            for _ in 0..<50 { group.addTask { try await client.call(echo, 1) } }
            for try await answer in group { XCTAssertEqual(answer, 1) }
        }
        XCTAssertEqual(transport.requests("GetId").count, 1)
        XCTAssertEqual(transport.requests("GetCredentialsForIdentity").count, 1)
        XCTAssertEqual(transport.calls.count, 50)
        let id = try await client.identityID()
        XCTAssertEqual(id, "us-east-1:G")
    }

    func testNothingIsSentBeforeTheFirstCall() async throws {
        let stage = Stage()
        let transport = stage.transport { _ in .gateway(200, "1") }
        let client = try stage.client(transport)
        let id = try await client.currentIdentityID()
        XCTAssertNil(id)
        XCTAssertTrue(transport.requests.isEmpty)
    }

    func testWhoStopsWaitingDoesNotStopTheFetch() async throws {
        let stage = Stage()
        let (reached, go) = (Gate(), Gate())
        let transport = StagedTransport { request in
            guard request.operation == nil else {
                await reached.open()
                await go.wait()
                return request.operation == "GetId"
                    ? .identity("us-east-1:G") : .credentials("us-east-1:G", until: stage.now + 3_600)
            }
            return .gateway(200, "1")
        }
        let client = try stage.client(transport)
        let leaver = Task { try await client.call(echo, 1) }
        let stayer = Task { try await client.call(echo, 2) }
        await reached.wait()
        leaver.cancel()
        do {
            _ = try await leaver.value
            XCTFail("it was cancelled")
        } catch { XCTAssertTrue(error is CancellationError, "\(error)") }
        await go.open()
        let answer = try await stayer.value
        XCTAssertEqual(answer, 1)
        XCTAssertEqual(transport.requests("GetId").count, 1)
        XCTAssertEqual(transport.calls.count, 1, "who left before anything was sent sends nothing")
    }

    func testAFailedFetchIsTheErrorOfAllThatWaitedAndTheNextCallFetchesAnew() async throws {
        let stage = Stage()
        let transport = StagedTransport { _ in .refused(400, "InvalidParameterException") }
        let client = try stage.client(transport)
        for _ in 0..<2 { _ = await assertThrows("invalid-request") { try await client.call(echo, 1) } }
        XCTAssertEqual(transport.requests.count, 2)
    }

    func testCredentialsAreFetchedAheadAndUsedMeanwhile() async throws {
        let stage = Stage()
        let fetches = Counter()
        let go = Gate()
        let transport = StagedTransport { request in
            switch request.operation {
            case "GetId": return .identity("us-east-1:G")
            case "GetCredentialsForIdentity":
                if fetches.up() == 2 { await go.wait() }
                return .credentials("us-east-1:G", until: stage.now + 3_600, key: "ASIA\(fetches.value)")
            default: return .gateway(200, "1")
            }
        }
        let client = try stage.client(transport)
        func key() async throws -> String {
            _ = try await client.call(echo, 1)
            return transport.calls.last?.headers["authorization"]?.contains("ASIA1/") == true ? "first" : "second"
        }
        let first = try await key()
        stage.pass(3_600 - 299)
        let ahead = try await key()
        let again = try await key()
        XCTAssertEqual([first, ahead, again], ["first", "first", "first"], "nobody waits for the new ones")
        try await eventually("the fetch ahead began") { fetches.value == 2 }
        await go.open()
        try await eventually("the new ones are used") { try await key() == "second" }
        XCTAssertEqual(fetches.value, 2)
    }

    func testAFetchAheadThatFailsIsNobodysErrorAndWaitsTenSeconds() async throws {
        let stage = Stage()
        let fetches = Counter()
        let transport = StagedTransport { request in
            switch request.operation {
            case "GetId": return .identity("us-east-1:G")
            case "GetCredentialsForIdentity":
                return fetches.up() == 1
                    ? .credentials("us-east-1:G", until: stage.now + 3_600) : .refused(400, "InternalErrorException")
            default: return .gateway(200, "1")
            }
        }
        let client = try stage.client(transport)
        _ = try await client.call(echo, 1)
        stage.pass(3_600 - 200)
        _ = try await client.call(echo, 1)
        try await eventually("one fetch ahead") { fetches.value == 2 }
        for _ in 0..<5 { _ = try await client.call(echo, 1) }
        XCTAssertEqual(fetches.value, 2)
        stage.pass(11)
        _ = try await client.call(echo, 1)
        try await eventually("another fetch ahead") { fetches.value == 3 }
        stage.pass(170)
        _ = await assertThrows("invalid-request") { try await client.call(echo, 1) }
    }

    func testRefusedCredentialsAreFetchedAnewOnceACall() async throws {
        for code in ["ExpiredTokenException", "UnrecognizedClientException"] {
            let stage = Stage()
            let refusals = Counter()
            let transport = stage.transport { _ in refusals.up() == 1 ? .refused(403, code) : .gateway(200, "1") }
            let client = try stage.client(transport)
            _ = try await client.call(echo, 1)
            XCTAssertEqual(transport.requests("GetCredentialsForIdentity").count, 2, code)
            XCTAssertEqual(transport.requests("GetId").count, 1, code)
            XCTAssertTrue(stage.waits.isEmpty, "at once")

            transport.becomes { request in
                request.operation == nil
                    ? .refused(403, code) : .credentials("us-east-1:G", until: stage.now + 3_600, key: "ASIA2")
            }
            _ = await assertThrows("authentication") { try await client.call(echo, 1) }
            XCTAssertEqual(transport.calls.count, 4, "two attempts and no more")
        }
    }

    func testAWrongClockIsPutRightByTheFirstAnswer() async throws {
        let stage = Stage()
        let right = stage.now
        stage.now = right - 7_200
        let transport = StagedTransport { request in
            let date = ["date": Self.http(right)]
            switch request.operation {
            case "GetId": return .gateway(200, #"{"IdentityId":"us-east-1:G"}"#, date)
            case "GetCredentialsForIdentity":
                var response = HTTPResponse.credentials("us-east-1:G", until: right + 3_600)
                response.headers["date"] = Self.http(right)
                return response
            default: return .gateway(200, "1", date)
            }
        }
        let client = try stage.client(transport)
        _ = try await client.call(echo, 1)
        XCTAssertEqual(transport.calls.first?.headers["x-amz-date"], Signer.timestamp(right))
        XCTAssertEqual(transport.calls.count, 1)
    }

    func testACallThatIsRefusedForItsClockIsSentAgainAtOnceWithTheServersTime() async throws {
        let stage = Stage()
        let transport = stage.transport { _ in .gateway(200, "1") }
        let client = try stage.client(transport)
        _ = try await client.call(echo, 1)
        let right = stage.now + 86_400
        transport.becomes { request in
            let date = ["date": Self.http(right)]
            guard request.operation == nil else { return .credentials("us-east-1:G", until: right + 3_600) }
            return request.headers["x-amz-date"] == Signer.timestamp(right)
                ? .gateway(200, "2", date) : .refused(403, "InvalidSignatureException", date)
        }
        let answer = try await client.call(echo, 1)
        XCTAssertEqual(answer, 2)
        XCTAssertTrue(stage.waits.isEmpty)
        transport.becomes { _ in .refused(403, "InvalidSignatureException", ["date": Self.http(right)]) }
        let before = transport.calls.count
        _ = await assertThrows("authentication") { try await client.call(echo, 1) }
        XCTAssertEqual(transport.calls.count, before + 1, "a key that is wrong stays wrong")
    }

    func testSignInKeepsTheGuestsIdOrTakesTheLoginsOwn() async throws {
        for (answered, former) in [("us-east-1:G", [String]()), ("us-east-1:U", ["us-east-1:G"])] {
            let stage = Stage()
            let storage = MemoryStorage()
            let transport = StagedTransport { request in
                switch request.operation {
                case "GetId": return .identity("us-east-1:G")
                case "GetCredentialsForIdentity":
                    let id = request.member("Logins") == nil ? "us-east-1:G" : answered
                    return .credentials(id, until: stage.now + 3_600)
                default: return .gateway(200, "1")
                }
            }
            let client = try stage.client(transport) { $0.storage = storage }
            let heard = Task { [changes = client.identityChanges()] in
                var heard: [IdentityChange] = []
                for await change in changes {
                    heard.append(change)
                    if change.to == nil { break }
                }
                return heard
            }
            _ = try await client.call(echo, 1)
            let id = try await client.signIn(provider: provider, token: "id-token")
            XCTAssertEqual(id, answered)
            XCTAssertEqual(
                transport.requests("GetCredentialsForIdentity").last?.member("Logins"), .object([provider: "id-token"])
            )
            XCTAssertEqual(
                transport.requests("GetCredentialsForIdentity").last?.member("IdentityId"), "us-east-1:G",
                "the guest's id goes along, so that it becomes who signs in"
            )
            _ = try await client.call(echo, 1)
            XCTAssertEqual(transport.calls.last?.headers["x-amz-security-token"], "token-of-\(answered)")
            let kept = try JSONDecoder().decode(
                KeptIdentity.self, from: XCTUnwrap(storage.read("callgate.identity.us-east-1:pool"))
            )
            XCTAssertEqual(kept, KeptIdentity(id: answered, hasSignedIn: true, formerIDs: former))
            try await client.signOut()
            let changes = await heard.value
            XCTAssertEqual(changes.first, IdentityChange(from: nil, to: "us-east-1:G"))
            XCTAssertEqual(changes.last, IdentityChange(from: answered, to: nil))
            XCTAssertEqual(changes.count, former.isEmpty ? 2 : 3)
            XCTAssertNil(storage.read("callgate.identity.us-east-1:pool"))
        }
    }

    func testASignInThatFailsChangesNothing() async throws {
        let stage = Stage()
        let transport = StagedTransport { request in
            switch request.operation {
            case "GetId": return .identity("us-east-1:G")
            case "GetCredentialsForIdentity":
                return request.member("Logins") == nil
                    ? .credentials("us-east-1:G", until: stage.now + 3_600)
                    : .gateway(400, #"{"__type":"NotAuthorizedException","message":"Invalid login token."}"#)
            default: return .gateway(200, "1")
            }
        }
        let client = try stage.client(transport)
        _ = try await client.call(echo, 1)
        let fetched = transport.requests("GetCredentialsForIdentity").count
        let error = await assertThrows("authentication") {
            try await client.signIn(provider: self.provider, token: "bad")
        }
        XCTAssertEqual(error?.refusal?.message, "Invalid login token.")
        _ = try await client.call(echo, 1)
        XCTAssertEqual(transport.calls.last?.headers["x-amz-security-token"], "token-of-us-east-1:G")
        XCTAssertLessThanOrEqual(transport.requests("GetCredentialsForIdentity").count, fetched + 2)
    }

    func testATokenIsAskedForAtEachFetch() async throws {
        let stage = Stage()
        let transport = stage.transport { _ in .gateway(200, "1") }
        let client = try stage.client(transport)
        let asked = Counter()
        _ = try await client.signIn(provider: provider) { "token-\(asked.up())" }
        stage.pass(3_600)
        _ = try await client.call(echo, 1)
        XCTAssertEqual(
            transport.requests("GetCredentialsForIdentity").map { $0.member("Logins") },
            [.object([provider: "token-1"]), .object([provider: "token-2"])]
        )
    }

    func testAtMostTenProviders() async throws {
        let stage = Stage()
        let client = try stage.client(stage.transport { _ in .gateway(200, "1") })
        for number in 1...10 { _ = try await client.signIn(provider: "issuer-\(number)", token: "t") }
        _ = await assertThrows("invalid-argument") { try await client.signIn(provider: "one-more", token: "t") }
        _ = try await client.signIn(provider: "issuer-10", token: "another")
    }

    func testAnIdThatIsGoneIsAskedForAnewOnce() async throws {
        let stage = Stage()
        let storage = MemoryStorage()
        storage.write(Data(#"{"id":"us-east-1:gone","hasSignedIn":false,"formerIDs":[]}"#.utf8), "callgate.identity.us-east-1:pool")
        let transport = StagedTransport { request in
            switch request.operation {
            case "GetId": return .identity("us-east-1:new")
            case "GetCredentialsForIdentity":
                return request.member("IdentityId") == "us-east-1:gone"
                    ? .gateway(400, #"{"__type":"ResourceNotFoundException","message":"Identity not found"}"#)
                    : .credentials("us-east-1:new", until: stage.now + 3_600)
            default: return .gateway(200, "1")
            }
        }
        let client = try stage.client(transport) { $0.storage = storage }
        _ = try await client.call(echo, 1)
        let id = try await client.identityID()
        XCTAssertEqual(id, "us-east-1:new")
    }

    func testAGuestThatIsRefusedIsNeverReplacedBehindTheAppsBack() async throws {
        let stage = Stage()
        let transport = StagedTransport { request in
            request.operation == "GetId"
                ? .identity("us-east-1:G")
                : .gateway(400, #"{"__type":"NotAuthorizedException","message":"Access to Identity is forbidden."}"#)
        }
        let client = try stage.client(transport)
        for _ in 0..<2 { _ = await assertThrows("authentication") { try await client.call(echo, 1) } }
        XCTAssertEqual(transport.requests("GetId").count, 1)
        try await client.signOut()
        _ = await assertThrows("authentication") { try await client.call(echo, 1) }
        XCTAssertEqual(transport.requests("GetId").count, 2)
    }

    func testWithLoginsTheLoginDecides() async throws {
        let stage = Stage()
        let storage = MemoryStorage()
        storage.write(Data(#"{"id":"us-east-1:V","hasSignedIn":true,"formerIDs":["us-east-1:G"]}"#.utf8), "callgate.identity.us-east-1:pool")
        let transport = StagedTransport { request in
            switch request.operation {
            case "GetId": return .identity("us-east-1:U")
            case "GetCredentialsForIdentity":
                return request.member("IdentityId") == "us-east-1:V"
                    ? .gateway(400, #"{"__type":"NotAuthorizedException","message":"no"}"#)
                    : .credentials("us-east-1:U", until: stage.now + 3_600)
            default: return .gateway(200, "1")
            }
        }
        let client = try stage.client(transport) { $0.storage = storage }
        let id = try await client.signIn(provider: provider, token: "of U")
        XCTAssertEqual(id, "us-east-1:U")
        XCTAssertEqual(transport.requests("GetId").first?.member("Logins"), .object([provider: "of U"]))
        let kept = try JSONDecoder().decode(
            KeptIdentity.self, from: XCTUnwrap(storage.read("callgate.identity.us-east-1:pool"))
        )
        XCTAssertEqual(kept.formerIDs, [], "V was not merged into U")
    }

    func testWhatIsKeptOutlastsTheClientAndCredentialsOnlyWhereSecretsAreKept() async throws {
        for keepsSecrets in [true, false] {
            let stage = Stage()
            let storage = Vault(keepsSecrets: keepsSecrets)
            let transport = stage.transport { _ in .gateway(200, "1") }
            _ = try await stage.client(transport) { $0.storage = storage }.call(echo, 1)
            _ = try await stage.client(transport) { $0.storage = storage }.call(echo, 1)
            XCTAssertEqual(transport.requests("GetId").count, 1)
            XCTAssertEqual(transport.requests("GetCredentialsForIdentity").count, keepsSecrets ? 1 : 2)
            let kept = String(decoding: try XCTUnwrap(storage.read("callgate.identity.us-east-1:pool")), as: UTF8.self)
            XCTAssertEqual(kept.contains("very-secret-key"), keepsSecrets)
        }
    }

    func testAStorageThatCannotBeReadStopsTheCallInsteadOfMakingANewGuest() async throws {
        let stage = Stage()
        let storage = Vault(keepsSecrets: true)
        storage.isLocked = true
        let transport = stage.transport { _ in .gateway(200, "1") }
        let client = try stage.client(transport) { $0.storage = storage }
        _ = await assertThrows("storage") { try await client.call(echo, 1) }
        XCTAssertTrue(transport.requests.isEmpty)
        storage.isLocked = false
        _ = try await client.call(echo, 1)
    }

    func testFilesAreTheOwnersAloneAndWhole() throws {
        let folder = try temporaryFolder().appendingPathComponent("made/by it")
        let storage = FileStorage(folder: folder)
        XCTAssertNil(try storage.read("callgate.identity.us-east-1:a/../b"))
        try storage.write(Data("one".utf8), "callgate.identity.us-east-1:a/../b")
        try storage.write(Data("two".utf8), "callgate.identity.us-east-1:a/../b")
        XCTAssertEqual(try storage.read("callgate.identity.us-east-1:a/../b"), Data("two".utf8))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        XCTAssertEqual(names, ["callgate.identity.us-east-1%3Aa%2F..%2Fb"])
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.appendingPathComponent(names[0]).path)
        XCTAssertEqual((attributes[.posixPermissions] as? NSNumber)?.intValue, 0o600)
        try storage.write(nil, "callgate.identity.us-east-1:a/../b")
        XCTAssertNil(try storage.read("callgate.identity.us-east-1:a/../b"))
    }

    func testListenersAreBounded() async {
        let broadcast = Broadcast<Int>()
        let streams = (0..<33).map { _ in broadcast.stream() }
        broadcast.tell(1)
        var first = streams[0].makeAsyncIterator()
        var second = streams[1].makeAsyncIterator()
        let (ended, heard) = (await first.next(), await second.next())
        XCTAssertNil(ended, "the thirty-third takes the place of the first")
        XCTAssertEqual(heard, 1)
        for number in 0..<200 { broadcast.tell(number) }
        var last = streams[32].makeAsyncIterator()
        let oldest = await last.next()
        XCTAssertEqual(oldest, 200 - Broadcast<Int>.waitingMax, "a slow listener misses the oldest")
    }

    private static func http(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: date)
    }
}

/// A storage like a keychain, which can be locked.
private final class Vault: IdentityStorage, @unchecked Sendable {
    let keepsSecrets: Bool
    var isLocked = false
    private let memory = MemoryStorage()

    init(keepsSecrets: Bool) {
        self.keepsSecrets = keepsSecrets
    }

    func read(_ name: String) throws -> Data? {
        if isLocked { throw CallgateError.storage("locked") }
        return memory.read(name)
    }

    func write(_ data: Data?, _ name: String) throws {
        if isLocked { throw CallgateError.storage("locked") }
        memory.write(data, name)
    }
}
