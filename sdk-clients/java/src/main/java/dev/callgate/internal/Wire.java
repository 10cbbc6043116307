package dev.callgate.internal;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.BufferedSource;

/** One request and its answer. Everything that comes from the network is bounded here. */
final class Wire {
    static final String USER_AGENT = "callgate-java/" + Version.NUMBER;
    private static final int ERROR_BYTES_MAX = 64 * 1024;
    private static final int ANSWER_BYTES_MAX = 8 * 1024 * 1024;

    private final OkHttpClient http;
    private final Clock clock;
    private final Surroundings surroundings;
    private final Log log;

    Wire(OkHttpClient http, long connectTimeoutMs, long silenceMs, Clock clock, Surroundings surroundings, Log log) {
        this.http = http.newBuilder()
                .connectTimeout(connectTimeoutMs, TimeUnit.MILLISECONDS)
                // Of one read or write: a slow network may take its time, as long as something moves.
                .readTimeout(silenceMs, TimeUnit.MILLISECONDS)
                .writeTimeout(silenceMs, TimeUnit.MILLISECONDS)
                .retryOnConnectionFailure(false)
                .followRedirects(false)
                .followSslRedirects(false)
                .addInterceptor(new LetsTheLastBeSilent())
                .addNetworkInterceptor(new NotesWhatIsSent())
                .build();
        this.clock = clock;
        this.surroundings = surroundings;
        this.log = log;
    }

    /** Only the call's deadline ends its last attempt. */
    private static final class LetsTheLastBeSilent implements Interceptor {
        @Override
        public Response intercept(Chain chain) throws IOException {
            CallState state = chain.request().tag(CallState.class);
            if (state == null || !state.mayBeSilent) {
                return chain.proceed(chain.request());
            }
            return chain.withReadTimeout(0, TimeUnit.MILLISECONDS)
                    .withWriteTimeout(0, TimeUnit.MILLISECONDS)
                    .proceed(chain.request());
        }
    }

    /** Knows that a connection is there and the head goes out next. */
    private static final class NotesWhatIsSent implements Interceptor {
        @Override
        public Response intercept(Chain chain) throws IOException {
            CallState state = chain.request().tag(CallState.class);
            if (state != null) {
                state.markSent();
            }
            return chain.proceed(chain.request());
        }
    }

    /** An answer with its body read. */
    static final class Received implements Errors.Head {
        private final Response response;
        byte[] body = new byte[0];

        Received(Response response) {
            this.response = response;
        }

        @Override
        public int status() {
            return response.code();
        }

        @Override
        public String header(String name) {
            return response.header(name);
        }

        boolean isAnswer() {
            return response.code() == 200
                    && response.header("x-amzn-requestid") != null
                    && response.header("x-amz-function-error") == null;
        }

        String text() {
            return new String(body, Text.UTF_8);
        }
    }

    /**
     * Sends it and reads what comes back.
     *
     * @param state the call it belongs to; null if it is nobody's
     */
    Received send(Request.Builder head, String method, byte[] body, CallState state, long withinMs) throws Failure {
        RequestBody toSend = "DELETE".equals(method) ? null : RequestBody.create(body, null);
        Request request = head.method(method, toSend).tag(CallState.class, state).header("User-Agent", USER_AGENT).build();
        Call call = http.newCall(request);
        call.timeout().timeout(Math.max(withinMs, 1), TimeUnit.MILLISECONDS);
        if (state != null) {
            state.request(call);
        }
        try (Response response = call.execute()) {
            Received received = new Received(response);
            learnTime(response);
            read(response, received);
            return received;
        } catch (InterruptedIOException broken) {
            if (state != null && Thread.currentThread().isInterrupted()) {
                state.interrupted();
            }
            throw broken(state, "nothing was heard in time: " + message(broken), broken);
        } catch (IOException broken) {
            throw broken(state, message(broken), broken);
        } finally {
            if (state != null) {
                state.requestEnded();
            }
        }
    }

    private static Failure broken(CallState state, String message, IOException cause) {
        return state != null && state.isCancelled() ? Failure.cancelled() : Failure.offline(message, cause);
    }

    private static String message(IOException error) {
        return error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
    }

    private void learnTime(Response response) {
        boolean fromGateway = response.header("x-amzn-requestid") != null;
        if (clock.learn(response.headers().getDate("Date"), surroundings.wallMs(), fromGateway)) {
            log.info("clock", "correctionMs", clock.correctionMs());
        }
    }

    private static void read(Response response, Received into) throws IOException, Failure {
        ResponseBody body = response.body();
        if (body == null) {
            return;
        }
        boolean answer = into.isAnswer();
        long max = answer ? ANSWER_BYTES_MAX : ERROR_BYTES_MAX;
        BufferedSource source = body.source();
        if (source.request(max + 1)) {
            if (answer) {
                throw new Failure(Failure.Kind.ANSWER, "the answer has more than " + max + " bytes");
            }
            into.body = source.readByteArray(max);
        } else {
            into.body = source.readByteArray();
        }
    }

    void close() {
        http.connectionPool().evictAll();
    }
}
