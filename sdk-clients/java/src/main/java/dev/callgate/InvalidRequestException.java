package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** The request is wrong and stays so: too large, not JSON, a name that cannot be. */
public final class InvalidRequestException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public InvalidRequestException(ErrorDetails details) {
        super("invalid-request", details);
    }
}
