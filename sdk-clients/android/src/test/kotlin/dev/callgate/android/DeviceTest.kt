package dev.callgate.android

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import dev.callgate.ClientContext
import java.util.Base64
import java.util.Locale
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Test

class DeviceTest {
    private fun said(context: ClientContext): JsonObject =
        JsonParser.parseString(String(Base64.getDecoder().decode(context.header()))).asJsonObject

    @Test
    fun `a device says what it said to the old SDK`() {
        val before = Locale.getDefault()
        Locale.setDefault(Locale.GERMANY)
        try {
            val phone = Phone()
            val said = said(clientContextOf(phone).custom("level", "4").build())
            val wanted = """{
              "client": {
                "installation_id": "${installationId(phone)}", "app_title": "Größtes Spiel", "app_version_name": "2.1.2",
                "app_version_code": "17", "app_package_name": "com.example.game"
              },
              "env": {"platform": "Android", "platform_version": "8.1.0", "make": "Google", "model": "Pixel 2", "locale": "de_DE"},
              "custom": {"level": "4"}
            }"""
            assertEquals(JsonParser.parseString(wanted), said)
        } finally {
            Locale.setDefault(before)
        }
    }

    @Test
    fun `what a starting device does not know is not said`() {
        val client = said(clientContextOf(Phone(installed = false)).build()).getAsJsonObject("client")
        assertEquals(setOf("installation_id", "app_package_name"), client.keySet())
    }

    @Test
    fun `an installation keeps its id`() {
        val phone = Phone()
        val id = installationId(phone)
        assertEquals(id, installationId(phone))
        assertNotEquals(id, installationId(Phone()))
    }

    @Test
    fun `an app that came from the old SDK keeps the id it had`() {
        val phone = Phone()
        val old = "2d9a130e-1c3b-40c7-8953-c7c4aea3d6fa"
        phone.getSharedPreferences("com.amazonaws.common", 0).edit().putString("installation_id", old).commit()
        assertEquals(old, installationId(phone))
        // It is this SDK's now, whatever becomes of the other's.
        phone.getSharedPreferences("com.amazonaws.common", 0).edit().remove("installation_id").commit()
        assertEquals(old, installationId(phone))
    }
}
