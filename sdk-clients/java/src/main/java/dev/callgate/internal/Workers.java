package dev.callgate.internal;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads of calls that nobody's own thread waits for. So many at work, so many waiting, and no more. */
public final class Workers {
    static final int WORKERS_MAX = 64;
    static final int WAITING_MAX = 256;
    private static final long IDLE_SECONDS = 10;

    private final Surroundings surroundings;
    private final ThreadPoolExecutor threads;

    Workers(Surroundings surroundings) {
        this.surroundings = surroundings;
        AtomicInteger number = new AtomicInteger();
        ThreadFactory factory = work -> {
            Thread thread = new Thread(work, "callgate-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
        threads = new ThreadPoolExecutor(
                WORKERS_MAX, WORKERS_MAX, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(WAITING_MAX), factory);
        threads.allowCoreThreadTimeOut(true);
    }

    Surroundings surroundings() {
        return surroundings;
    }

    /** Runs it soon. Returns false if there is no room, or if the client is closed. */
    boolean run(Runnable work) {
        try {
            threads.execute(work);
            return true;
        } catch (RejectedExecutionException full) {
            return false;
        }
    }

    /** Runs it if there is room; nobody minds if not. */
    void inBackground(Runnable work) {
        run(work);
    }

    void close() {
        threads.shutdown();
    }
}
