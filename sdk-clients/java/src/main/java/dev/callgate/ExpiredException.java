package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** A kept call got too old before it could be sent. It certainly did not run. */
public final class ExpiredException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public ExpiredException(ErrorDetails details) {
        super("expired", details);
    }
}
