package dev.callgate.internal;

import dev.callgate.CallOptions;
import dev.callgate.CallgateException;
import dev.callgate.ExpiredException;
import dev.callgate.FullException;
import dev.callgate.OutboxListener;
import dev.callgate.OutboxResult;
import dev.callgate.OutcomeUnknownException;
import dev.callgate.ServiceException;
import dev.callgate.ThrottledException;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Type;
import java.util.Iterator;
import java.util.List;

/** Keeps calls, and sends them in order on a thread of its own. */
public final class OutboxSender implements Runnable {
    static final int CALLS_MAX = 1_000;
    static final long BYTES_MAX = 16 * 1024 * 1024;
    private static final long WAIT_BASE_MS = 1_000;
    private static final long WAIT_MAX_MS = 300_000;
    private static final long CLOSE_WITHIN_MS = 2_000;

    private final Client client;
    private final CredentialKeeper keeper;
    private final Clock clock;
    private final Surroundings surroundings;
    private final Log log;
    private final OutboxListener listener;
    private final long ageLimitMs;
    private final OutboxFolder folder;
    private final RetrySchedule schedule;
    private final Thread thread;

    // Guarded by this.
    private final List<OutboxFolder.Entry> entries;
    private long bytes;
    private boolean closed;
    /** Failures in a row of the first that can be sent. */
    private int failures;

    private long notBeforeNanos;
    private CallState underWay;
    private OutboxFolder.Entry sending;

    private OutboxSender(
            Client client, Settings settings, CredentialKeeper keeper, Clock clock, Surroundings surroundings, Log log,
            OutboxFolder folder, List<OutboxFolder.Entry> entries) {
        this.client = client;
        this.keeper = keeper;
        this.clock = clock;
        this.surroundings = surroundings;
        this.log = log;
        this.listener = settings.outboxListener;
        this.ageLimitMs = settings.outboxAgeLimitMs;
        this.folder = folder;
        this.entries = entries;
        for (OutboxFolder.Entry entry : entries) {
            bytes += entry.bytes;
        }
        this.schedule = new RetrySchedule(WAIT_BASE_MS, WAIT_MAX_MS, Integer.MAX_VALUE, surroundings);
        this.notBeforeNanos = surroundings.nanos();
        this.thread = new Thread(this, "callgate-outbox");
        thread.setDaemon(true);
    }

    static OutboxSender open(
            Client client, Settings settings, CredentialKeeper keeper, Clock clock, Surroundings surroundings, Log log) {
        File at = settings.outboxFolder;
        OutboxFolder folder = OutboxFolder.open(at, surroundings, log);
        try {
            OutboxSender sender = new OutboxSender(
                    client, settings, keeper, clock, surroundings, log, folder, folder.load());
            sender.thread.start();
            return sender;
        } catch (IOException error) {
            folder.close();
            throw new IllegalArgumentException("the outbox " + at + " cannot be read: " + error.getMessage(), error);
        }
    }

    /** Keeps a call; returns its id. */
    public String add(String function, Object argument, Type type, CallOptions options, String label) {
        String payload = type == null ? "" : client.write(argument, type);
        if (function.isEmpty() || payload.length() > Bodies.BYTES_MAX) {
            throw Client.invalid("a kept call has a function's name, and an argument of at most " + Bodies.BYTES_MAX + " bytes", null);
        }
        String key = options.idempotencyKey() == null ? surroundings.uuid() : options.idempotencyKey();
        synchronized (this) {
            if (closed) {
                throw new IllegalStateException("the client is closed");
            }
            if (entries.size() >= CALLS_MAX || bytes + payload.length() > BYTES_MAX) {
                throw new FullException(new ErrorDetails(
                        "the outbox has " + entries.size() + " calls and " + bytes + " bytes; it holds " + CALLS_MAX + " and " + BYTES_MAX));
            }
            OutboxRecord record = new OutboxRecord(
                    surroundings.uuid(), keeper.id(), function, options.qualifier(), payload, options.custom(), key, label,
                    clock.nowMs(), OutboxRecord.NEVER);
            try {
                OutboxFolder.Entry entry = folder.add(record);
                if (entries.isEmpty()) {
                    failures = 0;
                    notBeforeNanos = surroundings.nanos();
                }
                entries.add(entry);
                bytes += entry.bytes;
            } catch (IOException error) {
                throw new FullException(
                        new ErrorDetails("the outbox cannot be written: " + error.getMessage()).cause(error));
            }
            notifyAll();
            return record.id;
        }
    }

    /** Takes a call back if it certainly was not sent. */
    public synchronized boolean withdraw(String id) {
        for (Iterator<OutboxFolder.Entry> each = entries.iterator(); each.hasNext(); ) {
            OutboxFolder.Entry entry = each.next();
            if (entry.id.equals(id)) {
                if (entry == sending || entry.firstSentMs != OutboxRecord.NEVER) {
                    return false;
                }
                each.remove();
                bytes -= entry.bytes;
                folder.erase(entry);
                return true;
            }
        }
        return false;
    }

    public synchronized int size() {
        return entries.size();
    }

    /** Tries now what waits. */
    public synchronized void flush() {
        failures = 0;
        notBeforeNanos = surroundings.nanos();
        notifyAll();
    }

    void close() {
        CallState toLeave;
        synchronized (this) {
            closed = true;
            toLeave = underWay;
            notifyAll();
        }
        if (toLeave != null) {
            // What was sent may run on: its answer is fetched the next time.
            toLeave.abandon();
        }
        if (Thread.currentThread() != thread) {
            try {
                thread.join(CLOSE_WITHIN_MS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void run() {
        try {
            for (OutboxFolder.Entry next = next(); next != null; next = next()) {
                try {
                    handle(next);
                } catch (IOException | RuntimeException error) {
                    log.warn("outbox", "id", next.id, "error", error.getClass().getSimpleName());
                    failed(-1);
                } finally {
                    sending(null, null);
                }
            }
        } finally {
            folder.close();
        }
    }

    /** The next call with which something is to be done, once it is time; null once the client is closed. */
    private synchronized OutboxFolder.Entry next() {
        while (!closed) {
            String id = keeper.id();
            List<String> was = keeper.was();
            long nowMs = clock.nowMs();
            long waitMs = WAIT_MAX_MS;
            OutboxFolder.Entry first = null;
            for (OutboxFolder.Entry entry : entries) {
                if (before(entry, nowMs) != OutboxRules.Before.SEND) {
                    sending = entry;
                    return entry;
                }
                boolean own = entry.identity == null || entry.identity.equals(id) || was.contains(entry.identity);
                if (first == null && own) {
                    first = entry;
                }
            }
            if (first != null) {
                waitMs = (notBeforeNanos - surroundings.nanos() + 999_999) / 1_000_000;
                if (waitMs <= 0) {
                    sending = first;
                    return first;
                }
            }
            try {
                // Not longer than this, since ages grow meanwhile.
                surroundings.pause(this, Math.min(waitMs, WAIT_MAX_MS));
            } catch (InterruptedException nobodyElseHasThisThread) {
                closed = true;
            }
        }
        return null;
    }

    private OutboxRules.Before before(OutboxFolder.Entry entry, long nowMs) {
        boolean sent = entry.firstSentMs != OutboxRecord.NEVER;
        return OutboxRules.before(
                nowMs - entry.addedMs, sent, nowMs - entry.firstSentMs, ageLimitMs, OutboxRules.KEY_WINDOW_MS);
    }

    private synchronized boolean sending(OutboxFolder.Entry entry, CallState call) {
        sending = entry;
        underWay = call;
        return !closed;
    }

    private void handle(OutboxFolder.Entry entry) throws IOException {
        OutboxRecord record = folder.read(entry);
        if (record == null) {
            folder.setAside(entry.file);
            forget(entry);
            return;
        }
        if (before(entry, clock.nowMs()) == OutboxRules.Before.SEND) {
            // Who is it now? A first guest's id, or a login's, may only come with credentials; and with their answer the right time.
            CallState asking = client.beginKept(record, null);
            if (!sending(entry, asking)) {
                return;
            }
            try {
                client.authenticateKept(asking);
            } catch (CallgateException error) {
                failed(error);
                return;
            }
        }
        switch (before(entry, clock.nowMs())) {
            case EXPIRED:
                done(entry, record, null, new ExpiredException(new ErrorDetails("the call got too old before it could be sent")));
                return;
            case OUTCOME_UNKNOWN:
                ErrorDetails details = new ErrorDetails("the call was sent, and its answer did not come before its key was forgotten");
                details.mayHaveRun = true;
                done(entry, record, null, new OutcomeUnknownException(details));
                return;
            default:
                send(entry, record);
        }
    }

    private void send(OutboxFolder.Entry entry, OutboxRecord record) throws IOException {
        String id = keeper.id();
        if (id == null || record.identity != null && !record.identity.equals(id) && !keeper.was().contains(record.identity)) {
            return; // Somebody else is here now.
        }
        boolean sentBefore = record.firstSentMs != OutboxRecord.NEVER;
        if (!sentBefore) {
            surroundings.step("send: begins");
            folder.replace(entry, record.sent(id, clock.nowMs()));
            surroundings.step("send: noted");
        }
        CallState call = client.beginKept(record, id);
        if (!sending(entry, call)) {
            return;
        }
        try {
            Answered answered = client.callKept(call, record);
            surroundings.step("send: answered");
            done(entry, record, new String(answered.body, Text.UTF_8), null);
        } catch (CallgateException error) {
            synchronized (this) {
                if (closed) {
                    return;
                }
            }
            if (!sentBefore && !error.mayHaveRun()) {
                folder.replace(entry, record.sent(id, OutboxRecord.NEVER));
            }
            if (OutboxRules.isFinal(error.kind())) {
                surroundings.step("send: answered");
                done(entry, record, null, error);
            } else {
                failed(error);
            }
        }
    }

    private void failed(CallgateException error) {
        long afterMs = -1;
        if (error instanceof ThrottledException) {
            afterMs = ((ThrottledException) error).retryAfterMs();
        } else if (error instanceof ServiceException) {
            afterMs = ((ServiceException) error).retryAfterMs();
        }
        log.info("outbox", "waits", error.kind(), "code", error.code());
        failed(afterMs);
    }

    private synchronized void failed(long retryAfterMs) {
        failures++;
        long waitMs = schedule.delayMs(failures, surroundings.random(), retryAfterMs);
        notBeforeNanos = surroundings.nanos() + waitMs * 1_000_000;
    }

    private void done(OutboxFolder.Entry entry, OutboxRecord record, String json, CallgateException error) {
        log.info("outbox", "id", record.id, "became", error == null ? "success" : error.kind());
        try {
            listener.onResult(new OutboxResult(client, record.id, record.function, record.label, json, error));
        } catch (RuntimeException theirs) {
            log.warn("outbox", "id", record.id, "listener", theirs.getClass().getSimpleName());
        }
        surroundings.step("done: told");
        folder.erase(entry);
        surroundings.step("done: erased");
        forget(entry);
    }

    private synchronized void forget(OutboxFolder.Entry entry) {
        if (entries.remove(entry)) {
            bytes -= entry.bytes;
        }
        failures = 0;
        notBeforeNanos = surroundings.nanos();
    }
}
