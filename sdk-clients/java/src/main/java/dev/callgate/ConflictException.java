package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** The function is being changed, or the call conflicts with another. */
public final class ConflictException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public ConflictException(ErrorDetails details) {
        super("conflict", details);
    }
}
