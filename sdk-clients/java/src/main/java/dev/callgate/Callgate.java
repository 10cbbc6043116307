package dev.callgate;

import dev.callgate.internal.Answered;
import dev.callgate.internal.CallState;
import dev.callgate.internal.Client;
import dev.callgate.internal.Credentials;
import dev.callgate.internal.ErrorDetails;
import dev.callgate.internal.Settings;
import dev.callgate.internal.Surroundings;
import java.io.Closeable;
import java.io.File;
import java.lang.reflect.Type;
import okhttp3.OkHttpClient;

/**
 * Calls functions of a Callgate gateway. One for an app; safe for all threads.
 *
 * <pre>{@code
 * interface Backend {
 *     @CallgateFunction(name = "greeting")
 *     Greeting greet(Person person);
 * }
 *
 * Callgate callgate = Callgate.builder()
 *         .endpoint("https://gate.example.com")
 *         .identityPool("us-east-1:0f4ad3f2-5d0c-4c59-8f38-8b3f1c6a7e55")
 *         .build();
 * Greeting greeting = callgate.functions(Backend.class).greet(new Person("Ada"));
 * }</pre>
 */
public final class Callgate implements Closeable {
    private final Client client;
    private final Identity identity;
    private final boolean hasOutbox;

    private Callgate(Settings settings) {
        client = new Client(settings);
        identity = new Identity(client);
        hasOutbox = settings.outboxFolder != null;
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * An object whose methods call functions. Methods have {@link CallgateFunction}, at most one argument and after it perhaps {@link CallOptions}; they
     * give back a type of the app's, {@link Answer} of one, {@link CallgateFuture} of one or of an Answer, {@link OutboxReceipt}, or nothing.
     *
     * @throws IllegalArgumentException that says which method cannot be one
     */
    public <T> T functions(Class<T> type) {
        return FunctionProxy.of(this, type);
    }

    /** Calls a function by name. Blocks; throws one of {@link CallgateException}'s kinds. */
    public <T> T call(String function, Object argument, Class<T> answer) {
        Type type = argument == null ? Object.class : argument.getClass();
        return this.<T>call(function, argument, type, answer, CallOptions.NONE).value();
    }

    /**
     * The same, with everything.
     *
     * @param argumentType the type that the argument is written as; null for no argument at all
     */
    public <T> Answer<T> call(String function, Object argument, Type argumentType, Type answer, CallOptions options) {
        return call(client.begin(function, options), client.payload(argument, argumentType), answer, options);
    }

    @SuppressWarnings("unchecked")
    private <T> Answer<T> call(CallState call, byte[] payload, Type answer, CallOptions options) {
        Answered answered = client.call(call, payload, options);
        return new Answer<>(
                (T) client.read(answered, answer), answered.requestId, answered.invocationId, answered.executedVersion,
                answered.replayed, answered.attempts);
    }

    /** The same beside the caller: cancelling the future cancels the call. */
    public <T> CallgateFuture<Answer<T>> start(
            String function, Object argument, Type argumentType, Type answer, CallOptions options) {
        return start(function, argument, argumentType, options, (call, payload) -> this.<T>call(call, payload, answer, options));
    }

    /** What a future's call does. */
    interface Work<R> {
        R with(CallState call, byte[] payload);
    }

    <T> CallgateFuture<T> startValue(String function, Object argument, Type argumentType, Type answer, CallOptions options) {
        return start(
                function, argument, argumentType, options, (call, payload) -> this.<T>call(call, payload, answer, options).value());
    }

    private <R> CallgateFuture<R> start(String function, Object argument, Type argumentType, CallOptions options, Work<R> work) {
        // Written here: the argument may change once the caller goes on.
        byte[] payload = client.payload(argument, argumentType);
        CallState call = client.begin(function, options);
        CallgateFuture<R> future = new CallgateFuture<>(call);
        client.beside(() -> {
            call.begin(Thread.currentThread());
            try {
                future.complete(work.with(call, payload), null);
            } catch (CallgateException error) {
                future.complete(null, error);
            } catch (RuntimeException | Error unexpected) {
                // Whoever waits must hear of it, or waits for ever.
                future.complete(null, client.unexpected(unexpected));
                throw unexpected;
            }
        });
        return future;
    }

    /** Who the user is. */
    public Identity identity() {
        client.identity();
        return identity;
    }

    /** Calls for when there is a network again. */
    public Outbox outbox() {
        return new Outbox(client.outbox());
    }

    /** A primitive was wanted and JSON's null came. */
    AnswerException nothingFor(Type type) {
        return new AnswerException(new ErrorDetails("the answer is null, which is no " + type));
    }

    boolean hasOutbox() {
        return hasOutbox;
    }

    /** Ends threads and connections. What the outbox keeps stays, for the next time. */
    @Override
    public void close() {
        client.close();
    }

    @Override
    public String toString() {
        return "Callgate(…)";
    }

    /** How to reach the gateway. {@link #endpoint} and {@link #identityPool} are needed. */
    public static final class Builder {
        private final Settings settings = new Settings();

        Builder() {}

        /** The gateway's URL: scheme, host, perhaps a port. */
        public Builder endpoint(String url) {
            settings.endpoint = url;
            return this;
        }

        /** Takes http to other machines too: for a network of one's own, while developing. */
        public Builder allowPlaintext() {
            settings.allowPlaintext = true;
            return this;
        }

        /** The gateway's region; {@code us-east-1} unless set. */
        public Builder region(String name) {
            settings.region = name;
            return this;
        }

        /** The pool that the app's users belong to. */
        public Builder identityPool(String id) {
            settings.identityPool = id;
            return this;
        }

        /** Keys instead of an identity, for tools and back ends; never in an app. */
        public Builder credentials(String accessKeyId, String secretKey, String sessionTokenOrNull) {
            settings.fixed =
                    new Credentials(accessKeyId, accessKeyId, secretKey, sessionTokenOrNull, 0, Credentials.NEVER);
            return this;
        }

        /** Where the identity id is kept; in memory unless set. */
        public Builder storage(Storage storage) {
            settings.storage = storage;
            return this;
        }

        /** What the device says of itself with each call. */
        public Builder clientContext(ClientContext context) {
            settings.context = context;
            return this;
        }

        /** How long a call may take with everything, in milliseconds: 1 to 900,000; 30,000 unless set. */
        public Builder deadlineMs(long ms) {
            settings.deadlineMs = ms;
            return this;
        }

        /** After how long of silence, nothing sent and nothing received, an attempt is tried again, in milliseconds; 10,000 unless set. */
        public Builder attemptTimeoutMs(long ms) {
            settings.attemptTimeoutMs = ms;
            return this;
        }

        /** How long a connection may take, in milliseconds; 10,000 unless set. */
        public Builder connectTimeoutMs(long ms) {
            settings.connectTimeoutMs = ms;
            return this;
        }

        /** How often a call is tried, 1 to 10; 4 unless set. */
        public Builder attemptsMax(int attempts) {
            settings.attemptsMax = attempts;
            return this;
        }

        /** From how many bytes on an argument is compressed; 8,192 unless set, 0 for never. */
        public Builder gzipFromBytes(int bytes) {
            settings.gzipFromBytes = bytes;
            return this;
        }

        /** Between the app's types and JSON; a {@link GsonMapper} unless set. */
        public Builder jsonMapper(JsonMapper mapper) {
            settings.mapper = mapper;
            return this;
        }

        /** Hears what the SDK does. */
        public Builder log(CallgateLog log) {
            settings.log = log;
            return this;
        }

        /** A transport with proxies, certificates or an event listener of the app's; its time-outs and retries do not count. */
        public Builder httpClient(OkHttpClient http) {
            settings.http = http;
            return this;
        }

        /** A folder for kept calls, which only this app can read, and who hears of their results. Kept calls go out from the build on. */
        public Builder outbox(File folder, OutboxListener listener) {
            if (folder == null || listener == null) {
                throw new IllegalArgumentException("callgate: an outbox has a folder and a listener");
            }
            settings.outboxFolder = folder;
            settings.outboxListener = listener;
            return this;
        }

        /** How old a kept call may get before it is given up unsent, in milliseconds; a day unless set, 30 days at most. */
        public Builder outboxAgeLimitMs(long ms) {
            settings.outboxAgeLimitMs = ms;
            return this;
        }

        /** Time and chance, for tests ({@link dev.callgate.testing}); no part of what an app may rely on. */
        public Builder surroundings(Surroundings surroundings) {
            settings.surroundings = surroundings;
            return this;
        }

        /** Throws IllegalArgumentException that says which setting is wrong. Nothing is sent. */
        public Callgate build() {
            return new Callgate(settings);
        }
    }
}
