package dev.callgate.internal;

/** What becomes of a kept call. */
final class OutboxRules {
    /** The gateway knows a key for a day; what was first sent longer ago than this is not sent again. */
    static final long KEY_WINDOW_MS = 82_800_000;

    private OutboxRules() {}

    /** Before a try. */
    enum Before {
        SEND,
        EXPIRED,
        OUTCOME_UNKNOWN
    }

    static Before before(long ageMs, boolean sent, long firstSentAgeMs, long ageLimitMs, long keyWindowMs) {
        if (sent) {
            return firstSentAgeMs > keyWindowMs ? Before.OUTCOME_UNKNOWN : Before.SEND;
        }
        return ageMs > ageLimitMs ? Before.EXPIRED : Before.SEND;
    }

    /** Whether an error of that kind is the end of it; another try may do better after the others. */
    static boolean isFinal(String kind) {
        switch (kind) {
            case "offline":
            case "throttled":
            case "service":
            case "deadline":
            case "conflict":
            case "authentication":
                return false;
            default:
                return true;
        }
    }
}
