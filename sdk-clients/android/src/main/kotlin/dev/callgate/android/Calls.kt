@file:JvmName("Calls")

package dev.callgate.android

import com.google.gson.reflect.TypeToken
import dev.callgate.CallOptions
import dev.callgate.Callgate
import dev.callgate.CallgateException
import dev.callgate.CallgateFuture
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * Calls a function by name and suspends until it answers. Cancelling the coroutine cancels the call, and the gateway is told to
 * stop the run. Safe on the main thread: the SDK works on threads of its own.
 *
 * @throws CallgateException in one of its kinds
 */
public suspend inline fun <reified T> Callgate.invoke(
    function: String,
    argument: Any? = null,
    options: CallOptions = CallOptions.NONE,
): T {
    val answer = object : TypeToken<T>() {}.type
    return start<T>(function, argument, argument?.javaClass, answer, options).answer().value()
}

/** Suspends until the call has ended: its answer, or its own exception. Cancelling the coroutine cancels the call. */
public suspend fun <T> CallgateFuture<T>.answer(): T = suspendCancellableCoroutine { waiting ->
    waiting.invokeOnCancellation { cancel(true) }
    onDone(
        { tell -> tell.run() },
        object : CallgateFuture.Listener<T> {
            override fun onAnswer(value: T) = waiting.resume(value)

            override fun onError(error: CallgateException) = waiting.resumeWithException(error)
        },
    )
}
