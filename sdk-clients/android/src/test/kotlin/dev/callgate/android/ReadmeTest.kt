package dev.callgate.android

import dev.callgate.Callgate
import dev.callgate.CallgateFunction
import java.io.File
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test

internal data class Person(val name: String)

internal data class Greeting(val text: String)

// The README's lines, as they stand there but for the gateway and the pool.
internal interface Backend {
    @CallgateFunction(name = "greeting")
    suspend fun greet(person: Person): Greeting
}

class ReadmeTest {
    @Before
    fun keystore() = Keystore.install()

    @Test
    fun `its lines run`() = runBlocking {
        val context = Phone()
        Gate(ofAGuest { Answered(it.body.replace("name", "text").replace("Ada", "Hello, Ada!")) }).use { gate ->
            val callgate = Callgate.builder()
                .endpoint(gate.endpoint)
                .identityPool(POOL)
                .forAndroid(context)
                .build()
            val greeting = callgate.suspending<Backend>().greet(Person("Ada"))
            assertEquals("Hello, Ada!", greeting.text)
            callgate.close()
        }
    }

    @Test
    fun `they are the lines that stand in it`() {
        val repository = File(System.getProperty("callgate.repository"))
        val readme = File(repository, "sdk-clients/android/README.md").readText()
        val lines = readme.substringAfter("```kotlin\n").substringBefore("```").lines().filter { it.isNotBlank() }
        val source = File(repository, "sdk-clients/android/src/test/kotlin/dev/callgate/android/ReadmeTest.kt")
            .readLines().map { it.trim().removePrefix("internal ") }
        val told = lines.map {
            it.trim().replace("\"https://gate.example.com\"", "gate.endpoint").replace("\"$POOL\"", "POOL")
        }
        val begins = source.indices.filter { source[it] == told[0] || source[it] == "val callgate = Callgate.builder()" }
        val run = source.subList(begins[0], begins[0] + 4) + source.subList(begins[1], begins[1] + 6)
        assertEquals(told, run)
        assertEquals(10, told.size)
    }
}
