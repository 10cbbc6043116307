package dev.callgate;

import dev.callgate.internal.Text;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** What one call wants otherwise than the rest. Immutable: each method gives back another. */
public final class CallOptions {
    /** Nothing special. */
    public static final CallOptions NONE = new CallOptions(0, null, false, null, Collections.<String, String>emptyMap());

    private static final long DEADLINE_MS_MAX = 900_000;

    private final long deadlineMs;
    private final String idempotencyKey;
    private final boolean idempotent;
    private final String qualifier;
    private final Map<String, String> custom;

    private CallOptions(long deadlineMs, String key, boolean idempotent, String qualifier, Map<String, String> custom) {
        this.deadlineMs = deadlineMs;
        this.idempotencyKey = key;
        this.idempotent = idempotent;
        this.qualifier = qualifier;
        this.custom = custom;
    }

    /** How long the whole call may take, in milliseconds: 1 to 900,000. */
    public CallOptions deadlineMs(long ms) {
        if (ms < 1 || ms > DEADLINE_MS_MAX) {
            throw new IllegalArgumentException("a deadline has 1 to " + DEADLINE_MS_MAX + " ms, not " + ms);
        }
        return new CallOptions(ms, idempotencyKey, idempotent, qualifier, custom);
    }

    /** Sends a durable key of the SDK's own: the call runs once even if the gateway crashes meanwhile. */
    public CallOptions idempotent() {
        return new CallOptions(deadlineMs, idempotencyKey, true, qualifier, custom);
    }

    /** The same with a key of the app's own, 1 to 255 visible ASCII characters: what has the same key is the same call, for a day. */
    public CallOptions idempotencyKey(String key) {
        if (!Text.isVisible(key, 255)) {
            throw new IllegalArgumentException("an idempotency key has 1 to 255 visible ASCII characters");
        }
        return new CallOptions(deadlineMs, key, true, qualifier, custom);
    }

    /** A version or an alias of the function. */
    public CallOptions qualifier(String versionOrAlias) {
        return new CallOptions(deadlineMs, idempotencyKey, idempotent, versionOrAlias, custom);
    }

    /** Adds to {@code custom} of the client context, for this call only. */
    public CallOptions custom(String name, String value) {
        Map<String, String> more = new TreeMap<>(custom);
        more.put(name, value);
        return new CallOptions(deadlineMs, idempotencyKey, idempotent, qualifier, Collections.unmodifiableMap(more));
    }

    /** These, and from the others what these leave open. */
    CallOptions over(CallOptions others) {
        Map<String, String> all = new TreeMap<>(others.custom);
        all.putAll(custom);
        return new CallOptions(
                deadlineMs == 0 ? others.deadlineMs : deadlineMs,
                idempotencyKey == null ? others.idempotencyKey : idempotencyKey,
                idempotent || others.idempotent,
                qualifier == null ? others.qualifier : qualifier,
                Collections.unmodifiableMap(all));
    }

    /** 0 if the client's own holds. */
    public long deadlineMs() {
        return deadlineMs;
    }

    /** The app's key, or null. */
    public String idempotencyKey() {
        return idempotencyKey;
    }

    /** Whether a key is sent. */
    public boolean isIdempotent() {
        return idempotent;
    }

    /** Or null. */
    public String qualifier() {
        return qualifier;
    }

    /** What is added to the client context. */
    public Map<String, String> custom() {
        return custom;
    }
}
