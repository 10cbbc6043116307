package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** The gateway cannot be reached: no connection, a broken one, a wrong certificate, a captive portal. */
public final class OfflineException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public OfflineException(ErrorDetails details) {
        super("offline", details);
    }
}
