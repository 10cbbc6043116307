package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** The gateway does not accept who calls: a login has ended, an identity was revoked. Sign in again, or sign out and go on as a guest. */
public final class AuthenticationException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public AuthenticationException(ErrorDetails details) {
        super("authentication", details);
    }
}
