package dev.callgate.examples.android

import android.app.Activity
import android.app.Application
import android.os.Bundle
import android.widget.TextView
import dev.callgate.Callgate
import dev.callgate.CallgateException
import dev.callgate.OfflineException
import dev.callgate.android.flushWhenOnline
import dev.callgate.android.forAndroid
import dev.callgate.android.outboxFolder
import dev.callgate.android.suspending
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.launch

/** One client for the whole app, and what its outbox has to say. */
class ScoresApplication : Application() {
    val arrived = MutableSharedFlow<String>(extraBufferCapacity = 16)
    lateinit var backend: Backend
        private set

    override fun onCreate() {
        super.onCreate()
        val callgate = Callgate.builder()
            .endpoint(ENDPOINT)
            .identityPool(POOL)
            .forAndroid(this)
            .outbox(outboxFolder(this)) { result -> arrived.tryEmit(result.error()?.message ?: "Your score is in.") }
            .build()
        callgate.flushWhenOnline(this)
        backend = callgate.suspending()
    }

    private companion object {
        /** A gateway on the desk, by the certificate that res/xml/network_security_config.xml trusts. */
        const val ENDPOINT = "https://gate.local:7070"
        const val POOL = "us-east-1:0f4ad3f2-5d0c-4c59-8f38-8b3f1c6a7e55"
    }
}

/** Greets, submits a score and shows the list. Leaving it cancels what is under way; the score goes out all the same. */
class ScoresActivity : Activity() {
    private val scope: CoroutineScope = MainScope()
    private lateinit var shown: TextView

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        shown = TextView(this)
        setContentView(shown)
        val app = application as ScoresApplication
        scope.launch { app.arrived.collect { shown.append("$it\n") } }
        scope.launch {
            try {
                shown.append(app.backend.greet(Person("Ada")).text + "\n")
                for (score in app.backend.scores()) shown.append("${score.player} ${score.points}\n")
            } catch (_: OfflineException) {
                shown.append("There is no network now.\n")
            } catch (error: CallgateException) {
                shown.append("Something is wrong: ${error.message}\n")
            }
        }
        scope.launch(Dispatchers.IO) { app.backend.submit(Score("Ada", 1815)) }
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }
}
