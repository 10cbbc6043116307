package dev.callgate.android

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.io.InputStream
import java.io.OutputStream
import java.security.InvalidAlgorithmParameterException
import java.security.Key
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.ProviderException
import java.security.SecureRandom
import java.security.Security
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec

/** A Keystore as a device has one, as far as the SDK asks for it: a provider of security by that name. */
internal class Keystore : Provider("AndroidKeyStore", 1.0, "keys of this device") {
    init {
        put("KeyStore.AndroidKeyStore", Keys::class.java.name)
        put("KeyGenerator.AES", Generator::class.java.name)
    }

    companion object {
        val keys: MutableMap<String, SecretKey> = Collections.synchronizedMap(HashMap())

        /** A service that answers nothing, as some devices have it. */
        @Volatile var broken = false

        fun install() {
            Security.removeProvider("AndroidKeyStore")
            Security.addProvider(Keystore())
            keys.clear()
            broken = false
        }
    }

    class Generator : KeyGeneratorSpi() {
        private lateinit var wanted: KeyGenParameterSpec

        override fun engineInit(random: SecureRandom?) = throw InvalidAlgorithmParameterException()

        override fun engineInit(bits: Int, random: SecureRandom?) = throw InvalidAlgorithmParameterException()

        override fun engineInit(spec: AlgorithmParameterSpec, random: SecureRandom?) {
            wanted = spec as KeyGenParameterSpec
        }

        override fun engineGenerateKey(): SecretKey {
            if (broken) throw ProviderException("the keystore does not answer")
            // What a device would make of anything else is not what the SDK must ask for.
            check(wanted.purposes == (KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT))
            check(wanted.blockModes.toList() == listOf(KeyProperties.BLOCK_MODE_GCM))
            check(wanted.encryptionPaddings.toList() == listOf(KeyProperties.ENCRYPTION_PADDING_NONE))
            check(wanted.keySize == 256 && !wanted.isUserAuthenticationRequired)
            val bytes = ByteArray(wanted.keySize / 8).also { SecureRandom().nextBytes(it) }
            return SecretKeySpec(bytes, "AES").also { keys[wanted.keystoreAlias] = it }
        }
    }

    class Keys : KeyStoreSpi() {
        override fun engineLoad(from: InputStream?, password: CharArray?) = Unit

        override fun engineGetKey(alias: String, password: CharArray?): Key? = keys[alias]

        override fun engineContainsAlias(alias: String) = alias in keys

        override fun engineIsKeyEntry(alias: String) = alias in keys

        override fun engineSize() = keys.size

        override fun engineAliases(): Enumeration<String> = Collections.enumeration(keys.keys)

        override fun engineDeleteEntry(alias: String) = Unit.also { keys -= alias }

        override fun engineGetCreationDate(alias: String): Date? = null

        override fun engineIsCertificateEntry(alias: String) = false

        override fun engineGetCertificate(alias: String): Certificate? = null

        override fun engineGetCertificateAlias(certificate: Certificate): String? = null

        override fun engineGetCertificateChain(alias: String): Array<Certificate>? = null

        override fun engineSetKeyEntry(alias: String, key: Key, password: CharArray?, chain: Array<Certificate>?) = Unit

        override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?) = Unit

        override fun engineSetCertificateEntry(alias: String, certificate: Certificate) = Unit

        override fun engineStore(to: OutputStream?, password: CharArray?) = Unit
    }
}
