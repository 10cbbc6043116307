package dev.callgate.internal;

import dev.callgate.CallgateException;
import okhttp3.Call;

/** One call while it goes on: its ids, its deadline, whether anything of it was sent, and how it is ended from outside. */
public final class CallState {
    final String function;
    final String qualifier;
    public final String invocationId;
    /** Or null. */
    final String idempotencyKey;
    private final long deadlineNanos;
    private final Surroundings surroundings;

    /** Whose credentials it may be signed with; null for whoever it is then. */
    final String onlyOf;

    private boolean cancelled;
    private boolean silently;
    private boolean ended;
    private Thread worker;
    private Call request;
    private volatile boolean sent;
    volatile int attempt;
    /** Whether an attempt may go on although nothing is heard of it. */
    volatile boolean mayBeSilent;


    CallState(
            String function, String qualifier, String idempotencyKey, String onlyOf, long deadlineMs, Surroundings surroundings) {
        this.function = function;
        this.qualifier = qualifier;
        this.idempotencyKey = idempotencyKey;
        this.onlyOf = onlyOf;
        this.invocationId = surroundings.uuid();
        this.surroundings = surroundings;
        this.deadlineNanos = surroundings.nanos() + deadlineMs * 1_000_000;
    }

    /** What is left of the deadline, rounded down, in milliseconds. */
    long leftMs() {
        return (deadlineNanos - surroundings.nanos()) / 1_000_000;
    }

    /** Called as a request's head is about to be written. */
    public void markSent() {
        sent = true;
    }

    /** Whether a request of it may have reached the gateway. */
    boolean maySent() {
        return sent;
    }

    /** A request is about to begin. */
    void request(Call begun) throws Failure {
        synchronized (this) {
            request = begun;
            if (!cancelled) {
                return;
            }
            request = null;
        }
        throw Failure.cancelled();
    }

    synchronized void requestEnded() {
        request = null;
    }

    /** Another thread than the caller's does the work: cancelling interrupts its waits. */
    public synchronized boolean begin(Thread thread) {
        worker = thread;
        return !cancelled;
    }

    /** Ends the call as far as cancelling is concerned. Returns whether it was not cancelled. */
    public synchronized boolean end() {
        ended = true;
        request = null;
        if (worker != null) {
            worker = null;
            // An interrupt that came too late is not the next call's.
            Thread.interrupted();
        }
        return !cancelled;
    }

    /** Breaks off whatever it waits for. Returns false if it had ended. */
    public boolean cancel() {
        return cancel(false);
    }

    /** The same, and the gateway is not told: the run may go on. */
    void abandon() {
        cancel(true);
    }

    private boolean cancel(boolean withoutTelling) {
        Call toCancel;
        synchronized (this) {
            if (ended || cancelled) {
                return false;
            }
            cancelled = true;
            silently = withoutTelling;
            toCancel = request;
            if (worker != null) {
                worker.interrupt();
            }
            notifyAll();
        }
        if (toCancel != null) {
            toCancel.cancel();
        }
        return true;
    }

    public synchronized boolean isCancelled() {
        return cancelled;
    }

    /** What the caller of a call that was cancelled gets. */
    public CallgateException cancelledNow() {
        Failure failure = Failure.cancelled();
        failure.details.invocationId = invocationId;
        failure.details.attempts = attempt;
        failure.details.mayHaveRun = sent;
        return failure.toException();
    }

    /** Whether the gateway is to be told that nobody waits any more. */
    synchronized boolean isToBeToldOf() {
        return cancelled && !silently && sent;
    }

    /** Waits between two attempts. */
    void pause(long ms) throws Failure {
        long untilNanos = surroundings.nanos() + ms * 1_000_000;
        synchronized (this) {
            try {
                long left = ms;
                while (left > 0 && !cancelled) {
                    surroundings.pause(this, left);
                    left = (untilNanos - surroundings.nanos() + 999_999) / 1_000_000;
                }
            } catch (InterruptedException interrupted) {
                interrupted();
            }
            if (!cancelled) {
                return;
            }
        }
        throw Failure.cancelled();
    }

    /** The thread that waits was interrupted: the call counts as cancelled, and the thread stays interrupted. */
    synchronized void interrupted() {
        cancelled = true;
        if (worker == null) {
            Thread.currentThread().interrupt();
        }
    }
}
