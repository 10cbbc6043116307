// Calls the functions of examples/functions by the interface that `callgate generate kotlin` wrote.

import dev.callgate.Callgate
import dev.callgate.android.suspending
import generated.Backend
import generated.GreetingInput
import generated.Score
import kotlinx.coroutines.runBlocking

fun main() = runBlocking {
    val callgate = Callgate.builder()
        .endpoint(System.getenv("CALLGATE_ENDPOINT"))
        .identityPool(System.getenv("CALLGATE_POOL"))
        .build()
    val backend = callgate.suspending<Backend>()
    val greeting = backend.greeting(GreetingInput(name = "Ada"))
    check(greeting.text.endsWith(", Ada!") && !greeting.signedIn) { greeting }
    val before = backend.scores(null)
    check(before == emptyList<Score>()) { before }
    val score = Score(player = "Ada", points = 4200)
    val after = backend.scores(score)
    check(after == listOf(score)) { after }
    println("called")
}
