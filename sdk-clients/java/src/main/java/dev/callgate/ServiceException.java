package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** The gateway, or a proxy before it, failed or is overloaded; all attempts did. */
public final class ServiceException extends CallgateException {
    private static final long serialVersionUID = 1L;

    private final long retryAfterMs;

    public ServiceException(ErrorDetails details, long retryAfterMs) {
        super("service", details);
        this.retryAfterMs = retryAfterMs;
    }

    /** How long the gateway asks to wait, in milliseconds; -1 if it does not say. */
    public long retryAfterMs() {
        return retryAfterMs;
    }
}
