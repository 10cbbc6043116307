package dev.callgate;

import dev.callgate.internal.ErrorDetails;

/** The function ran, but its answer does not fit the type that was asked for. */
public final class AnswerException extends CallgateException {
    private static final long serialVersionUID = 1L;

    public AnswerException(ErrorDetails details) {
        super("answer", details);
    }
}
