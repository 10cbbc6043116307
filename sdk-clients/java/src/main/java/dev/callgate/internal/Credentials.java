package dev.callgate.internal;

/** Session credentials of an identity, or fixed keys. Printing them shows no secret. */
public final class Credentials {
    /** Fixed keys do not end. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Whose they are; of fixed keys this is their id. */
    public final String identity;

    final String accessKeyId;
    final String secretKey;
    /** Null for long-lived keys. */
    final String sessionToken;
    /** From when to when they are good, by the gateway's clock, in milliseconds since 1970. */
    public final long fromMs;

    public final long untilMs;

    public Credentials(
            String identity, String accessKeyId, String secretKey, String sessionToken, long fromMs, long untilMs) {
        this.identity = identity;
        this.accessKeyId = accessKeyId;
        this.secretKey = secretKey;
        this.sessionToken = sessionToken;
        this.fromMs = fromMs;
        this.untilMs = untilMs;
    }

    /** What a call does with credentials of some age. */
    public enum Age {
        USE,
        USE_AND_FETCH_AHEAD,
        WAIT_FOR_NEW
    }

    /** A life's last five minutes (or quarter, if that is less) are for fetching ahead; its last 30 s (or twentieth) unusable. */
    public Age age(long nowMs) {
        return untilMs == NEVER ? Age.USE : age(untilMs - nowMs, untilMs - fromMs);
    }

    static Age age(long leftMs, long lifeMs) {
        if (leftMs <= Math.min(30_000, lifeMs / 20)) {
            return Age.WAIT_FOR_NEW;
        }
        return leftMs <= Math.min(300_000, lifeMs / 4) ? Age.USE_AND_FETCH_AHEAD : Age.USE;
    }

    @Override
    public String toString() {
        return "Credentials(…)";
    }
}
