package dev.callgate.android

import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import android.net.Network
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test

class NetworkTest {
    @Before
    fun keystore() = Keystore.install()

    @Test
    fun `a network that comes up sends what waits`() {
        val phone = Phone()
        val offline = AtomicBoolean(true)
        val results = LinkedBlockingQueue<String>()
        val answers = ofAGuest { if (offline.get()) Answered("", 503, mapOf("Retry-After" to "2")) else Answered("1") }
        Gate(answers).use { gate ->
            gate.client {
                identityPool(POOL).forAndroid(phone).outbox(outboxFolder(phone)) { results += it.function() }
            }.use { callgate ->
                val watch = callgate.flushWhenOnline(phone)
                assertEquals(1, phone.listening.size)
                callgate.outbox().add("score", Score("Ada", 7))
                while (gate.next().headers["x-amz-target"] != null) continue
                offline.set(false)
                phone.listening.single().onAvailable(onNetwork())
                assertEquals("score", results.poll(20, TimeUnit.SECONDS))
                watch.close()
                assertTrue(phone.listening.isEmpty())
            }
        }
    }

    private fun onNetwork(): Network = Network::class.java.getConstructor(Int::class.java).newInstance(1)
}
