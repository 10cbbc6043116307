package dev.callgate.testing;

import dev.callgate.Callgate;
import dev.callgate.internal.CallState;
import dev.callgate.internal.Surroundings;

/** Time for tests. */
final class Testing {
    private Testing() {}

    static Callgate.Builder hurry(Callgate.Builder builder) {
        return builder.surroundings(new Hurried());
    }

    /** Waits between a call's attempts pass at once, and count as if they had not. */
    private static final class Hurried extends Surroundings {
        private long skippedNanos;

        @Override
        public synchronized long nanos() {
            return super.nanos() + skippedNanos;
        }

        @Override
        public void pause(Object lock, long ms) throws InterruptedException {
            if (lock instanceof CallState) {
                synchronized (this) {
                    skippedNanos += ms * 1_000_000;
                }
            } else {
                super.pause(lock, ms);
            }
        }
    }
}
