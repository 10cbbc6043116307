package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** The call was cancelled, by this app or by another caller with the right to. */
public final class CancelledException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public CancelledException(ErrorDetails details) {
        super("cancelled", details);
    }
}
