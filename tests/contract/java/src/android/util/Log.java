package android.util;

/** In place of Android's own, which writes to the device's log. */
public final class Log {
  private Log() {}

  public static boolean isLoggable(String tag, int level) {
    return level >= 6;
  }

  public static int v(String tag, String message) {
    return 0;
  }

  public static int v(String tag, String message, Throwable why) {
    return 0;
  }

  public static int d(String tag, String message) {
    return 0;
  }

  public static int d(String tag, String message, Throwable why) {
    return 0;
  }

  public static int i(String tag, String message) {
    return 0;
  }

  public static int i(String tag, String message, Throwable why) {
    return 0;
  }

  public static int w(String tag, String message) {
    return 0;
  }

  public static int w(String tag, String message, Throwable why) {
    return 0;
  }

  public static int e(String tag, String message) {
    System.err.println(tag + ": " + message);
    return 0;
  }

  public static int e(String tag, String message, Throwable why) {
    System.err.println(tag + ": " + message + ": " + why);
    return 0;
  }
}
