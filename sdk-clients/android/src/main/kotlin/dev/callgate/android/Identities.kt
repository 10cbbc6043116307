@file:JvmName("Identities")

package dev.callgate.android

import dev.callgate.Identity
import dev.callgate.IdentityListener
import dev.callgate.TokenSupplier
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.runInterruptible

/** The identity id became another. Either is null where there was, or is, none. */
public data class IdentityChange(val before: String?, val now: String?)

/** The identity id, fetched if there is none yet. */
public suspend fun Identity.fetchId(): String = runInterruptible(Dispatchers.IO) { id() }

/** Signs in with a token that will not be renewed, and gives back the identity id from now on. */
public suspend fun Identity.login(provider: String, token: String): String =
    runInterruptible(Dispatchers.IO) { signIn(provider, token) }

/** Signs in; the supplier is asked for a fresh token whenever credentials are fetched. */
public suspend fun Identity.login(provider: String, tokens: TokenSupplier): String =
    runInterruptible(Dispatchers.IO) { signIn(provider, tokens) }

/** Forgets logins, credentials and identity id. The next call is a new guest's. */
public suspend fun Identity.logout(): Unit = runInterruptible(Dispatchers.IO) { signOut() }

/** Each change of the identity id while it is collected. Who collects slowly misses the oldest. */
public fun Identity.changes(): Flow<IdentityChange> = callbackFlow {
    val listener = IdentityListener { before, now -> trySend(IdentityChange(before, now)) }
    addListener(listener)
    awaitClose { removeListener(listener) }
}.buffer(capacity = 16, onBufferOverflow = BufferOverflow.DROP_OLDEST)
