package dev.callgate.internal;

/** A function's answer as it came. */
public final class Answered {
    public final byte[] body;
    public final String requestId;
    public final String executedVersion;
    /** Whether the gateway had it in store from an earlier request of the same call. */
    public final boolean replayed;
    public final String invocationId;
    public final int attempts;

    Answered(byte[] body, String requestId, String executedVersion, boolean replayed, CallState call) {
        this.body = body;
        this.requestId = requestId;
        this.executedVersion = executedVersion;
        this.replayed = replayed;
        this.invocationId = call.invocationId;
        this.attempts = call.attempt;
    }
}
