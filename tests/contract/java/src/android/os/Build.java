package android.os;

/** In place of Android's own, which asks the device: a device of API level 17, whose keys need no Android Keystore. */
public final class Build {
  private Build() {}

  /** What the SDK asks for. */
  public static final class VERSION {
    private VERSION() {}

    /** The API level. */
    public static final int SDK_INT = 17;
  }
}
