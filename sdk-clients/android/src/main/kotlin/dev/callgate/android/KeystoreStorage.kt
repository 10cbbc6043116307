package dev.callgate.android

import android.content.Context
import android.content.SharedPreferences
import android.os.Build
import dev.callgate.Storage
import java.security.GeneralSecurityException
import java.security.ProviderException

/**
 * Keeps identity and credentials in the app's private preferences, sealed by a key of the Android Keystore. What another key
 * sealed (a backup that came to a new device) is forgotten, and the app begins as a new guest or signs in again.
 *
 * Before API level 23 the Keystore has no keys of this kind, and on some devices it is broken: then the identity id is kept as
 * it is, as the AWS SDK for Android kept it, and credentials are not kept at all.
 *
 * @param name tells the storages of one app apart, where it speaks to more than one gateway
 */
public class KeystoreStorage internal constructor(
    private val preferences: SharedPreferences,
    vault: () -> Vault?,
) : Storage {
    public constructor(context: Context, name: String = "default") : this(
        context.applicationContext.getSharedPreferences("dev.callgate.$name", Context.MODE_PRIVATE),
        { vaultOfThisDevice("dev.callgate.$name") },
    )

    // The Keystore answers slowly: not on the thread that builds a client, but on the one that first needs it.
    private val vault: Vault? by lazy(vault)

    override fun get(name: String): String? {
        val kept = preferences.getString(name, null) ?: return null
        return when {
            kept.startsWith(PLAIN) -> kept.substring(PLAIN.length)
            kept.startsWith(SEALED) -> opened(name, kept.substring(SEALED.length))
            else -> null
        }
    }

    private fun opened(name: String, sealed: String): String? =
        try {
            vault?.open(name, sealed)
        } catch (_: GeneralSecurityException) {
            put(name, null)
            null
        } catch (_: ProviderException) {
            // The Keystore's service does not answer; it may the next time.
            null
        }

    /** Throws [IllegalStateException] where it cannot be kept: the client then goes on with what it has in memory. */
    override fun put(name: String, value: String?) {
        val text = value?.let { given -> vault?.let { SEALED + sealed(it, name, given) } ?: (PLAIN + given) }
        val written = preferences.edit().putString(name, text).commit()
        check(written) { "what is to be kept as $name could not be written" }
    }

    private fun sealed(vault: Vault, name: String, text: String): String =
        try {
            vault.seal(name, text)
        } catch (error: GeneralSecurityException) {
            throw IllegalStateException("the keystore does not seal", error)
        } catch (error: ProviderException) {
            throw IllegalStateException("the keystore does not seal", error)
        }

    override fun keepsSecrets(): Boolean = vault != null

    override fun toString(): String = "KeystoreStorage(…)"

    private companion object {
        const val SEALED = "1."
        const val PLAIN = "0."
    }
}

private fun vaultOfThisDevice(alias: String): Vault? {
    if (Build.VERSION.SDK_INT < 23) return null
    return try {
        Vault(alias)
    } catch (_: GeneralSecurityException) {
        null
    } catch (_: ProviderException) {
        null
    }
}
