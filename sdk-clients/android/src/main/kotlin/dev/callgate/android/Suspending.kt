@file:JvmName("Suspending")

package dev.callgate.android

import dev.callgate.Answer
import dev.callgate.CallOptions
import dev.callgate.Callgate
import dev.callgate.CallgateFunction
import dev.callgate.OutboxReceipt
import java.lang.reflect.InvocationHandler
import java.lang.reflect.Method
import java.lang.reflect.ParameterizedType
import java.lang.reflect.Proxy
import java.lang.reflect.Type
import java.lang.reflect.WildcardType
import kotlin.coroutines.Continuation
import kotlin.coroutines.intrinsics.startCoroutineUninterceptedOrReturn

/**
 * An object whose suspend functions call the gateway's. They have [CallgateFunction], at most one argument and after it perhaps
 * [CallOptions], and answer a type of the app's, [Answer] of one, or nothing. A function that does not suspend may only keep its call:
 * it gives back an [OutboxReceipt]. An answer that may be JSON's null needs a nullable type.
 *
 * @throws IllegalArgumentException that says which function cannot be one
 */
public inline fun <reified T : Any> Callgate.suspending(): T = suspending(T::class.java)

/** The same for a class that is known only when it runs. */
public fun <T : Any> Callgate.suspending(type: Class<T>): T {
    require(type.isInterface) { "${type.name} is not an interface" }
    val calls = type.methods.associateWith { Plan.of(it) }
    return type.cast(Proxy.newProxyInstance(type.classLoader, arrayOf(type), SuspendingProxy(this, type, calls)))!!
}

/** What one function of the interface does. */
internal class Plan private constructor(
    val function: String,
    val argument: Type?,
    val takesOptions: Boolean,
    /** What the answer is read into; null where the call is kept. */
    val answer: Type?,
    /** Whether the app wants the [Answer] around it. */
    val whole: Boolean,
    private val options: CallOptions,
) {
    /** The function's own options, and what this call wants otherwise. */
    fun options(given: CallOptions?): CallOptions {
        var all = options
        if (given == null) return all
        if (given.deadlineMs() > 0) all = all.deadlineMs(given.deadlineMs())
        if (given.qualifier() != null) all = all.qualifier(given.qualifier())
        if (given.isIdempotent) all = given.idempotencyKey()?.let { all.idempotencyKey(it) } ?: all.idempotent()
        for ((name, value) in given.custom()) all = all.custom(name, value)
        return all
    }

    companion object {
        fun of(method: Method): Plan {
            val name = "${method.declaringClass.simpleName}.${method.name}"
            val about = requireNotNull(method.getAnnotation(CallgateFunction::class.java)) { "$name has no @CallgateFunction" }
            val parameters = method.genericParameterTypes.toMutableList()
            val suspends = method.parameterTypes.lastOrNull() == Continuation::class.java
            val returned = if (suspends) awaited(parameters.removeAt(parameters.lastIndex)) else null
            require(suspends || method.returnType == OutboxReceipt::class.java) {
                "$name neither suspends nor gives back an OutboxReceipt"
            }
            val takesOptions = parameters.lastOrNull() == CallOptions::class.java
            if (takesOptions) parameters.removeAt(parameters.lastIndex)
            require(parameters.size <= 1) { "$name has more than one argument" }
            val whole = returned is ParameterizedType && returned.rawType == Answer::class.java
            val answer = if (whole) (returned as ParameterizedType).actualTypeArguments[0].bound() else returned
            return Plan(about.name.ifEmpty { method.name }, parameters.firstOrNull(), takesOptions, answer, whole, of(about))
        }

        private fun of(about: CallgateFunction): CallOptions {
            var options = CallOptions.NONE
            if (about.qualifier.isNotEmpty()) options = options.qualifier(about.qualifier)
            if (about.idempotent) options = options.idempotent()
            if (about.deadlineMs > 0) options = options.deadlineMs(about.deadlineMs)
            return options
        }

        /** `Continuation<? super T>` says what a suspend function answers. */
        private fun awaited(continuation: Type): Type = (continuation as ParameterizedType).actualTypeArguments[0].bound()

        private fun Type.bound(): Type =
            if (this is WildcardType) lowerBounds.firstOrNull() ?: upperBounds[0] else this
    }
}

private class SuspendingProxy(
    private val callgate: Callgate,
    private val type: Class<*>,
    private val calls: Map<Method, Plan>,
) : InvocationHandler {
    override fun invoke(proxy: Any, method: Method, arguments: Array<out Any?>?): Any? {
        val given = arguments.orEmpty()
        val plan = calls[method] ?: return ofEveryObject(proxy, method, given)
        if (plan.answer == null) return kept(plan, given)
        @Suppress("UNCHECKED_CAST")
        val waiting = given.last() as Continuation<Any?>
        val call: suspend () -> Any? = { answered(plan, given) }
        return call.startCoroutineUninterceptedOrReturn(waiting)
    }

    private fun ofEveryObject(proxy: Any, method: Method, given: Array<out Any?>): Any? = when (method.name) {
        "equals" -> proxy === given[0]
        "hashCode" -> System.identityHashCode(proxy)
        else -> "${type.simpleName} of $callgate"
    }

    private fun argument(plan: Plan, given: Array<out Any?>): Any? = if (plan.argument == null) null else given[0]

    private fun options(plan: Plan, given: Array<out Any?>): CallOptions =
        plan.options(if (plan.takesOptions) given[if (plan.argument == null) 0 else 1] as CallOptions? else null)

    private suspend fun answered(plan: Plan, given: Array<out Any?>): Any? {
        // What a function answers that is asked for nothing is not looked at.
        val nothing = plan.answer == Unit::class.java
        val type = if (nothing) Any::class.java else plan.answer
        val call = callgate.start<Any?>(plan.function, argument(plan, given), plan.argument, type, options(plan, given))
        val answer = call.answer()
        return if (plan.whole) answer else if (nothing) Unit else answer.value()
    }

    private fun kept(plan: Plan, given: Array<out Any?>): OutboxReceipt =
        callgate.outbox().add(plan.function, argument(plan, given), plan.argument, options(plan, given), null)
}
