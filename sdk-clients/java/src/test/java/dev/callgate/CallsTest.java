package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.callgate.internal.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.Buffer;
import org.junit.Test;

/** Whole calls by the contract's vectors: what goes over the wire, and when it goes again. */
public class CallsTest {
    /** Seen by a client whose transport ends here. */
    private final AtomicReference<Request> cancelled = new AtomicReference<>();

    private static Response response(Request request, int status, String body, String... headers) {
        Response.Builder response = new Response.Builder()
                .request(request)
                .protocol(Protocol.HTTP_1_1)
                .code(status)
                .message("")
                .header("x-amzn-RequestId", "request")
                .body(ResponseBody.create(body, null));
        for (int i = 0; i < headers.length; i += 2) {
            response.header(headers[i], headers[i + 1]);
        }
        return response.build();
    }

    private static String body(Request request) throws IOException {
        if (request.body() == null) {
            return "";
        }
        Buffer buffer = new Buffer();
        request.body().writeTo(buffer);
        return buffer.readUtf8();
    }

    @Test
    public void requests_are_those_of_the_vectors() throws Exception {
        for (JsonObject vector : Vectors.of("calls")) {
            JsonObject call = vector.getAsJsonObject("call");
            FakeTime time = new FakeTime() {
                @Override
                public synchronized long wallMs() {
                    return vector.get("epochMs").getAsLong();
                }

                @Override
                public String uuid() {
                    return call.get("invocationId").getAsString();
                }
            };
            Request sent = call.has("cancel") ? cancelOf(call, vector, time) : invokeOf(call, vector, time);
            assertRequest(vector, sent);
        }
    }

    private static Callgate client(JsonObject call, JsonObject vector, FakeTime time, OkHttpClient http) {
        Callgate.Builder builder = Callgate.builder()
                .endpoint("https://gate.example.com")
                .credentials(string(vector, "accessKeyId"), string(vector, "secretKey"), string(vector, "sessionToken"))
                .httpClient(http)
                .surroundings(time);
        if (call.has("clientContext")) {
            builder.clientContext(ClientContext.builder().platform("Android").appTitle("Notes").build());
        }
        return builder.build();
    }

    private static String string(JsonObject object, String name) {
        return Vectors.string(object, name);
    }

    private static CallOptions options(JsonObject call) {
        CallOptions options = CallOptions.NONE;
        options = call.has("idempotencyKey") ? options.idempotencyKey(string(call, "idempotencyKey")) : options;
        return call.has("qualifier") ? options.qualifier(string(call, "qualifier")) : options;
    }

    private static Request invokeOf(JsonObject call, JsonObject vector, FakeTime time) throws IOException {
        List<Request> seen = new ArrayList<>();
        int attempt = call.get("attempt").getAsInt();
        long remainingMs = call.has("remainingMs") ? call.get("remainingMs").getAsLong() : 60_000;
        time.randoms.add(0.0);
        time.randoms.add(0.0);
        OkHttpClient http = new OkHttpClient.Builder()
                .addInterceptor(chain -> {
                    seen.add(chain.request());
                    if (seen.size() < attempt) {
                        time.pass(1000);
                        throw new IOException("cut");
                    }
                    return response(chain.request(), 200, "null");
                })
                .build();
        try (Callgate callgate = client(call, vector, time, http)) {
            String payload = string(call, "payload");
            Object argument = payload.isEmpty() ? null : com.google.gson.JsonParser.parseString(payload);
            CallOptions options = options(call).deadlineMs(remainingMs + (attempt - 1) * 1000L);
            callgate.call(
                    string(call, "function"), argument, argument == null ? null : JsonElement.class, Void.class, options);
        }
        Request sent = seen.get(attempt - 1);
        assertEquals(payloadOf(call), body(sent));
        if (!call.has("remainingMs")) {
            // Only kept calls have none; OutboxTest looks at theirs. Here the rest is compared without it.
            return null;
        }
        return sent;
    }

    private static String payloadOf(JsonObject call) {
        return string(call, "payload");
    }

    private Request cancelOf(JsonObject call, JsonObject vector, FakeTime time) throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch left = new CountDownLatch(1);
        OkHttpClient http = new OkHttpClient.Builder()
                .addInterceptor(chain -> {
                    if (chain.request().method().equals("DELETE")) {
                        cancelled.set(chain.request());
                        left.countDown();
                        return response(chain.request(), 202, "");
                    }
                    chain.request().tag(dev.callgate.internal.CallState.class).markSent();
                    begun.countDown();
                    while (!chain.call().isCanceled()) {
                        Thread.onSpinWait();
                    }
                    throw new IOException("Canceled");
                })
                .build();
        try (Callgate callgate = client(call, vector, time, http)) {
            CallgateFuture<Answer<Object>> future =
                    callgate.start(string(call, "function"), null, null, Object.class, options(call));
            begun.await();
            assertEquals(true, future.cancel(true));
            assertEquals(true, left.await(10, TimeUnit.SECONDS));
        }
        return cancelled.get();
    }

    private static void assertRequest(JsonObject vector, Request sent) {
        if (sent == null) {
            return;
        }
        JsonObject expected = vector.getAsJsonObject("expected");
        String id = vector.get("id").getAsString();
        assertEquals(id, expected.get("method").getAsString(), sent.method());
        assertEquals(id, expected.get("url").getAsString(), sent.url().toString());
        JsonObject headers = expected.getAsJsonObject("headers");
        for (Map.Entry<String, JsonElement> header : headers.entrySet()) {
            String found = sent.header(header.getKey());
            if (header.getKey().equals("x-amz-client-context") || header.getKey().equals("authorization")) {
                assertNotNull(id + " " + header.getKey(), found);
                if (headers.has("x-amz-client-context")) {
                    // Members may come in another order, and with them the signature is another.
                    continue;
                }
            }
            assertEquals(id + " " + header.getKey(), header.getValue().getAsString(), found);
        }
        for (String name : sent.headers().names()) {
            boolean known = headers.has(name.toLowerCase(Locale.ROOT)) || name.equalsIgnoreCase("host") || name.equals("User-Agent");
            assertEquals(id + " sends " + name, true, known);
        }
    }

    @Test
    public void schedules_are_those_of_the_vectors() throws Exception {
        for (JsonObject vector : Vectors.of("retries")) {
            String id = vector.get("id").getAsString();
            FakeTime time = new FakeTime();
            vector.getAsJsonArray("randoms").forEach(random -> time.randoms.add(random.getAsDouble()));
            List<String> ids = new ArrayList<>();
            OkHttpClient http = new OkHttpClient.Builder()
                    .addInterceptor(chain -> attempt(vector, time, chain.request(), ids))
                    .build();
            String ended = "success";
            try (Callgate callgate = Callgate.builder()
                    .endpoint("https://gate.example.com")
                    .identityPool("us-east-1:pool")
                    .httpClient(http)
                    .surroundings(time)
                    .build()) {
                callgate.identity().id();
                time.waits.clear();
                long began = time.nanos();
                CallOptions options = CallOptions.NONE.deadlineMs(vector.get("deadlineMs").getAsLong());
                try {
                    callgate.call("f", null, null, Void.class, options);
                } catch (CallgateException error) {
                    ended = error.kind();
                    assertEquals(id, ids.size(), error.attempts());
                    assertEquals(id, ids.get(0), error.invocationId());
                }
                JsonObject expected = vector.getAsJsonObject("expected");
                assertEquals(id, expected.get("endsWith").getAsString(), ended);
                assertEquals(id, expected.get("attempts").getAsInt(), ids.size());
                assertEquals(id, expected.get("endsAtMs").getAsLong(), (time.nanos() - began) / 1_000_000);
                assertEquals(id + ": one id for all attempts", 1, ids.stream().distinct().count());
                List<Long> waits = new ArrayList<>();
                expected.getAsJsonArray("waitsMs").forEach(wait -> waits.add(wait.getAsLong()));
                waits.removeIf(wait -> wait == 0);
                assertEquals(id, waits, time.waits);
            }
        }
    }

    /** Plays one attempt of a vector. */
    private static Response attempt(JsonObject vector, FakeTime time, Request request, List<String> ids) throws IOException {
        String operation = request.header("X-Amz-Target");
        if (operation != null) {
            return response(request, 200, operation.endsWith("GetId")
                    ? "{\"IdentityId\":\"i\"}"
                    : "{\"IdentityId\":\"i\",\"Credentials\":{\"AccessKeyId\":\"a\",\"SecretKey\":\"s\",\"SessionToken\":\"t\",\"Expiration\":"
                            + (time.wallMs() / 1000.0 + 3600) + "}}");
        }
        JsonObject met = vector.getAsJsonArray("attempts").get(ids.size()).getAsJsonObject();
        ids.add(request.header("amz-sdk-invocation-id"));
        assertEquals("attempt=" + ids.size() + "; max=4", request.header("amz-sdk-request"));
        time.pass(met.get("tookMs").getAsLong());
        switch (met.get("outcome").getAsString()) {
            case "success":
                return response(request, 200, "null");
            case "offline":
                throw new IOException("connection reset");
            case "service":
                return response(request, 503, "");
            case "throttled":
                String after = met.has("retryAfterMs") ? "" + met.get("retryAfterMs").getAsLong() / 1000 : "-";
                return response(request, 429, "", "Retry-After", after);
            case "function":
                return response(request, 200, "{}", "X-Amz-Function-Error", "Unhandled");
            case "denied":
                String code = met.has("atOnce") ? "ExpiredTokenException" : "AccessDeniedException";
                return response(request, 403, "", "x-amzn-ErrorType", code);
            default:
                throw new AssertionError(met);
        }
    }

    @Test
    public void what_is_wrong_is_refused_before_anything_is_sent() throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(); Callgate callgate = gateway.client().build()) {
            String large = "x".repeat(6_291_455);
            assertEquals("invalid-request", kind(() -> callgate.call("f", large, String.class)));
            assertEquals("invalid-request", kind(() -> callgate.call("", 1, String.class)));
            assertEquals("invalid-request", kind(() -> callgate.call("f".repeat(257), 1, String.class)));
            assertEquals("invalid-request", kind(() -> callgate.call("f", Double.NaN, String.class)));
            CallOptions long_ = CallOptions.NONE.custom("x", "y".repeat(4000));
            assertEquals("invalid-request", kind(() -> callgate.call("f", 1, int.class, int.class, long_)));
            assertEquals(0, gateway.invokes().size());
            assertNull(callgate.call("f", null, null, Void.class, CallOptions.NONE).value());
            assertEquals(1, gateway.invokes().size());
        }
    }

    static String kind(Runnable call) {
        try {
            call.run();
        } catch (CallgateException error) {
            return error.kind();
        }
        return "success";
    }
}
