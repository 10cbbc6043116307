package dev.callgate.internal;

import dev.callgate.AnswerException;
import dev.callgate.AuthenticationException;
import dev.callgate.CallgateException;
import dev.callgate.CancelledException;
import dev.callgate.ConflictException;
import dev.callgate.DeadlineException;
import dev.callgate.DeniedException;
import dev.callgate.FunctionException;
import dev.callgate.InvalidRequestException;
import dev.callgate.NotFoundException;
import dev.callgate.OfflineException;
import dev.callgate.OutcomeUnknownException;
import dev.callgate.ServiceException;
import dev.callgate.ThrottledException;
import java.util.Collections;
import java.util.List;

/** Why an attempt has no answer, and what may be done about it. Becomes an exception once nothing more is tried. */
public final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    /** The kinds of the contract. */
    enum Kind {
        THROTTLED,
        DENIED,
        AUTHENTICATION,
        FUNCTION,
        CANCELLED,
        DEADLINE,
        OFFLINE,
        NOT_FOUND,
        OUTCOME_UNKNOWN,
        CONFLICT,
        SERVICE,
        ANSWER,
        INVALID_REQUEST
    }

    final transient Kind kind;
    final transient ErrorDetails details;
    /** Another attempt may follow. */
    transient boolean retry;
    /** New credentials first. */
    transient boolean refresh;
    /** A corrected clock first. */
    transient boolean clock;
    /** The same body uncompressed. */
    transient boolean plain;

    transient long retryAfterMs = -1;
    transient String reason;
    transient String limit;
    transient boolean handled;
    transient String remoteType;
    transient String remoteMessage;
    transient List<String> stack = Collections.emptyList();

    Failure(Kind kind, String message) {
        super(message);
        this.kind = kind;
        this.details = new ErrorDetails(message);
    }

    /** It goes no further than the loop of attempts: a stack costs more than the rest of it. */
    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }

    static Failure offline(String message, Throwable cause) {
        Failure failure = new Failure(Kind.OFFLINE, message);
        failure.details.cause = cause;
        failure.retry = true;
        return failure;
    }

    static Failure deadline(Throwable cause) {
        Failure failure = new Failure(Kind.DEADLINE, "the call's deadline passed");
        failure.details.cause = cause;
        return failure;
    }

    static Failure cancelled() {
        return new Failure(Kind.CANCELLED, "the call was cancelled");
    }

    /** The same for another of those who waited for it: what belongs to a call is each call's own. */
    Failure copy() {
        Failure copy = new Failure(kind, details.message);
        copy.details.code = details.code;
        copy.details.status = details.status;
        copy.details.requestId = details.requestId;
        copy.details.cause = details.cause;
        copy.retry = retry;
        copy.retryAfterMs = retryAfterMs;
        copy.reason = reason;
        copy.limit = limit;
        return copy;
    }

    String kindName() {
        return kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }

    /** The exception that an app gets. */
    CallgateException toException() {
        switch (kind) {
            case THROTTLED:
                return new ThrottledException(details, retryAfterMs, reason, limit);
            case DENIED:
                return new DeniedException(details);
            case AUTHENTICATION:
                return new AuthenticationException(details);
            case FUNCTION:
                return new FunctionException(details, handled, remoteType, remoteMessage, stack);
            case CANCELLED:
                return new CancelledException(details);
            case DEADLINE:
                return new DeadlineException(details);
            case OFFLINE:
                return new OfflineException(details);
            case NOT_FOUND:
                return new NotFoundException(details);
            case OUTCOME_UNKNOWN:
                return new OutcomeUnknownException(details);
            case CONFLICT:
                return new ConflictException(details);
            case SERVICE:
                return new ServiceException(details, retryAfterMs);
            case ANSWER:
                return new AnswerException(details);
            case INVALID_REQUEST:
            default:
                return new InvalidRequestException(details);
        }
    }
}
