package dev.callgate.android

import android.content.Context
import android.content.ContextWrapper
import android.content.SharedPreferences
import android.content.pm.ApplicationInfo
import android.content.pm.PackageInfo
import android.content.pm.PackageManager
import android.net.ConnectivityManager
import java.io.File
import java.lang.reflect.Method
import java.lang.reflect.Proxy
import java.nio.file.Files
import net.bytebuddy.ByteBuddy
import net.bytebuddy.implementation.MethodDelegation
import net.bytebuddy.implementation.bind.annotation.AllArguments
import net.bytebuddy.implementation.bind.annotation.Origin
import net.bytebuddy.implementation.bind.annotation.RuntimeType
import net.bytebuddy.matcher.ElementMatchers

/** A phone with one app: Android's own classes, over what only a device has. */
internal class Phone(private val installed: Boolean = true) : ContextWrapper(null) {
    private val preferences = HashMap<String, SharedPreferences>()

    /** Who hears of networks now. */
    val listening = ArrayList<ConnectivityManager.NetworkCallback>()
    val folder: File = Files.createTempDirectory("phone").toFile()

    private val packages = onDevice(PackageManager::class.java) { method, _ ->
        when (method.name) {
            "getPackageInfo" -> if (installed) about() else throw PackageManager.NameNotFoundException()
            "getApplicationLabel" -> "Größtes Spiel"
            else -> error("the SDK asks for $method")
        }
    }
    private val networks = onDevice(ConnectivityManager::class.java) { method, arguments ->
        when (method.name) {
            "registerNetworkCallback" -> listening += arguments[1] as ConnectivityManager.NetworkCallback
            "unregisterNetworkCallback" -> listening -= arguments[0] as ConnectivityManager.NetworkCallback
            else -> error("the SDK asks for $method")
        }
    }

    private fun about() = PackageInfo().apply {
        packageName = "com.example.game"
        versionName = "2.1.2"
        versionCode = 17
    }

    override fun getApplicationContext(): Context = this

    override fun getPackageName() = "com.example.game"

    override fun getPackageManager() = packages

    override fun getApplicationInfo() = ApplicationInfo()

    override fun getNoBackupFilesDir() = folder

    override fun getSystemService(name: String): Any = networks

    override fun getSharedPreferences(name: String, mode: Int): SharedPreferences =
        preferences.getOrPut(name) { Preferences() }
}

/** An object of an Android class that cannot be made off a device; all its methods are these. */
private fun <T : Any> onDevice(type: Class<T>, methods: (Method, Array<Any?>) -> Any?): T {
    val made = ByteBuddy().subclass(type)
        .method(ElementMatchers.not(ElementMatchers.isDeclaredBy(Any::class.java)))
        .intercept(MethodDelegation.to(Handler(methods)))
        .make().load(Handler::class.java.classLoader).loaded
    // Android's constructors want what they never use here: whose method is called is decided above.
    val constructor = made.declaredConstructors[0]
    val wanted = constructor.parameterTypes.map { if (it.isInterface) anyOf(it) else ContextWrapper(null) }
    return type.cast(constructor.newInstance(*wanted.toTypedArray()))
}

private fun anyOf(type: Class<*>): Any = Proxy.newProxyInstance(type.classLoader, arrayOf(type)) { _, method, _ ->
    error("nobody asks for $method")
}

class Handler(private val methods: (Method, Array<Any?>) -> Any?) {
    @RuntimeType
    fun handle(@Origin method: Method, @AllArguments arguments: Array<Any?>): Any? = methods(method, arguments).takeUnless { it is Unit || it is Boolean }
}

/** Preferences that last as long as this object. */
internal class Preferences : SharedPreferences, SharedPreferences.Editor {
    private val values = HashMap<String, Any?>()

    private fun put(name: String, value: Any?): SharedPreferences.Editor {
        if (value == null) values.remove(name) else values[name] = value
        return this
    }

    override fun getAll(): Map<String, *> = HashMap(values)

    override fun getString(name: String, otherwise: String?) = values[name] as String? ?: otherwise

    override fun contains(name: String) = name in values

    override fun edit() = this

    override fun putString(name: String, value: String?) = put(name, value)

    override fun remove(name: String) = put(name, null)

    override fun commit() = true

    override fun apply() = Unit

    override fun clear() = error("not what the SDK does")

    override fun putStringSet(name: String, value: Set<String>?) = error("not what the SDK does")

    override fun putInt(name: String, value: Int) = error("not what the SDK does")

    override fun putLong(name: String, value: Long) = error("not what the SDK does")

    override fun putFloat(name: String, value: Float) = error("not what the SDK does")

    override fun putBoolean(name: String, value: Boolean) = error("not what the SDK does")

    override fun getStringSet(name: String, otherwise: Set<String>?) = error("not what the SDK does")

    override fun getInt(name: String, otherwise: Int) = error("not what the SDK does")

    override fun getLong(name: String, otherwise: Long) = error("not what the SDK does")

    override fun getFloat(name: String, otherwise: Float) = error("not what the SDK does")

    override fun getBoolean(name: String, otherwise: Boolean) = error("not what the SDK does")

    override fun registerOnSharedPreferenceChangeListener(listener: SharedPreferences.OnSharedPreferenceChangeListener) =
        error("not what the SDK does")

    override fun unregisterOnSharedPreferenceChangeListener(listener: SharedPreferences.OnSharedPreferenceChangeListener) =
        error("not what the SDK does")
}
