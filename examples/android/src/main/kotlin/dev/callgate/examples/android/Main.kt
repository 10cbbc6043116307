package dev.callgate.examples.android

import com.google.gson.JsonParser
import dev.callgate.Callgate
import dev.callgate.ClientContext
import dev.callgate.FileStorage
import dev.callgate.FunctionException
import dev.callgate.OutboxResult
import dev.callgate.android.login
import dev.callgate.android.suspending
import java.io.File
import java.net.HttpURLConnection
import java.net.URI
import java.nio.file.Files
import kotlin.system.exitProcess
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** The app's back end from the command line, on a JVM: what the activity does, without a phone. */
fun main() {
    val folder = Files.createTempDirectory("callgate-example").toFile()
    val results = Channel<OutboxResult>(capacity = 16)
    val device = ClientContext.builder()
        .appTitle("High scores").appVersionName("1.0").platform("Android").locale("fr_FR").build()
    val callgate = Callgate.builder()
        .endpoint(setting("CALLGATE_ENDPOINT"))
        .identityPool(setting("CALLGATE_POOL"))
        .storage(FileStorage(File(folder, "identity")))
        .clientContext(device)
        .outbox(File(folder, "outbox")) { results.trySend(it) }
        .build()
    callgate.use { runBlocking { play(it, results) } }
}

private suspend fun play(callgate: Callgate, results: Channel<OutboxResult>) {
    val backend = callgate.suspending<Backend>()
    val guest = backend.greet(Person(null))
    println(guest.text + if (guest.signedIn) "" else " (a guest)")
    System.getenv("CALLGATE_ISSUER")?.let { issuer ->
        // A login is filed under its issuer's name without the scheme.
        callgate.identity().login(URI.create(issuer).authority) { token(issuer) }
        val ada = backend.greet(Person("Ada"))
        println(ada.text + if (ada.signedIn) " (signed in)" else "")
    }
    backend.submit(Score("Ada", 1815))
    backend.submit(Score("Grace", 1906))
    repeat(2) {
        val result = withTimeout(30_000) { results.receive() }
        result.error()?.let { throw it }
    }
    backend.scores().forEachIndexed { place, score -> println("${place + 1}. ${score.player} ${score.points}") }
    try {
        backend.submitNow(Score("x".repeat(41), 1))
    } catch (refused: FunctionException) {
        println("Refused: ${refused.remoteMessage()}")
    }
}

private fun setting(name: String): String = System.getenv(name) ?: run {
    System.err.println("app: $name is not set")
    exitProcess(2)
}

/** A token of the example's issuer, as its sign-in page would give it. */
private fun token(issuer: String): String {
    val connection = URI.create("$issuer/token").toURL().openConnection() as HttpURLConnection
    connection.doOutput = true
    connection.outputStream.write("user=ada&client_id=${setting("CALLGATE_CLIENT_ID")}".toByteArray())
    return JsonParser.parseReader(connection.inputStream.reader()).asJsonObject.get("id_token").asString
}
