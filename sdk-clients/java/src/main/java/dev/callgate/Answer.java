package dev.callgate;

/** A function's answer, and what the gateway says of it. */
public final class Answer<T> {
    private final T value;
    private final String requestId;
    private final String invocationId;
    private final String executedVersion;
    private final boolean replayed;
    private final int attempts;

    Answer(T value, String requestId, String invocationId, String executedVersion, boolean replayed, int attempts) {
        this.value = value;
        this.requestId = requestId;
        this.invocationId = invocationId;
        this.executedVersion = executedVersion;
        this.replayed = replayed;
        this.attempts = attempts;
    }

    /** What the function answered; null for JSON's null. */
    public T value() {
        return value;
    }

    /** The gateway's id of the request, as it stands in the function's log. */
    public String requestId() {
        return requestId;
    }

    /** The id that all attempts of the call had. */
    public String invocationId() {
        return invocationId;
    }

    /** The version that ran. */
    public String executedVersion() {
        return executedVersion;
    }

    /** Whether it was kept by the gateway from an earlier request of the same call. */
    public boolean replayed() {
        return replayed;
    }

    /** How many attempts it took. */
    public int attempts() {
        return attempts;
    }
}
