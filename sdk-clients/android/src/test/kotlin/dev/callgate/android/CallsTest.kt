package dev.callgate.android

import dev.callgate.CallOptions
import dev.callgate.CancelledException
import dev.callgate.DeniedException
import dev.callgate.FunctionException
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

internal data class Score(val player: String, val points: Int)

class CallsTest {
    @Test
    fun `objects go out and come back as their types`() = runBlocking {
        Gate { Answered(it.body) }.use { gate ->
            gate.client().use { callgate ->
                val score = Score("Ünal", 41)
                assertEquals(score, callgate.invoke<Score>("echo", score))
                val all: List<Score> = callgate.invoke("echo", listOf(score, score))
                assertEquals(listOf(score, score), all)
                val byName: Map<String, Score> = callgate.invoke("echo", mapOf("größte" to score))
                assertEquals(score, byName["größte"])
                assertEquals("", callgate.invoke<String>("echo", ""))
                assertEquals(7L, callgate.invoke<Long>("echo", 7))
                assertEquals("""{"player":"Ünal","points":41}""", gate.next().body)
            }
        }
    }

    @Test
    fun `options go along`() = runBlocking {
        Gate { Answered("1") }.use { gate ->
            gate.client().use { callgate ->
                callgate.invoke<Int>("buy", options = CallOptions.NONE.qualifier("live").idempotencyKey("order-1"))
                val sent = gate.next()
                assertEquals("buy?Qualifier=live", sent.function)
                assertEquals("order-1", sent.headers["idempotency-key"])
                assertEquals("", sent.body)
            }
        }
    }

    @Test
    fun `errors are thrown as what they are`(): Unit = runBlocking {
        Gate { sent ->
            if (sent.function == "fails") {
                Answered("""{"errorType":"RangeError","errorMessage":"too late"}""", 200, mapOf("X-Amz-Function-Error" to "Unhandled"))
            } else {
                Answered("""{"message":"no"}""", 403, mapOf("x-amzn-ErrorType" to "AccessDeniedException"))
            }
        }.use { gate ->
            gate.client().use { callgate ->
                val failed = assertThrows(FunctionException::class.java) { runBlocking { callgate.invoke<Int>("fails") } }
                assertEquals("RangeError", failed.remoteType())
                assertThrows(DeniedException::class.java) { runBlocking { callgate.invoke<Int>("closed") } }
            }
        }
    }

    @Test
    fun `a cancelled coroutine ends at once, and the gateway is told`() = runBlocking {
        val held = CountDownLatch(1)
        Gate { sent ->
            if (sent.method == "POST") held.await(20, TimeUnit.SECONDS)
            Answered("")
        }.use { gate ->
            gate.client().use { callgate ->
                val call = launch(Dispatchers.Default) { callgate.invoke<Int>("slow") }
                val sent = withContext(Dispatchers.IO) { gate.next() }
                call.cancelAndJoin()
                assertTrue(call.isCancelled)
                val told = withContext(Dispatchers.IO) { gate.next() }
                assertEquals("DELETE", told.method)
                assertTrue(told.target, told.target.endsWith("/slow/invocations/${sent.headers["amz-sdk-invocation-id"]}"))
                held.countDown()
            }
        }
    }

    @Test
    fun `a coroutine that runs out of time cancels its call`() = runBlocking {
        val held = CountDownLatch(1)
        Gate { sent ->
            if (sent.method == "POST") held.await(20, TimeUnit.SECONDS)
            Answered("")
        }.use { gate ->
            gate.client().use { callgate ->
                assertNull(withTimeoutOrNull(300) { callgate.invoke<Int>("slow") })
                val methods = withContext(Dispatchers.IO) { listOf(gate.next().method, gate.next().method) }
                assertEquals(listOf("POST", "DELETE"), methods)
                held.countDown()
            }
        }
    }

    @Test
    fun `a call that the SDK ended as cancelled is an error of its own`(): Unit = runBlocking {
        Gate {
            Answered("""{"errorType":"Callgate.Cancelled"}""", 200, mapOf("X-Amz-Function-Error" to "Unhandled"))
        }.use { gate ->
            gate.client().use { callgate ->
                assertThrows(CancelledException::class.java) { runBlocking { callgate.invoke<Int>("stopped") } }
            }
        }
    }

    @Test
    fun `many calls wait on no thread, and go on where they were`() = runBlocking {
        Gate { Answered(it.body) }.use { gate ->
            gate.client().use { callgate ->
                val here = Thread.currentThread()
                val answers = (0 until 40).map { call ->
                    async {
                        callgate.invoke<Int>("echo", call).also { assertSame(here, Thread.currentThread()) }
                    }
                }.awaitAll()
                assertEquals((0 until 40).toList(), answers)
            }
        }
    }
}
