package dev.callgate.examples.android

import com.google.gson.annotations.SerializedName
import dev.callgate.CallgateFunction
import dev.callgate.OutboxReceipt

data class Person(@SerializedName("name") val name: String?)

data class Greeting(@SerializedName("text") val text: String, @SerializedName("signedIn") val signedIn: Boolean)

data class Score(@SerializedName("player") val player: String, @SerializedName("points") val points: Long)

/** The game's back end: the functions of examples/functions. */
interface Backend {
    @CallgateFunction(name = "greeting")
    suspend fun greet(person: Person): Greeting

    /** Without a name in the annotation, the function's own counts. */
    @CallgateFunction
    suspend fun scores(): List<Score>

    /** Kept until there is a network, and counted once. */
    @CallgateFunction(name = "scores")
    fun submit(score: Score): OutboxReceipt

    /** For whoever cannot wait for the network. */
    @CallgateFunction(name = "scores")
    suspend fun submitNow(score: Score): List<Score>
}
