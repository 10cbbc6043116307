package flows

import aws.sdk.kotlin.services.cognitoidentity.CognitoIdentityClient
import aws.sdk.kotlin.services.cognitoidentity.getCredentialsForIdentity
import aws.sdk.kotlin.services.cognitoidentity.getId
import aws.sdk.kotlin.services.cognitoidentity.model.NotAuthorizedException
import aws.sdk.kotlin.services.lambda.LambdaClient
import aws.sdk.kotlin.services.lambda.invoke
import aws.sdk.kotlin.services.lambda.model.InvocationType
import aws.sdk.kotlin.services.lambda.model.LambdaException
import aws.sdk.kotlin.services.lambda.model.LogType
import aws.sdk.kotlin.services.lambda.model.ResourceNotFoundException
import aws.smithy.kotlin.runtime.auth.awscredentials.Credentials
import aws.smithy.kotlin.runtime.auth.awscredentials.CredentialsProvider
import aws.smithy.kotlin.runtime.collections.Attributes
import aws.smithy.kotlin.runtime.net.url.Url
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import kotlin.io.encoding.Base64

internal fun named(variable: String) = checkNotNull(System.getenv(variable)) { variable }

internal fun same(wanted: Any?, found: Any?) = check(wanted == found) { "wanted $wanted, found $found" }

/** This must be refused, with this exception of the SDK's. */
internal suspend inline fun <reified E : Exception> refused(attempt: suspend () -> Unit): E {
    try {
        attempt()
    } catch (error: Exception) {
        return error as? E ?: throw AssertionError("wanted ${E::class}, found $error", error)
    }
    throw AssertionError("wanted ${E::class}, was not refused")
}

private val here = Url.parse(named("CALLGATE_ENDPOINT"))

/** Keys that are fetched anew whenever the SDK asks. */
internal class Keys(private val fetch: suspend () -> Credentials) : CredentialsProvider {
    override suspend fun resolve(attributes: Attributes) = fetch()
}

private fun functions(keys: suspend () -> Credentials) = LambdaClient {
    region = named("CALLGATE_REGION")
    endpointUrl = here
    credentialsProvider = Keys(keys)
}

/** Its public operations are unsigned: the SDK leaves the signature out by itself. */
private val identities = CognitoIdentityClient {
    region = named("CALLGATE_REGION")
    endpointUrl = here
}

private suspend fun fetch(identity: String, logins: Map<String, String>): Credentials {
    val found = identities.getCredentialsForIdentity {
        identityId = identity
        this.logins = logins
    }.credentials!!
    return Credentials(found.accessKeyId!!, found.secretKey!!, found.sessionToken)
}

private suspend fun id(logins: Map<String, String> = emptyMap()) = identities.getId {
    identityPoolId = named("CALLGATE_POOL")
    this.logins = logins
}.identityId!!

private suspend fun LambdaClient.text(function: String, event: String?, context: String? = null): String =
    invoke {
        functionName = function
        payload = event?.encodeToByteArray()
        clientContext = context?.let { Base64.encode(it.encodeToByteArray()) }
    }.also { same(null, it.functionError) }.payload!!.decodeToString()

private suspend fun guestSignsIn() {
    val logins = mapOf(named("CALLGATE_LOGIN") to named("CALLGATE_TOKEN_9"))
    val guest = id()
    functions { fetch(guest, emptyMap()) }.use { functions ->
        same(true, functions.text("scores", """{"player":"Ünal","points":2}""").contains(guest))
    }
    functions { fetch(guest, logins) }.use { functions ->
        same(true, functions.text(named("CALLGATE_FUNCTION"), null).contains(""""signedIn":true"""))
    }
    same(guest, id(logins))
    refused<NotAuthorizedException> { fetch(guest, emptyMap()) }
}

private suspend fun calls() {
    val guest = id()
    functions { fetch(guest, emptyMap()) }.use { functions ->
        val device = """{"client":{"app_title":"Größtes Spiel"},"env":{"platform":"Android"}}"""
        val saw = functions.text(named("CALLGATE_FUNCTION"), """{"name":"Ünal"}""", device)
        same(true, saw.startsWith("""{"event":{"name":"Ünal"}"""))
        same(true, saw.contains(""""clientContext":""" + device.dropLast(1)))
        val logged = functions.invoke {
            functionName = "scores"
            payload = """{"player":"Ada","points":1}""".encodeToByteArray()
            logType = LogType.Tail
        }
        same(true, Base64.decode(logged.logResult!!).decodeToString().contains("REPORT RequestId: "))
        val failed = functions.invoke {
            functionName = "fails"
            payload = "\"too late\"".encodeToByteArray()
        }
        same("Unhandled", failed.functionError)
        same(true, failed.payload!!.decodeToString().contains(""""errorType":"RangeError""""))
        same(204, functions.invoke { functionName = "scores"; invocationType = InvocationType.DryRun }.statusCode)
        val denied = refused<LambdaException> { functions.text("closed", null) }
        same("AccessDeniedException", denied.sdkErrorMetadata.errorCode)
        val answers = coroutineScope {
            (0 until 20).map { call -> async { functions.text("echoes", "$call").toInt() } }.awaitAll()
        }
        same((0 until 20).toList(), answers)
    }
    functions { Credentials(named("CALLGATE_KEY_ID"), named("CALLGATE_SECRET")) }.use { owner ->
        refused<ResourceNotFoundException> { owner.text("not-there", null) }
    }
}

/** An app with the AWS SDK for Kotlin. */
fun main() {
    runBlocking {
        guestSignsIn()
        calls()
    }
    identities.close()
    println("done")
}
