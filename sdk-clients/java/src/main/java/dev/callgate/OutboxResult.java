package dev.callgate;

import dev.callgate.internal.Client;
import java.lang.reflect.Type;

/** What became of a kept call. */
public final class OutboxResult {
    private final Client client;
    private final String id;
    private final String function;
    private final String label;
    private final String json;
    private final CallgateException error;

    /** Made by the SDK. */
    public OutboxResult(Client client, String id, String function, String label, String json, CallgateException error) {
        this.client = client;
        this.id = id;
        this.function = function;
        this.label = label;
        this.json = json;
        this.error = error;
    }

    /** The receipt's. */
    public String id() {
        return id;
    }

    public String function() {
        return function;
    }

    /** What the app called it, or null. */
    public String label() {
        return label;
    }

    public boolean isSuccess() {
        return error == null;
    }

    /** Why there is no answer: {@link ExpiredException}, {@link OutcomeUnknownException}, {@link FunctionException}, …; null if there is one. */
    public CallgateException error() {
        return error;
    }

    /** The answer as JSON; null if there is none. */
    public String json() {
        return json;
    }

    /** The answer as a value; throws {@link #error()} if there is none. */
    public <T> T value(Class<T> type) {
        return value((Type) type);
    }

    /** The same for generic types. */
    @SuppressWarnings("unchecked")
    public <T> T value(Type type) {
        if (error != null) {
            throw error;
        }
        return (T) client.read(json, type);
    }
}
