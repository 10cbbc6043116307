package dev.callgate;

import java.util.HashMap;
import java.util.Map;

/** Forgets with the process. For tests, and for tools that are a new guest each time. */
public final class MemoryStorage implements Storage {
    private final Map<String, String> values = new HashMap<>();

    @Override
    public synchronized String get(String name) {
        return values.get(name);
    }

    @Override
    public synchronized void put(String name, String value) {
        if (value == null) {
            values.remove(name);
        } else {
            values.put(name, value);
        }
    }

    @Override
    public boolean keepsSecrets() {
        return false;
    }
}
