package dev.callgate.android

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import dev.callgate.Callgate
import java.io.Closeable
import java.net.InetSocketAddress
import java.util.concurrent.Executors
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** What a client sent. */
internal class Sent(val method: String, val target: String, val headers: Map<String, String>, val body: String) {
    /** The function that is called, with its qualifier. */
    val function: String get() = target.removePrefix("/2015-03-31/functions/").replace("/invocations", "")
}

/** What it is answered. */
internal class Answered(val body: String, val status: Int = 200, val headers: Map<String, String> = emptyMap())

/** The least that a client needs of a gateway: answers that a test gives, and what was sent. */
internal class Gate(private val answer: (Sent) -> Answered) : Closeable {
    val sent = LinkedBlockingQueue<Sent>()
    private val threads = Executors.newCachedThreadPool()
    private val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0).apply {
        createContext("/") { exchange -> handle(exchange) }
        executor = threads
        start()
    }

    val endpoint get() = "http://127.0.0.1:${server.address.port}"

    /** A client with keys of its own; without, one that has to ask for an identity first. */
    fun client(more: Callgate.Builder.() -> Callgate.Builder = { credentials("AKIDEXAMPLE", "secret", null) }): Callgate =
        Callgate.builder().endpoint(endpoint).more().build()

    private fun handle(exchange: HttpExchange) {
        val request = Sent(
            exchange.requestMethod,
            exchange.requestURI.toString(),
            exchange.requestHeaders.mapKeys { it.key.lowercase() }.mapValues { it.value.first() },
            exchange.requestBody.readBytes().decodeToString(),
        )
        sent += request
        val answered = answer(request)
        exchange.responseHeaders.add("x-amzn-RequestId", "4ba1c0de-0000-4000-8000-000000000001")
        answered.headers.forEach { (name, value) -> exchange.responseHeaders.add(name, value) }
        val body = answered.body.toByteArray()
        exchange.sendResponseHeaders(answered.status, if (body.isEmpty()) -1 else body.size.toLong())
        exchange.responseBody.use { if (body.isNotEmpty()) it.write(body) }
    }

    /** The next request; fails where none comes. */
    fun next(): Sent = checkNotNull(sent.poll(20, TimeUnit.SECONDS)) { "nothing was sent" }

    override fun close() {
        server.stop(0)
        threads.shutdownNow()
    }
}
