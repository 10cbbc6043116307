package dev.callgate.android

import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import dev.callgate.ClientContext
import java.util.Locale
import java.util.UUID

/**
 * What this app and device say of themselves, member for member as the AWS SDK for Android said it, so that functions written
 * for it read on. Add to it before it is built.
 */
public fun clientContextOf(context: Context): ClientContext.Builder {
    val app = context.applicationContext
    val about = ClientContext.builder()
        .installationId(installationId(app))
        .appPackageName(app.packageName)
        .platform("Android")
        .platformVersion(Build.VERSION.RELEASE)
        .make(Build.MANUFACTURER)
        .model(Build.MODEL)
        .locale(Locale.getDefault().toString())
    try {
        val info = app.packageManager.getPackageInfo(app.packageName, 0)
        @Suppress("DEPRECATION") // Its successor has come with API level 28.
        about.appVersionName(info.versionName).appVersionCode(info.versionCode.toString())
        about.appTitle(app.packageManager.getApplicationLabel(app.applicationInfo)?.toString())
    } catch (_: PackageManager.NameNotFoundException) {
        // A device that is still starting does not know its packages yet. What is unknown is not said.
    }
    return about
}

/**
 * An id of this installation of the app, the same until the app is uninstalled. An app that came from the AWS SDK for Android
 * keeps the one it had.
 */
public fun installationId(context: Context): String = synchronized(Installation) {
    val preferences = context.applicationContext.getSharedPreferences(Installation.PREFERENCES, Context.MODE_PRIVATE)
    preferences.getString(Installation.ID, null)?.let { return it }
    val old = context.applicationContext.getSharedPreferences(Installation.AWS_PREFERENCES, Context.MODE_PRIVATE)
    val id = old.getString(Installation.AWS_ID, null) ?: UUID.randomUUID().toString()
    preferences.edit().putString(Installation.ID, id).commit()
    id
}

private object Installation {
    const val PREFERENCES = "dev.callgate.installation"
    const val ID = "id"
    const val AWS_PREFERENCES = "com.amazonaws.common"
    const val AWS_ID = "installation_id"
}
