package dev.callgate.internal;

import java.util.Date;

/** The gateway's time: the device's clock, corrected by the dates of the gateway's answers. */
public final class Clock {
    private static final long MINDED_FROM_MS = 30_000;

    private final Surroundings surroundings;
    private volatile long correctionMs;

    public Clock(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    public long nowMs() {
        return surroundings.wallMs() + correctionMs;
    }

    public long correctionMs() {
        return correctionMs;
    }

    /** Takes note of an answer's date, null if it has none. Returns whether the correction changed. */
    boolean learn(Date date, long deviceMs, boolean fromGateway) {
        if (date == null || !fromGateway) {
            return false;
        }
        long differenceMs = date.getTime() - deviceMs;
        if (Math.abs(differenceMs - correctionMs) < MINDED_FROM_MS) {
            return false;
        }
        correctionMs = Math.abs(differenceMs) < MINDED_FROM_MS ? 0 : differenceMs;
        return true;
    }
}
