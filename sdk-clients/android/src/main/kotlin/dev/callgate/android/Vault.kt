package dev.callgate.android

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import okio.ByteString.Companion.decodeBase64
import okio.ByteString.Companion.toByteString

/**
 * Seals texts with a key of the Android Keystore, which never leaves the device: AES-256-GCM, a fresh nonce each time, the
 * text's name as associated data. The Keystore has such keys from API level 23 on.
 */
@OnlyFrom(23)
internal class Vault(private val alias: String) {
    private val key: SecretKey = kept() ?: made()

    private fun kept(): SecretKey? {
        val store = KeyStore.getInstance(KEYSTORE)
        store.load(null)
        return store.getKey(alias, null) as SecretKey?
    }

    private fun made(): SecretKey {
        val wanted = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
            .setKeySize(KEY_BITS)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .build()
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, KEYSTORE)
        generator.init(wanted)
        return generator.generateKey()
    }

    fun seal(name: String, text: String): String {
        val cipher = Cipher.getInstance(CIPHER)
        // The Keystore draws the nonce, and refuses one of ours.
        cipher.init(Cipher.ENCRYPT_MODE, key)
        cipher.updateAAD(name.toByteArray())
        val sealed = cipher.doFinal(text.toByteArray())
        return (cipher.iv + sealed).toByteString().base64()
    }

    /** Throws [GeneralSecurityException] if it was not sealed by this key under this name. */
    fun open(name: String, sealed: String): String {
        val bytes = sealed.decodeBase64()?.toByteArray() ?: throw GeneralSecurityException("what is kept as $name is damaged")
        if (bytes.size < NONCE_BYTES) throw GeneralSecurityException("what is kept as $name is cut short")
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, bytes, 0, NONCE_BYTES))
        cipher.updateAAD(name.toByteArray())
        return String(cipher.doFinal(bytes, NONCE_BYTES, bytes.size - NONCE_BYTES))
    }

    private companion object {
        const val KEYSTORE = "AndroidKeyStore"
        const val CIPHER = "AES/GCM/NoPadding"
        const val KEY_BITS = 256
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
    }
}
