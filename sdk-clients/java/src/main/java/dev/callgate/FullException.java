package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** There is no room: too many calls wait, or the outbox has reached its limit. */
public final class FullException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public FullException(ErrorDetails details) {
        super("full", details);
    }
}
