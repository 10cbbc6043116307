package dev.callgate;

import dev.callgate.internal.CallState;
import dev.callgate.internal.Surroundings;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;

/** Time that only passes where it is told to, and chance as a list. Waits of calls pass at once; those of others are real. */
class FakeTime extends Surroundings {
    private long wallMs = System.currentTimeMillis();
    private long nanos;
    final Deque<Double> randoms = new ArrayDeque<>();
    final List<Long> waits = Collections.synchronizedList(new ArrayList<>());

    @Override
    public synchronized long wallMs() {
        return wallMs;
    }

    @Override
    public synchronized long nanos() {
        return nanos;
    }

    @Override
    public synchronized double random() {
        return randoms.isEmpty() ? 0.5 : randoms.poll();
    }

    synchronized void pass(long ms) {
        wallMs += ms;
        nanos += ms * 1_000_000;
    }

    @Override
    public void pause(Object lock, long ms) throws InterruptedException {
        if (lock instanceof CallState) {
            waits.add(ms);
            pass(ms);
        } else {
            super.pause(lock, Math.min(ms, 20));
        }
    }
}
