package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/**
 * Why a call has no answer. Its subclasses are the kinds of errors, one each; catch the ones that your app can do something
 * about, and this one for the rest.
 */
public abstract class CallgateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String kind;
    private final String code;
    private final int status;
    private final String requestId;
    private final String invocationId;
    private final int attempts;
    private final boolean mayHaveRun;

    CallgateException(String kind, ErrorDetails details) {
        super(details.message, details.cause);
        this.kind = kind;
        this.code = details.code;
        this.status = details.status;
        this.requestId = details.requestId;
        this.invocationId = details.invocationId;
        this.attempts = details.attempts;
        this.mayHaveRun = details.mayHaveRun;
    }

    /** The kind's name in the SDKs' contract, for logs and counters: {@code throttled}, {@code offline}, … */
    public final String kind() {
        return kind;
    }

    /** The service's own name for it, {@code AccessDeniedException} for one; null if there is none. */
    public final String code() {
        return code;
    }

    /** HTTP status of the answer; 0 if there was none. */
    public final int status() {
        return status;
    }

    /** The gateway's id of the last request; null if there was no answer. */
    public final String requestId() {
        return requestId;
    }

    /** The id that all attempts of the call had; null where there was no call. */
    public final String invocationId() {
        return invocationId;
    }

    /** How many attempts were made; 0 if the call never began. */
    public final int attempts() {
        return attempts;
    }

    /** False if the function certainly did not run for this call. */
    public final boolean mayHaveRun() {
        return mayHaveRun;
    }
}
