package dev.callgate;

import dev.callgate.internal.CallState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A call that goes on beside its caller. Android 5 has no CompletableFuture; this is what it takes. */
public final class CallgateFuture<T> implements Future<T> {
    /** Hears how a call ended: one of the two, once. */
    public interface Listener<T> {
        void onAnswer(T value);

        void onError(CallgateException error);
    }

    private final CallState call;
    private boolean done;
    private T value;
    private CallgateException error;
    private List<Runnable> waiting = new ArrayList<>();

    CallgateFuture(CallState call) {
        this.call = call;
    }

    /**
     * Ends the call at once with {@link CancelledException}, and tells the gateway to stop the run if one may have begun.
     *
     * @return false if it had ended already
     */
    @Override
    public boolean cancel(boolean alsoIfRunning) {
        if (!call.cancel()) {
            return false;
        }
        // Whoever waits need not wait for the thread that does the work.
        complete(null, call.cancelledNow());
        return true;
    }

    @Override
    public synchronized boolean isCancelled() {
        return error instanceof CancelledException;
    }

    @Override
    public synchronized boolean isDone() {
        return done;
    }

    /** Waits for the answer. Unlike {@link #get()} it throws the call's own error. */
    public synchronized T await() throws InterruptedException {
        while (!done) {
            wait();
        }
        if (error != null) {
            throw error;
        }
        return value;
    }

    @Override
    public T get() throws InterruptedException, ExecutionException {
        try {
            return await();
        } catch (CallgateException failed) {
            throw wrapped(failed);
        }
    }

    @Override
    public synchronized T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        long until = System.nanoTime() + unit.toNanos(timeout);
        while (!done) {
            long left = until - System.nanoTime();
            if (left <= 0) {
                throw new TimeoutException("the call goes on");
            }
            // Rounded up: to wait 0 ms is to wait for ever.
            wait(left / 1_000_000 + 1);
        }
        return get();
    }

    private static ExecutionException wrapped(CallgateException failed) throws ExecutionException {
        if (failed instanceof CancelledException) {
            CancellationException cancelled = new CancellationException(failed.getMessage());
            cancelled.initCause(failed);
            throw cancelled;
        }
        throw new ExecutionException(failed);
    }

    /** Tells the listener how it ended, by that executor; at once if it has ended. */
    public CallgateFuture<T> onDone(Executor executor, Listener<? super T> listener) {
        Runnable tell = () -> executor.execute(() -> {
            if (error != null) {
                listener.onError(error);
            } else {
                listener.onAnswer(value);
            }
        });
        synchronized (this) {
            if (!done) {
                waiting.add(tell);
                return this;
            }
        }
        tell.run();
        return this;
    }

    void complete(T answer, CallgateException failed) {
        List<Runnable> toTell;
        synchronized (this) {
            if (done) {
                return;
            }
            value = answer;
            error = failed;
            done = true;
            toTell = waiting;
            waiting = null;
            notifyAll();
        }
        for (Runnable tell : toTell) {
            try {
                tell.run();
            } catch (RuntimeException theirs) {
                // An executor that refuses one listener must not keep the others from hearing.
            }
        }
    }
}
