package flows;

import java.util.Map;
import java.util.Objects;

/** What the test that runs a flow says of its gateway, and how a flow says what must be. Knows no SDK. */
class Given {
  static final String ENDPOINT = named("CALLGATE_ENDPOINT");
  static final String REGION = named("CALLGATE_REGION");
  static final String POOL = named("CALLGATE_POOL");
  static final String ACCOUNT = named("CALLGATE_ACCOUNT");
  static final String KEY_ID = named("CALLGATE_KEY_ID");
  static final String SECRET = named("CALLGATE_SECRET");
  static final String FUNCTION = named("CALLGATE_FUNCTION");
  static final String LOGIN = named("CALLGATE_LOGIN");
  static final String DEVELOPER = named("CALLGATE_DEVELOPER");
  static final String ROLE = named("CALLGATE_ROLE");

  Given() {}

  static String named(String variable) {
    return Objects.requireNonNull(System.getenv(variable), variable);
  }

  /** A token of the issuer, for a user of their own. */
  static String token(int user) {
    return named("CALLGATE_TOKEN_" + user);
  }

  /** The same users' tokens at the pool's issuer, as the map of logins. */
  static Map<String, String> logins(int user) {
    return Map.of(LOGIN, token(user));
  }

  static void same(Object wanted, Object found) {
    if (!Objects.equals(wanted, found)) {
      throw new AssertionError("wanted " + wanted + ", found " + found);
    }
  }

  /** This must be refused, with this exception of the SDK's. */
  static <E extends Exception> E refused(Class<E> wanted, Runnable attempt) {
    try {
      attempt.run();
    } catch (Exception error) {
      if (wanted.isInstance(error)) {
        return wanted.cast(error);
      }
      throw new AssertionError("wanted " + wanted.getName() + ", found " + error, error);
    }
    throw new AssertionError("wanted " + wanted.getName() + ", was not refused");
  }
}
