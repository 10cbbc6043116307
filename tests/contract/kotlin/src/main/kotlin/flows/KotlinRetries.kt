package flows

import aws.sdk.kotlin.services.lambda.LambdaClient
import aws.sdk.kotlin.services.lambda.model.InvokeRequest
import aws.smithy.kotlin.runtime.auth.awscredentials.Credentials
import aws.smithy.kotlin.runtime.client.ProtocolRequestInterceptorContext
import aws.smithy.kotlin.runtime.http.interceptors.HttpInterceptor
import aws.smithy.kotlin.runtime.http.request.HttpRequest
import aws.smithy.kotlin.runtime.http.request.toBuilder
import aws.smithy.kotlin.runtime.net.url.Url
import java.io.IOException
import java.net.URI
import java.util.UUID
import kotlinx.coroutines.runBlocking

private val cuts = listOf("none", "before-request", "in-request", "before-answer", "leave", "in-answer", "after-answer")

/** A proxy that cuts this client's connection; `requests` says how many came. */
private class Network(cut: String) {
    private val process = ProcessBuilder(
        "python3", named("CALLGATE_FAULT_PROXY"), "--to", URI.create(named("CALLGATE_ENDPOINT")).authority,
        "--match", "/invocations", "--until-eof", "--cut", cut,
    ).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    private val said = process.inputStream.bufferedReader()
    val endpoint = "http://127.0.0.1:${said.readLine()}"

    /** So many are waited for: the proxy tells of a request when it is through with it. */
    fun requests(wanted: Int): Int {
        repeat(wanted) { said.readLine() ?: return it }
        process.outputStream.close()
        return wanted + said.lineSequence().count()
    }
}

/** Sends this key with each call; what it adds is signed. */
private class Keyed(private val key: String) : HttpInterceptor {
    override suspend fun modifyBeforeSigning(context: ProtocolRequestInterceptorContext<Any, HttpRequest>): HttpRequest =
        context.protocolRequest.toBuilder().apply { headers["Idempotency-Key"] = key }.build()
}

private suspend fun invoke(endpoint: String, json: String, key: String?): String = LambdaClient {
    region = named("CALLGATE_REGION")
    endpointUrl = Url.parse(endpoint)
    credentialsProvider = Keys { Credentials(named("CALLGATE_KEY_ID"), named("CALLGATE_SECRET")) }
    key?.let { interceptors += Keyed(it) }
}.use { client ->
    client.invoke(
        InvokeRequest {
            functionName = named("CALLGATE_FUNCTION")
            payload = json.encodeToByteArray()
        },
    ).payload!!.decodeToString()
}

/** The AWS SDK for Kotlin over a bad network. */
fun main() = runBlocking {
    for (withKey in listOf(false, true)) for (cut in cuts) {
        val call = UUID.randomUUID().toString()
        val network = Network(cut)
        val payload = """{"call":"$call","wait":50,"pad":10000}"""
        if (cut == "in-answer") {
            // This SDK reads the answer after its retries: its caller gets an error, and the call has run.
            refused<IOException> { invoke(network.endpoint, payload, call.takeIf { withKey }) }
        } else {
            val answer = invoke(network.endpoint, payload, call.takeIf { withKey })
            check(answer.contains("\"runs\":1,")) { "$cut: $answer" }
        }
        val wanted = if (cut in setOf("none", "in-answer", "after-answer")) 1 else 2
        same(wanted, network.requests(wanted))
        same("1", invoke(named("CALLGATE_ENDPOINT"), """{"ask":"$call"}""", null))
    }
    println("done")
}
