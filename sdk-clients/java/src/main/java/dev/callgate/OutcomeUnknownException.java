package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** The call may have run, and nobody knows whether: a crash of the gateway cut it short, or its key was forgotten. */
public final class OutcomeUnknownException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public OutcomeUnknownException(ErrorDetails details) {
        super("outcome-unknown", details);
    }
}
