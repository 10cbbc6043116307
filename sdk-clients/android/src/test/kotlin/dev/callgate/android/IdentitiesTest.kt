package dev.callgate.android

import dev.callgate.AuthenticationException
import java.util.concurrent.atomic.AtomicReference
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Before
import org.junit.Test

internal const val POOL = "us-east-1:0f4ad3f2-5d0c-4c59-8f38-8b3f1c6a7e55"
private const val GUEST = "us-east-1:11111111-0000-4000-8000-000000000001"
private const val USER = "us-east-1:22222222-0000-4000-8000-000000000002"

/** A pool's answers to a guest, who becomes somebody known by signing in; calls are answered by `others`. */
internal fun ofAGuest(others: (Sent) -> Answered): (Sent) -> Answered = { sent ->
    when (sent.headers["x-amz-target"]) {
        "AWSCognitoIdentityService.GetId" -> Answered("""{"IdentityId":"$GUEST"}""")
        "AWSCognitoIdentityService.GetCredentialsForIdentity" -> when {
            "wrong" in sent.body ->
                Answered("""{"__type":"NotAuthorizedException","message":"no"}""", 400, mapOf("x-amzn-ErrorType" to "NotAuthorizedException"))
            else -> Answered(credentials(if ("token" in sent.body) USER else GUEST))
        }
        else -> others(sent)
    }
}

private fun credentials(identity: String): String {
    val expires = System.currentTimeMillis() / 1000 + 3600
    return """{"IdentityId":"$identity","Credentials":{"AccessKeyId":"ASIA${identity.takeLast(4)}","SecretKey":"geheim",
        "SessionToken":"marke","Expiration":$expires}}"""
}

class IdentitiesTest {
    private val phone = Phone()

    @Before
    fun keystore() = Keystore.install()

    @Test
    fun `a guest signs in, and whoever listens hears of it`() = runBlocking {
        Gate(ofAGuest { Answered("1") }).use { gate ->
            gate.client { identityPool(POOL).forAndroid(phone) }.use { callgate ->
                val identity = callgate.identity()
                val heard = async(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) { identity.changes().take(3).toList() }
                assertEquals(GUEST, identity.fetchId())
                assertEquals(USER, identity.login("accounts.example", "token"))
                identity.logout()
                val wanted = listOf(IdentityChange(null, GUEST), IdentityChange(GUEST, USER), IdentityChange(USER, null))
                assertEquals(wanted, heard.await())
            }
        }
    }

    @Test
    fun `a login that fails is the error it is`(): Unit = runBlocking {
        Gate(ofAGuest { Answered("1") }).use { gate ->
            gate.client { identityPool(POOL).forAndroid(phone) }.use { callgate ->
                assertThrows(AuthenticationException::class.java) {
                    runBlocking { callgate.identity().login("accounts.example") { "wrong" } }
                }
            }
        }
    }

    @Test
    fun `an app that starts again is who it was, and fetches nothing`() = runBlocking {
        Gate(ofAGuest { Answered("1") }).use { gate ->
            gate.client { identityPool(POOL).forAndroid(phone) }.use { it.invoke<Int>("one") }
            val asked = generateSequence { gate.sent.poll() }.map { it.headers["x-amz-target"] ?: it.function }.toList()
            assertEquals(
                listOf("AWSCognitoIdentityService.GetId", "AWSCognitoIdentityService.GetCredentialsForIdentity", "one"),
                asked,
            )
            val named = AtomicReference<String>()
            gate.client { identityPool(POOL).forAndroid(phone) }.use {
                named.set(it.identity().idIfAny())
                it.invoke<Int>("two")
            }
            assertEquals(GUEST, named.get())
            assertEquals("two", gate.next().function)
            // Neither the id nor the keys lie about in the clear.
            val kept = phone.getSharedPreferences("dev.callgate.default", 0).all.values.joinToString()
            assertEquals(false, listOf(GUEST, "geheim", "marke").any { it in kept })
        }
    }
}
