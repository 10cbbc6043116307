package dev.callgate.internal;

/** What every error of the SDK carries; filled in while a call goes on, then never changed. */
public final class ErrorDetails {
    public String message;
    /** The service's name for it, or null. */
    public String code;
    /** HTTP status; 0 without an answer. */
    public int status;
    public String requestId;
    public String invocationId;
    public int attempts;
    public boolean mayHaveRun;
    public Throwable cause;

    public ErrorDetails(String message) {
        this.message = message;
    }

    public ErrorDetails cause(Throwable thrown) {
        this.cause = thrown;
        return this;
    }
}
