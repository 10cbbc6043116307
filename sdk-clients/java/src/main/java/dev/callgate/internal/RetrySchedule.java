package dev.callgate.internal;

/** When the next attempt of a call begins: full jitter, doubling, on top of what the gateway asks for. */
public final class RetrySchedule {
    /** There is no next attempt. */
    public static final long GIVE_UP = -1;

    private final long baseMs;
    private final long capMs;
    private final int attemptsMax;
    private final Surroundings surroundings;

    public RetrySchedule(long baseMs, long capMs, int attemptsMax, Surroundings surroundings) {
        this.baseMs = baseMs;
        this.capMs = capMs;
        this.attemptsMax = attemptsMax;
        this.surroundings = surroundings;
    }

    /** A call's. */
    public static RetrySchedule ofCalls(int attemptsMax, Surroundings surroundings) {
        return new RetrySchedule(200, 5_000, attemptsMax, surroundings);
    }

    int attemptsMax() {
        return attemptsMax;
    }

    /** The wait before the n-th retry (from 1), in milliseconds, for a random number in [0, 1). */
    public long delayMs(int retry, double random, long retryAfterMs) {
        // 2^30 times any base is beyond any cap.
        long range = Math.min(capMs, baseMs << Math.min(retry - 1, 30));
        return Math.max(retryAfterMs, 0) + (long) Math.floor(random * range);
    }

    /** The wait after that many attempts; {@link #GIVE_UP} if there are enough, or if it would not end before the deadline. */
    long next(int attempts, long retryAfterMs, long leftMs) {
        if (attempts >= attemptsMax) {
            return GIVE_UP;
        }
        long waitMs = delayMs(attempts, surroundings.random(), retryAfterMs);
        return waitMs >= leftMs ? GIVE_UP : waitMs;
    }
}
