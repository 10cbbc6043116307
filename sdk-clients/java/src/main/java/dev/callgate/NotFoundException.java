package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** There is no such function or version. */
public final class NotFoundException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public NotFoundException(ErrorDetails details) {
        super("not-found", details);
    }
}
