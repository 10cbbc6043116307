package dev.callgate;

import dev.callgate.internal.ErrorDetails;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The function ran and ended with an error. Nothing is tried again for it. */
public final class FunctionException extends CallgateException {
    private static final long serialVersionUID = 1L;

    private final boolean handled;
    private final String remoteType;
    private final String remoteMessage;
    private final ArrayList<String> stack;

    public FunctionException(
            ErrorDetails details, boolean handled, String remoteType, String remoteMessage, List<String> stack) {
        super("function", details);
        this.handled = handled;
        this.remoteType = remoteType;
        this.remoteMessage = remoteMessage;
        this.stack = new ArrayList<>(stack);
    }

    /** True where the function's code reported the error itself, false where the runtime met it. */
    public boolean handled() {
        return handled;
    }

    /** The error's type in the function, {@code TypeError} for one; null if there is none. */
    public String remoteType() {
        return remoteType;
    }

    /** The error's message in the function; null if there is none. */
    public String remoteMessage() {
        return remoteMessage;
    }

    /** The stack trace in the function, a line each; empty if there is none. */
    public List<String> remoteStack() {
        return Collections.unmodifiableList(stack);
    }

    /** Whether the function was stopped because its time was up. */
    public boolean timedOut() {
        return "Sandbox.Timedout".equals(remoteType);
    }
}
