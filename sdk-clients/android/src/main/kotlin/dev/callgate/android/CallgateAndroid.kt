@file:JvmName("CallgateAndroid")

package dev.callgate.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import android.net.NetworkRequest
import dev.callgate.Callgate
import java.io.File

/**
 * What an Android app needs beside endpoint and identity pool: identity and credentials in the Android Keystore, and the client
 * context of this app and device. To add to either, set `storage` or `clientContext` after it.
 */
public fun Callgate.Builder.forAndroid(context: Context): Callgate.Builder =
    storage(KeystoreStorage(context)).clientContext(clientContextOf(context).build())

/** The folder for an outbox: private to the app, and in no backup, since a call that was restored might run twice. */
public fun outboxFolder(context: Context): File = File(context.applicationContext.noBackupFilesDir, "callgate-outbox")

/**
 * Sends what waits in the outbox whenever a network comes up, for as long as it is not closed. Without it the outbox tries by
 * itself, at growing distances of at most five minutes.
 */
public fun Callgate.flushWhenOnline(context: Context): AutoCloseable {
    val networks = context.applicationContext.getSystemService(Context.CONNECTIVITY_SERVICE) as ConnectivityManager
    val callback = object : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) = outbox().flush()
    }
    val withInternet = NetworkRequest.Builder().addCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET).build()
    networks.registerNetworkCallback(withInternet, callback)
    return AutoCloseable { networks.unregisterNetworkCallback(callback) }
}
