package android.os

/** In place of Android's own, which asks the device. The tests decide what it is. */
class Build {
    companion object {
        @JvmField var MANUFACTURER = "Google"
        @JvmField var MODEL = "Pixel 2"
    }

    class VERSION {
        companion object {
            @JvmField var RELEASE = "8.1.0"
            @JvmField var SDK_INT = 27
        }
    }
}
