package dev.callgate.internal;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Time and chance. A parameter, so that tests decide both. */
public class Surroundings {
    /** The device's clock: milliseconds since 1970. */
    public long wallMs() {
        return System.currentTimeMillis();
    }

    /** A clock that only goes forward, in nanoseconds. */
    public long nanos() {
        return System.nanoTime();
    }

    /** A random number in [0, 1). */
    public double random() {
        return ThreadLocalRandom.current().nextDouble();
    }

    /** An id that nobody else has. */
    public String uuid() {
        return UUID.randomUUID().toString();
    }

    /** Waits; a lock's {@code notifyAll} or an interrupt ends it early. The caller holds the lock. */
    public void pause(Object lock, long ms) throws InterruptedException {
        if (ms > 0) {
            lock.wait(ms);
        }
    }

    /** Called between two steps of the outbox. Tests end the process here. */
    public void step(String name) {}
}
