package dev.callgate.android

/** Marks what may only be loaded where the device's API level is at least this; its caller looks at the level first. */
@Retention(AnnotationRetention.BINARY)
@Target(AnnotationTarget.CLASS, AnnotationTarget.FUNCTION)
internal annotation class OnlyFrom(val level: Int)
