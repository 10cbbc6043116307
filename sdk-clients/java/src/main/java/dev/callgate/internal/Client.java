package dev.callgate.internal;

import dev.callgate.CallOptions;
import dev.callgate.CallgateException;
import dev.callgate.ClientContext;
import dev.callgate.FullException;
import dev.callgate.InvalidRequestException;
import dev.callgate.TokenSupplier;
import java.lang.reflect.Type;
import java.util.Collections;
import java.util.Map;
import okhttp3.ConnectionSpec;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;

/** Everything put together; what the public classes stand on. */
public final class Client {
    private static final byte[] NO_BYTES = new byte[0];
    private static final long OUTBOX_TRY_MS = 60_000;

    private final Settings settings;
    private final Surroundings surroundings;
    private final Wire wire;
    private final CredentialKeeper keeper;
    private final Caller caller;
    private final Workers workers;
    private final OutboxSender outbox;

    public Client(Settings settings) {
        HttpUrl endpoint = settings.checked();
        this.settings = settings;
        this.surroundings = settings.surroundings;
        Log log = new Log(settings.log);
        Clock clock = new Clock(surroundings);
        OkHttpClient http = settings.http == null ? transport(endpoint) : settings.http;
        this.wire = new Wire(http, settings.connectTimeoutMs, settings.attemptTimeoutMs, clock, surroundings, log);
        this.workers = new Workers(surroundings);
        if (settings.fixed == null) {
            Cognito cognito = new Cognito(wire, endpoint, settings.identityPool, clock, surroundings);
            String scope = endpoint + " " + settings.identityPool;
            this.keeper = new IdentityKeeper(cognito, settings.storage, scope, clock, surroundings, log);
        } else {
            this.keeper = new CredentialKeeper.Fixed(settings.fixed);
        }
        RetrySchedule schedule = RetrySchedule.ofCalls(settings.attemptsMax, surroundings);
        this.caller = new Caller(
                endpoint, wire, new Signer(settings.region, "lambda"), clock, keeper, schedule, workers, log,
                settings.gzipFromBytes);
        this.outbox = settings.outboxFolder == null
                ? null
                : OutboxSender.open(this, settings, keeper, clock, surroundings, log);
        if (outbox != null && settings.fixed == null) {
            // Its calls may be this identity's.
            identity().onChange(outbox::flush);
        }
    }

    private static OkHttpClient transport(HttpUrl endpoint) {
        OkHttpClient.Builder builder = new OkHttpClient.Builder();
        if (!endpoint.isHttps()) {
            // Reading the authorities of a platform takes longer than a first call; without TLS nobody asks them.
            builder.connectionSpecs(Collections.singletonList(ConnectionSpec.CLEARTEXT));
        }
        return builder.build();
    }

    /** A call of that function begins. */
    public CallState begin(String function, CallOptions options) {
        String key = options.idempotencyKey();
        if (key == null && options.isIdempotent()) {
            key = surroundings.uuid();
        }
        long deadlineMs = options.deadlineMs() == 0 ? settings.deadlineMs : options.deadlineMs();
        return new CallState(function, options.qualifier(), key, null, deadlineMs, surroundings);
    }

    /** The argument as JSON, or nothing where there is none. */
    public byte[] payload(Object argument, Type type) {
        return type == null ? NO_BYTES : write(argument, type).getBytes(Text.UTF_8);
    }

    String write(Object argument, Type type) {
        try {
            return settings.mapper.write(argument, type);
        } catch (RuntimeException | StackOverflowError error) {
            throw invalid("the argument cannot be written as JSON: " + error.getMessage(), error);
        }
    }

    /** Makes the call. Blocks. */
    public Answered call(CallState call, byte[] payload, CallOptions options) throws CallgateException {
        try {
            return caller.invoke(call, payload, context(options), true);
        } finally {
            call.end();
        }
    }

    private String context(CallOptions options) {
        if (options.custom().isEmpty()) {
            return settings.context == null ? null : settings.context.header();
        }
        ClientContext base = settings.context == null ? ClientContext.builder().build() : settings.context;
        try {
            return base.with(options.custom()).header();
        } catch (IllegalArgumentException tooLong) {
            throw invalid(tooLong.getMessage(), tooLong);
        }
    }

    /** The answer's body as a value. */
    public Object read(Answered answered, Type type) throws CallgateException {
        try {
            String text = new String(answered.body, Text.UTF_8);
            return type == void.class || type == Void.class ? null : settings.mapper.read(text, type);
        } catch (RuntimeException | StackOverflowError error) {
            Failure failure = new Failure(Failure.Kind.ANSWER, "the answer does not fit " + type + ": " + error.getMessage());
            failure.details.cause = error;
            failure.details.status = 200;
            failure.details.requestId = answered.requestId;
            failure.details.invocationId = answered.invocationId;
            failure.details.attempts = answered.attempts;
            failure.details.mayHaveRun = true;
            throw failure.toException();
        }
    }

    /** Reads an outbox's result. */
    public Object read(String json, Type type) {
        return settings.mapper.read(json, type);
    }

    /** Does it on a thread of the SDK's. */
    public void beside(Runnable work) throws FullException {
        if (!workers.run(work)) {
            throw new FullException(new ErrorDetails("there are " + Workers.WAITING_MAX + " calls waiting already, or it is closed"));
        }
    }

    /** Makes sure that there is an identity with credentials; returns its id. */
    public String authenticate() {
        caller.authenticate(state(null));
        return identity().id();
    }

    private CallState state(String onlyOf) {
        return new CallState("", null, null, onlyOf, settings.deadlineMs, surroundings);
    }

    /** Signs in; returns the id. */
    public String signIn(String provider, TokenSupplier tokens) {
        IdentityKeeper identity = identity();
        IdentityKeeper.Before before;
        try {
            before = identity.signIn(provider, tokens);
        } catch (Failure failure) {
            throw failure.toException();
        }
        try {
            caller.authenticate(state(null));
        } catch (CallgateException error) {
            identity.restore(before);
            throw error;
        }
        wakeOutbox();
        return identity.id();
    }

    private void wakeOutbox() {
        if (outbox != null) {
            outbox.flush();
        }
    }

    public IdentityKeeper identity() {
        if (keeper instanceof IdentityKeeper) {
            return (IdentityKeeper) keeper;
        }
        throw new IllegalStateException("a client with fixed credentials has no identity");
    }

    public OutboxSender outbox() {
        if (outbox == null) {
            throw new IllegalStateException("this client has no outbox: name its folder and listener while building");
        }
        return outbox;
    }

    /** One try of a kept call. */
    Answered callKept(CallState call, OutboxRecord record) throws CallgateException {
        CallOptions options = CallOptions.NONE;
        for (Map.Entry<String, String> one : record.custom.entrySet()) {
            options = options.custom(one.getKey(), one.getValue());
        }
        try {
            return caller.invoke(call, record.payload.getBytes(Text.UTF_8), context(options), false);
        } finally {
            call.end();
        }
    }

    CallState beginKept(OutboxRecord record, String identity) {
        return new CallState(record.function, record.qualifier, record.key, identity, OUTBOX_TRY_MS, surroundings);
    }

    /** As {@link #authenticate()}, for a kept call. */
    void authenticateKept(CallState call) {
        try {
            caller.authenticate(call);
        } finally {
            call.end();
        }
    }

    static InvalidRequestException invalid(String message, Throwable cause) {
        return new InvalidRequestException(new ErrorDetails(message).cause(cause));
    }

    /** What no code here expects, an app's mapper running out of memory for one. */
    public CallgateException unexpected(Throwable error) {
        return invalid("the call failed: " + error, error);
    }

    public void close() {
        if (outbox != null) {
            outbox.close();
        }
        workers.close();
        if (settings.http == null) {
            wire.close();
        }
    }
}
