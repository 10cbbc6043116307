package dev.callgate.android

import android.os.Build
import javax.crypto.spec.SecretKeySpec
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test

class KeystoreStorageTest {
    private val phone = Phone()
    private val preferences get() = phone.getSharedPreferences("dev.callgate.default", 0)
    private val kept get() = preferences.all.values.joinToString()

    @Before
    fun keystore() = Keystore.install()

    @After
    fun device() {
        Build.VERSION.SDK_INT = 27
    }

    @Test
    fun `what is kept is sealed, and read by the app's next start`() {
        val storage = KeystoreStorage(phone)
        assertTrue(storage.keepsSecrets())
        storage.put("identity", "us-east-1:geheim")
        storage.put("credentials", "größer als nichts")
        assertFalse(kept, kept.contains("geheim"))
        val again = KeystoreStorage(phone)
        assertEquals("us-east-1:geheim", again.get("identity"))
        assertEquals("größer als nichts", again.get("credentials"))
        assertNull(again.get("other"))
        again.put("identity", null)
        assertNull(KeystoreStorage(phone).get("identity"))
        assertEquals(setOf("credentials"), preferences.all.keys)
    }

    @Test
    fun `the same text is sealed to something else each time`() {
        val storage = KeystoreStorage(phone)
        storage.put("identity", "us-east-1:1")
        val before = kept
        storage.put("identity", "us-east-1:1")
        assertNotEquals(before, kept)
    }

    @Test
    fun `storages of two names know nothing of each other`() {
        val storage = KeystoreStorage(phone)
        storage.put("identity", "mine")
        assertNull(KeystoreStorage(phone, "other").get("identity"))
        assertEquals(1, Keystore.keys.size)
    }

    @Test
    fun `what belongs under another name, or is damaged, is forgotten`() {
        val storage = KeystoreStorage(phone)
        storage.put("identity", "mine")
        val sealed = preferences.getString("identity", null)!!
        for (wrong in listOf(sealed, sealed.dropLast(8), "1.", "1.AAAA", "1.*", "2.x", "")) {
            preferences.edit().putString("credentials", wrong).commit()
            assertNull(wrong, storage.get("credentials"))
        }
        assertEquals("mine", storage.get("identity"))
    }

    @Test
    fun `a backup that came to another device is forgotten`() {
        KeystoreStorage(phone).put("identity", "mine")
        Keystore.keys.clear()
        val storage = KeystoreStorage(phone)
        assertNull(storage.get("identity"))
        assertEquals(emptyMap<String, Any>(), preferences.all)
        storage.put("identity", "new")
        assertEquals("new", KeystoreStorage(phone).get("identity"))
    }

    @Test
    fun `before API level 23 credentials are not kept, and the id is`() {
        Build.VERSION.SDK_INT = 22
        val storage = KeystoreStorage(phone)
        assertFalse(storage.keepsSecrets())
        storage.put("identity", "mine")
        assertEquals("mine", KeystoreStorage(phone).get("identity"))
        assertTrue(Keystore.keys.isEmpty())
        // The device is brought up to date.
        Build.VERSION.SDK_INT = 23
        val later = KeystoreStorage(phone)
        assertEquals("mine", later.get("identity"))
        later.put("identity", "mine")
        assertFalse(kept.contains("mine"))
    }

    @Test
    fun `a broken keystore costs the credentials only`() {
        Keystore.broken = true
        val storage = KeystoreStorage(phone)
        assertFalse(storage.keepsSecrets())
        storage.put("identity", "mine")
        assertEquals("mine", KeystoreStorage(phone).get("identity"))
    }

    @Test
    fun `a key that seals nothing is said, and keeps nothing in the clear`() {
        Keystore.keys["dev.callgate.default"] = SecretKeySpec(ByteArray(5), "AES")
        val storage = KeystoreStorage(phone)
        assertThrows(IllegalStateException::class.java) { storage.put("identity", "mine") }
        assertNull(storage.get("identity"))
        assertEquals(emptyMap<String, Any>(), preferences.all)
    }

    @Test
    fun `printing it shows nothing`() {
        assertEquals("KeystoreStorage(…)", KeystoreStorage(phone).toString())
    }
}
