package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** A limit was reached, and waiting for it would have taken longer than the call's attempts or deadline allow. */
public final class ThrottledException extends CallgateException {
    private static final long serialVersionUID = 1L;

    private final long retryAfterMs;
    private final String reason;
    private final String limit;

    public ThrottledException(ErrorDetails details, long retryAfterMs, String reason, String limit) {
        super("throttled", details);
        this.retryAfterMs = retryAfterMs;
        this.reason = reason;
        this.limit = limit;
    }

    /** How long the gateway asks to wait, in milliseconds; -1 if it does not say. */
    public long retryAfterMs() {
        return retryAfterMs;
    }

    /** Which kind of limit, {@code CallerRateLimitExceeded} for one; null if the gateway does not say. */
    public String reason() {
        return reason;
    }

    /** Whose limit it was: {@code identity}, {@code function}, …; null if the gateway does not say. */
    public String limit() {
        return limit;
    }
}
