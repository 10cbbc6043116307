package dev.callgate;

import java.util.Map;

/**
 * Hears what the SDK does. Payloads, answers, keys, tokens, signatures, client contexts and identity ids are never among the
 * fields. Called on the thread that does the work; what it throws is ignored.
 */
public interface CallgateLog {
    /** How much it matters. */
    enum Level {
        DEBUG,
        INFO,
        WARN
    }

    /**
     * @param event {@code invoke}, {@code retry}, {@code credentials}, {@code clock}, {@code identity}, {@code cancel} or
     *     {@code outbox}
     * @param fields names and values, in a fixed order; the map is the listener's to keep
     */
    void log(Level level, String event, Map<String, Object> fields);
}
