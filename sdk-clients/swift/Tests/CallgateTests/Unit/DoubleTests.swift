import Callgate
import CallgateTesting
import Foundation
import XCTest

/// The double as an app's own tests use it.
final class DoubleTests: XCTestCase {
    private struct Order: Codable, Sendable {
        var item: Int
    }
    private struct Receipt: Codable, Sendable, Equatable {
        var number: String
    }
    private let buy = CallgateFunction<Order, Receipt>("buy", runsOnce: true)

    /// An app's own code: it knows nothing of doubles.
    private func bought(_ item: Int, at callgate: some CallgateCalling) async -> String {
        do { return try await callgate.call(CallgateFunction<Order, Receipt>("buy", runsOnce: true), Order(item: item)).number } catch
            CallgateError.offline
        { return "offline" } catch CallgateError.throttled(let throttle) {
            return "later: \(throttle.retryAfter ?? 0)"
        } catch CallgateError.denied { return "denied" } catch CallgateError.function(let failure) {
            return "failed: \(failure.type ?? ""): \(failure.message ?? "")"
        } catch { return "\(error)" }
    }

    func testAnAppsCodeAgainstTheDouble() async throws {
        let gateway = try CallgateDouble()
        gateway.answer(buy) { order in Receipt(number: "R-\(order.item)") }
        let answered = await bought(7, at: gateway.client)
        XCTAssertEqual(answered, "R-7")
        let call = try XCTUnwrap(gateway.calls.first)
        XCTAssertEqual(call.function, "buy")
        XCTAssertEqual(call.payload, ["item": 7])
        XCTAssertEqual(call.identityID, "us-east-1:guest-1")
        XCTAssertNotNil(call.idempotencyKey)

        let troubles: [(CallgateDouble.Trouble, String)] = [
            (.offline, "offline"), (.denied, "denied"),
            (.throttled(reason: "CallerRateLimitExceeded", retryAfter: 2), "later: 2.0"),
            (.function(type: "SoldOut", message: "no item"), "failed: SoldOut: no item"),
        ]
        for (trouble, expected) in troubles {
            gateway.trouble(buy, trouble)
            let met = await bought(7, at: gateway.client)
            XCTAssertEqual(met, expected)
            gateway.recover()
        }
        gateway.trouble(buy, .serviceFailure, times: 2)
        let recovered = await bought(8, at: gateway.client)
        XCTAssertEqual(recovered, "R-8")
        gateway.trouble(buy, .silence)
        _ = await assertThrows("deadline") {
            try await gateway.client.call(self.buy, Order(item: 1), options: CallOptions(timeout: 0.05))
        }
        _ = await assertThrows("not-found") { try await gateway.client.call(CallgateFunction<Nothing, Nothing>("nobody")) }
    }

    func testSignInAndTheOutboxWorkAsInTheApp() async throws {
        let folder = try temporaryFolder()
        let gateway = try CallgateDouble { $0.outboxFolder = folder }
        gateway.answer(buy) { order in Receipt(number: "R-\(order.item)") }
        gateway.user("us-east-1:ada", hasToken: "ada's")
        gateway.isOffline = true
        let outbox = try XCTUnwrap(gateway.client.outbox)
        for item in 1...3 { try await outbox.add(buy, Order(item: item), label: "order \(item)") }
        let results = Collected<OutboxResult>()
        let buy = buy
        await outbox.start { results.append($0) }
        gateway.isOffline = false
        await outbox.flush()
        try await eventually("three results") { results.all.count == 3 }
        XCTAssertEqual(results.all.map(\.label), ["order 1", "order 2", "order 3"])
        XCTAssertEqual(try results.all.map { try $0.value(of: buy).number }, ["R-1", "R-2", "R-3"])
        let id = try await gateway.client.signIn(provider: "issuer.example", token: "ada's")
        XCTAssertEqual(id, "us-east-1:ada")
        await outbox.stop()
    }
}
