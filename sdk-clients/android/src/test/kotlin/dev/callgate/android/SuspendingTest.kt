package dev.callgate.android

import dev.callgate.Answer
import dev.callgate.CallOptions
import dev.callgate.CallgateFunction
import dev.callgate.OutboxReceipt
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

internal interface Game {
    @CallgateFunction
    suspend fun best(): List<Score>

    @CallgateFunction(name = "score", qualifier = "live", idempotent = true, deadlineMs = 5_000)
    suspend fun add(score: Score): Score

    @CallgateFunction(name = "score")
    suspend fun added(scores: Map<String, Score>, options: CallOptions): Answer<Map<String, Score>>

    @CallgateFunction
    suspend fun clear()

    @CallgateFunction
    suspend fun find(player: String): Score?

    @CallgateFunction(name = "score")
    fun keep(score: Score): OutboxReceipt
}

internal interface Unmarked {
    suspend fun best(): List<Score>
}

internal interface Blocking {
    @CallgateFunction
    fun best(): List<Score>
}

internal interface Crowded {
    @CallgateFunction
    suspend fun add(player: String, points: Int): Score
}

class SuspendingTest {
    private val score = Score("Ada", 7)

    @Test
    fun `functions of an interface are the gateway's`() = runBlocking {
        Gate { sent ->
            Answered(
                when (sent.function) {
                    "best" -> """[{"player":"Ada","points":7}]"""
                    "clear" -> """{"what":"nobody looks at"}"""
                    "find" -> "null"
                    else -> sent.body
                },
                headers = mapOf("X-Amz-Executed-Version" to "3"),
            )
        }.use { gate ->
            gate.client().use { callgate ->
                val game = callgate.suspending<Game>()
                assertEquals(listOf(score), game.best())
                assertEquals("", gate.next().body)

                assertEquals(score, game.add(score))
                val added = gate.next()
                assertEquals("score?Qualifier=live", added.function)
                assertTrue(added.headers.getValue("callgate-timeout-ms").toLong() <= 5_000)
                assertTrue("idempotency-key" in added.headers)

                val options = CallOptions.NONE.idempotencyKey("key-1").qualifier("7").custom("level", "4")
                val answer = game.added(mapOf("ada" to score), options)
                assertEquals(mapOf("ada" to score), answer.value())
                assertEquals("3", answer.executedVersion())
                val whole = gate.next()
                assertEquals("score?Qualifier=7", whole.function)
                assertEquals("key-1", whole.headers["idempotency-key"])
                assertTrue("x-amz-client-context" in whole.headers)

                assertEquals(Unit, game.clear())
                assertNull(game.find("nobody"))
                assertEquals("\"nobody\"", gate.sent.toList().last().body)
            }
        }
    }

    @Test
    fun `a function that does not suspend keeps its call`() {
        Keystore.install()
        val phone = Phone()
        val results = LinkedBlockingQueue<String>()
        Gate(ofAGuest { Answered(it.body) }).use { gate ->
            gate.client {
                identityPool(POOL).forAndroid(phone).outbox(outboxFolder(phone)) { results += "${it.id()} ${it.json()}" }
            }.use { callgate ->
                val receipt = callgate.suspending<Game>().keep(score)
                val result = results.poll(20, TimeUnit.SECONDS)
                assertEquals("""${receipt.id()} {"player":"Ada","points":7}""", result)
                assertTrue(outboxFolder(phone).startsWith(phone.folder))
            }
        }
    }

    @Test
    fun `what cannot be a function is said while building`() {
        Gate { Answered("1") }.use { gate ->
            gate.client().use { callgate ->
                for ((type, why) in listOf(
                    Unmarked::class.java to "Unmarked.best has no @CallgateFunction",
                    Blocking::class.java to "Blocking.best neither suspends nor gives back an OutboxReceipt",
                    Crowded::class.java to "Crowded.add has more than one argument",
                    Score::class.java to "dev.callgate.android.Score is not an interface",
                )) {
                    val refused = assertThrows(IllegalArgumentException::class.java) { callgate.suspending(type) }
                    assertEquals(why, refused.message)
                }
            }
        }
    }

    @Test
    fun `it is an object like others`() {
        Gate { Answered("1") }.use { gate ->
            gate.client().use { callgate ->
                val game = callgate.suspending<Game>()
                assertEquals("Game of Callgate(…)", game.toString())
                assertEquals(game, game)
                assertNotEquals(game, callgate.suspending<Game>())
                assertEquals(game.hashCode(), game.hashCode())
            }
        }
    }
}
