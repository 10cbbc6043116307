package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** The call's deadline passed. */
public final class DeadlineException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public DeadlineException(ErrorDetails details) {
        super("deadline", details);
    }
}
