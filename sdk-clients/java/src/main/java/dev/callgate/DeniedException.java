package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** Policy does not allow this caller to call that function. Trying again does not help. */
public final class DeniedException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public DeniedException(ErrorDetails details) {
        super("denied", details);
    }
}
