package dev.callgate.internal;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** A kept call, as its file has it. Immutable. */
final class OutboxRecord {
    private static final int FORMAT = 1;
    /** No time: it was never sent. */
    static final long NEVER = -1;

    final String id;
    /** Null until it is known whose it is. */
    final String identity;

    final String function;
    final String qualifier;
    final String payload;
    final Map<String, String> custom;
    final String key;
    final String label;
    final long addedMs;
    final long firstSentMs;

    OutboxRecord(
            String id, String identity, String function, String qualifier, String payload, Map<String, String> custom,
            String key, String label, long addedMs, long firstSentMs) {
        this.id = id;
        this.identity = identity;
        this.function = function;
        this.qualifier = qualifier;
        this.payload = payload;
        this.custom = custom;
        this.key = key;
        this.label = label;
        this.addedMs = addedMs;
        this.firstSentMs = firstSentMs;
    }

    OutboxRecord sent(String by, long atMs) {
        return new OutboxRecord(id, by, function, qualifier, payload, custom, key, label, addedMs, atMs);
    }

    String text() {
        JsonObject to = new JsonObject();
        to.addProperty("format", FORMAT);
        to.addProperty("id", id);
        to.addProperty("identity", identity);
        to.addProperty("function", function);
        to.addProperty("qualifier", qualifier);
        to.addProperty("payload", payload);
        JsonObject added = new JsonObject();
        for (Map.Entry<String, String> one : custom.entrySet()) {
            added.addProperty(one.getKey(), one.getValue());
        }
        to.add("custom", added);
        to.addProperty("key", key);
        to.addProperty("label", label);
        to.addProperty("addedMs", addedMs);
        to.addProperty("firstSentMs", firstSentMs);
        return to.toString();
    }

    /** The record, or null if the text is none. */
    static OutboxRecord of(String text) {
        JsonObject from = Json.object(text);
        String id = Json.string(from, "id");
        String function = Json.string(from, "function");
        String payload = Json.string(from, "payload");
        String key = Json.string(from, "key");
        double addedMs = Json.number(from, "addedMs", -1);
        double firstSentMs = Json.number(from, "firstSentMs", -2);
        boolean whole = Json.number(from, "format", 0) == FORMAT && id != null && function != null && payload != null
                && key != null && Text.isVisible(key, 255) && addedMs >= 0 && firstSentMs >= NEVER;
        if (!whole) {
            return null;
        }
        Map<String, String> custom = new TreeMap<>();
        JsonElement added = from.get("custom");
        if (added instanceof JsonObject) {
            for (String name : ((JsonObject) added).keySet()) {
                String value = Json.string((JsonObject) added, name);
                if (value != null) {
                    custom.put(name, value);
                }
            }
        }
        return new OutboxRecord(
                id, Json.string(from, "identity"), function, Json.string(from, "qualifier"), payload,
                Collections.unmodifiableMap(custom), key, Json.string(from, "label"), (long) addedMs, (long) firstSentMs);
    }
}
