package dev.callgate.internal;

import dev.callgate.CallgateLog;
import java.util.LinkedHashMap;
import java.util.Map;

/** The app's log, if it has one. */
public final class Log {
    private final CallgateLog to;

    public Log(CallgateLog to) {
        this.to = to;
    }

    /** Whether anybody listens: what costs something to say is said only then. */
    boolean isOn() {
        return to != null;
    }

    void debug(String event, Object... namesAndValues) {
        log(CallgateLog.Level.DEBUG, event, namesAndValues);
    }

    void info(String event, Object... namesAndValues) {
        log(CallgateLog.Level.INFO, event, namesAndValues);
    }

    void warn(String event, Object... namesAndValues) {
        log(CallgateLog.Level.WARN, event, namesAndValues);
    }

    private void log(CallgateLog.Level level, String event, Object... namesAndValues) {
        if (to == null) {
            return;
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (namesAndValues[i + 1] != null) {
                fields.put((String) namesAndValues[i], namesAndValues[i + 1]);
            }
        }
        try {
            to.log(level, event, fields);
        } catch (RuntimeException theirs) {
            // A log that fails must not fail the call.
        }
    }
}
