package dev.callgate.internal;

import dev.callgate.CallgateException;
import java.util.concurrent.ConcurrentHashMap;
import okhttp3.Headers;
import okhttp3.HttpUrl;
import okhttp3.Request;

/** Makes a call's attempts until one has an answer or nothing more helps. */
public final class Caller {
    private static final int TARGETS_MAX = 256;
    private static final long CANCEL_WITHIN_MS = 5_000;

    private final HttpUrl endpoint;
    private final String host;
    private final Wire wire;
    private final Signer signer;
    private final Clock clock;
    private final CredentialKeeper keeper;
    private final RetrySchedule schedule;
    private final Workers workers;
    private final Log log;
    private final int gzipFromBytes;
    private final ConcurrentHashMap<String, Target> targets = new ConcurrentHashMap<>();
    private volatile boolean gzipRefused;

    Caller(
            HttpUrl endpoint, Wire wire, Signer signer, Clock clock, CredentialKeeper keeper, RetrySchedule schedule,
            Workers workers, Log log, int gzipFromBytes) {
        this.endpoint = endpoint;
        this.host = host(endpoint);
        this.wire = wire;
        this.signer = signer;
        this.clock = clock;
        this.keeper = keeper;
        this.schedule = schedule;
        this.workers = workers;
        this.log = log;
        this.gzipFromBytes = gzipFromBytes;
    }

    private static String host(HttpUrl url) {
        String name = url.host().indexOf(':') < 0 ? url.host() : "[" + url.host() + "]";
        return url.port() == HttpUrl.defaultPort(url.scheme()) ? name : name + ":" + url.port();
    }

    /** What an attempt does; {@code T} is its answer. */
    private interface Attempt<T> {
        T make(Credentials by) throws Failure;
    }

    /** A function's answer. */
    Answered invoke(CallState call, byte[] payload, String contextHeader, boolean withDeadline) throws CallgateException {
        try {
            if (payload.length > Bodies.BYTES_MAX) {
                throw new Failure(
                        Failure.Kind.INVALID_REQUEST,
                        "the argument has " + payload.length + " bytes as JSON; " + Bodies.BYTES_MAX + " are allowed");
            }
            Target target = target(call);
            boolean mayGzip = gzipFromBytes > 0 && payload.length >= gzipFromBytes && !gzipRefused;
            byte[] gzip = mayGzip ? Bodies.gzipped(payload) : null;
            return attempts(call, by -> {
                // A refusal of an earlier attempt counts for the later ones.
                boolean compressed = gzip != null && !gzipRefused;
                HeaderList headers = head(call, contextHeader, withDeadline, compressed);
                return invokeOnce(call, target, headers, compressed ? gzip : payload, compressed, by);
            });
        } catch (Failure failure) {
            throw ended(call, failure);
        }
    }

    /** Waits for credentials, as a call would. */
    void authenticate(CallState call) throws CallgateException {
        try {
            attempts(call, by -> by);
        } catch (Failure failure) {
            throw ended(call, failure);
        }
    }

    private <T> T attempts(CallState call, Attempt<T> attempt) throws Failure {
        boolean refreshed = false;
        boolean clocked = false;
        boolean plained = false;
        while (true) {
            call.attempt++;
            Credentials by = null;
            long correctionMs = clock.correctionMs();
            Failure failure;
            try {
                by = keeper.credentials(call);
                correctionMs = clock.correctionMs();
                if (call.onlyOf != null && !call.onlyOf.equals(by.identity)) {
                    throw new Failure(Failure.Kind.AUTHENTICATION, "the identity changed meanwhile");
                }
                return attempt.make(by);
            } catch (Failure met) {
                failure = met;
            }
            boolean more = call.attempt < schedule.attemptsMax() && call.leftMs() > 0;
            if (more && failure.refresh && !refreshed && by != null && keeper.refused(by)) {
                refreshed = true;
                log.debug("retry", "invocationId", call.invocationId, "waitMs", 0, "why", "credentials");
            } else if (more && failure.clock && !clocked && clock.correctionMs() != correctionMs) {
                clocked = true;
                log.debug("retry", "invocationId", call.invocationId, "waitMs", 0, "why", "clock");
            } else if (more && failure.plain && !plained) {
                plained = true;
                gzipRefused = true;
                log.debug("retry", "invocationId", call.invocationId, "waitMs", 0, "why", "gzip");
            } else {
                waitFor(call, failure);
            }
        }
    }

    /** Waits for the next attempt, or throws if there is none. */
    private void waitFor(CallState call, Failure failure) throws Failure {
        long leftMs = call.leftMs();
        if (!failure.retry) {
            throw failure;
        }
        if (leftMs <= 0) {
            throw failure.kind == Failure.Kind.OFFLINE ? Failure.deadline(failure.details.cause) : failure;
        }
        long waitMs = schedule.next(call.attempt, failure.retryAfterMs, leftMs);
        if (waitMs == RetrySchedule.GIVE_UP) {
            throw failure;
        }
        log.debug("retry", "invocationId", call.invocationId, "waitMs", waitMs, "why", failure.kindName());
        call.pause(waitMs);
    }

    private CallgateException ended(CallState call, Failure failure) {
        failure.details.invocationId = call.invocationId;
        failure.details.attempts = call.attempt;
        failure.details.mayHaveRun = call.maySent();
        if (call.isToBeToldOf()) {
            workers.inBackground(() -> cancelRemote(call));
        }
        return failure.toException();
    }

    private Target target(CallState call) throws Failure {
        String name = call.qualifier == null ? call.function : call.function + '\n' + call.qualifier;
        Target target = targets.get(name);
        if (target == null) {
            target = Target.invoke(endpoint, call.function, call.qualifier);
            if (targets.size() >= TARGETS_MAX) {
                targets.clear();
            }
            targets.put(name, target);
        }
        return target;
    }

    private HeaderList head(CallState call, String contextHeader, boolean withDeadline, boolean compressed) throws Failure {
        long leftMs = call.leftMs();
        if (leftMs <= 0) {
            throw Failure.deadline(null);
        }
        HeaderList headers = new HeaderList();
        headers.set("host", host);
        headers.set("content-type", "application/json");
        headers.set("amz-sdk-invocation-id", call.invocationId);
        headers.set("amz-sdk-request", "attempt=" + call.attempt + "; max=" + schedule.attemptsMax());
        if (withDeadline) {
            headers.set("callgate-timeout-ms", Long.toString(leftMs));
        }
        if (call.idempotencyKey != null) {
            headers.set("idempotency-key", call.idempotencyKey);
        }
        if (contextHeader != null) {
            headers.set("x-amz-client-context", contextHeader);
        }
        if (compressed) {
            headers.set("content-encoding", "gzip");
        }
        return headers;
    }

    private Answered invokeOnce(
            CallState call, Target target, HeaderList headers, byte[] body, boolean compressed, Credentials by) throws Failure {
        signer.sign("POST", target.path, target.query, headers, body, by, clock.nowMs());
        // Nobody would come after it: it has all the time there is.
        call.mayBeSilent = call.attempt == schedule.attemptsMax();
        long began = log.isOn() ? System.nanoTime() : 0;
        try {
            Wire.Received received = wire.send(request(target, headers), "POST", body, call, call.leftMs());
            boolean isAnswer = received.isAnswer();
            Failure failure = isAnswer ? null : Errors.of(received, received.text(), compressed);
            logged(call, began, body.length, received, failure);
            if (failure != null) {
                throw failure;
            }
            return new Answered(
                    received.body,
                    received.header("x-amzn-requestid"),
                    received.header("x-amz-executed-version"),
                    "true".equals(received.header("idempotent-replayed")),
                    call);
        } catch (Failure failure) {
            if (failure.details.status == 0) {
                logged(call, began, body.length, null, failure);
            }
            throw failure;
        }
    }

    private void logged(CallState call, long beganNanos, int sentBytes, Wire.Received received, Failure failure) {
        if (!log.isOn()) {
            return;
        }
        log.debug(
                "invoke",
                "function", call.function,
                "invocationId", call.invocationId,
                "attempt", call.attempt,
                "status", received == null ? null : received.status(),
                "code", failure == null ? null : failure.details.code,
                "kind", failure == null ? null : failure.kindName(),
                "requestId", received == null ? null : received.header("x-amzn-requestid"),
                "ms", (System.nanoTime() - beganNanos) / 1_000_000,
                "sentBytes", sentBytes,
                "receivedBytes", received == null ? null : received.body.length);
    }

    private static Request.Builder request(Target target, HeaderList headers) {
        Headers.Builder all = new Headers.Builder();
        for (int i = 0; i < headers.size(); i++) {
            all.add(headers.name(i), headers.value(i));
        }
        return new Request.Builder().url(target.url).headers(all.build());
    }

    /** Tells the gateway that nobody waits any more. Best effort: the run ends by its own deadline otherwise. */
    private void cancelRemote(CallState call) {
        CallState own = new CallState(call.function, call.qualifier, null, null, CANCEL_WITHIN_MS, workers.surroundings());
        String id = call.idempotencyKey == null ? call.invocationId : call.idempotencyKey;
        try {
            Target target = Target.cancel(endpoint, call.function, call.qualifier, id);
            HeaderList headers = new HeaderList();
            headers.set("host", host);
            signer.sign("DELETE", target.path, target.query, headers, new byte[0], keeper.credentials(own), clock.nowMs());
            Wire.Received received = wire.send(request(target, headers), "DELETE", new byte[0], own, own.leftMs());
            log.debug("cancel", "invocationId", call.invocationId, "status", received.status());
        } catch (Failure failure) {
            log.debug("cancel", "invocationId", call.invocationId, "kind", failure.kindName());
        }
    }
}
