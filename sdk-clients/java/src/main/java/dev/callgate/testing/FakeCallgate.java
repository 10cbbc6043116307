package dev.callgate.testing;

import com.google.gson.JsonObject;
import dev.callgate.Callgate;
import dev.callgate.GsonMapper;
import dev.callgate.JsonMapper;
import dev.callgate.internal.CallState;
import dev.callgate.internal.Text;
import java.io.IOException;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.Buffer;
import okio.GzipSource;

/**
 * A gateway in the test's own process: for an app's unit tests. The client is the real one, with its mapping of JSON, its
 * retries and its outbox; only the transport ends here, and nobody waits between attempts.
 *
 * <pre>{@code
 * FakeCallgate fake = new FakeCallgate();
 * fake.on("greeting", Person.class, person -> new Greeting("Hello, " + person.name));
 * Backend backend = fake.client().build().functions(Backend.class);
 * }</pre>
 */
public final class FakeCallgate {
    private static final MediaType JSON = MediaType.get("application/json");
    private static final int ANSWERS_MAX = 1_000;

    private final JsonMapper mapper = new GsonMapper();
    private final Map<String, Function> functions = new HashMap<>();
    private final List<Call> calls = new ArrayList<>();
    private final Map<String, Response.Builder> answers = new LinkedHashMap<>();
    private final Map<String, String> bodies = new HashMap<>();
    private final List<Fault> faults = new ArrayList<>();
    private boolean offline;
    private String identity = "us-east-1:00000000-0000-0000-0000-000000000001";

    /** What a function does. What it throws is the function's error, with the type's simple name. */
    public interface Body<A> {
        Object answer(A argument) throws Exception;
    }

    /** A call that the gateway would have run. */
    public static final class Call {
        private final String function;
        private final String json;
        private final String idempotencyKey;

        Call(String function, String json, String idempotencyKey) {
            this.function = function;
            this.json = json;
            this.idempotencyKey = idempotencyKey;
        }

        public String function() {
            return function;
        }

        /** The argument as it came. */
        public String json() {
            return json;
        }

        /** Or null. */
        public String idempotencyKey() {
            return idempotencyKey;
        }
    }

    private static final class Function {
        final Type argument;
        final Body<Object> body;

        Function(Type argument, Body<Object> body) {
            this.argument = argument;
            this.body = body;
        }
    }

    /** A fault of one request. */
    private static final class Fault {
        final int status;
        final String code;
        final boolean afterTheRun;

        Fault(int status, String code, boolean afterTheRun) {
            this.status = status;
            this.code = code;
            this.afterTheRun = afterTheRun;
        }
    }

    /** There is a function of that name. */
    public <A> FakeCallgate on(String name, Class<A> argument, Body<A> body) {
        return on(name, (Type) argument, body);
    }

    /** The same for generic types. */
    @SuppressWarnings("unchecked")
    public synchronized <A> FakeCallgate on(String name, Type argument, Body<A> body) {
        functions.put(name, new Function(argument, (Body<Object>) body));
        return this;
    }

    /** No request arrives, or requests arrive again. */
    public synchronized FakeCallgate offline(boolean isOffline) {
        offline = isOffline;
        return this;
    }

    /** The next so many requests are throttled. */
    public FakeCallgate throttleNext(int requests) {
        return faults(requests, new Fault(429, "TooManyRequestsException", false));
    }

    /** The next so many requests are denied. */
    public FakeCallgate denyNext(int requests) {
        return faults(requests, new Fault(403, "AccessDeniedException", false));
    }

    /** The next so many requests run, and their answers are lost on the way. */
    public FakeCallgate loseNextAnswers(int requests) {
        return faults(requests, new Fault(0, null, true));
    }

    private synchronized FakeCallgate faults(int requests, Fault fault) {
        faults.addAll(Collections.nCopies(requests, fault));
        return this;
    }

    /** Who the gateway takes the user for, from the next fetch of credentials on. */
    public synchronized FakeCallgate identity(String id) {
        identity = id;
        return this;
    }

    /** What has run, in order. A retry of a call is none of its own. */
    public synchronized List<Call> calls() {
        return new ArrayList<>(calls);
    }

    /** A builder whose clients end here. Set whatever the app sets, but the endpoint, the pool and the transport. */
    public Callgate.Builder client() {
        OkHttpClient http = new OkHttpClient.Builder().addInterceptor(new Transport()).build();
        return Testing.hurry(Callgate.builder().endpoint("http://localhost").identityPool("us-east-1:fake").httpClient(http));
    }

    private final class Transport implements Interceptor {
        @Override
        public Response intercept(Chain chain) throws IOException {
            return answer(chain.request());
        }
    }

    private synchronized Response answer(Request request) throws IOException {
        if (offline) {
            throw new IOException("this test is offline");
        }
        String operation = request.header("X-Amz-Target");
        if (operation != null) {
            return response(request, ok(), cognito(operation));
        }
        CallState call = request.tag(CallState.class);
        if (call != null) {
            call.markSent();
        }
        if (request.method().equals("DELETE")) {
            return response(request, ok().code(202), "");
        }
        Fault fault = faults.isEmpty() ? null : faults.remove(0);
        if (fault != null && !fault.afterTheRun) {
            return response(request, refusal(fault.status, fault.code), "{\"message\":\"as the test wants\"}");
        }
        Response ran = run(request);
        if (fault != null) {
            throw new IOException("this answer is lost, as the test wants");
        }
        return ran;
    }

    private static Response.Builder ok() {
        return new Response.Builder().code(200);
    }

    private static Response.Builder refusal(int status, String code) {
        return new Response.Builder().code(status).header("x-amzn-ErrorType", code);
    }

    private static Response response(Request request, Response.Builder as, String body) {
        return as.request(request)
                .protocol(Protocol.HTTP_1_1)
                .message("")
                .header("x-amzn-RequestId", "fake")
                .body(ResponseBody.create(body, JSON))
                .build();
    }

    private String cognito(String operation) {
        JsonObject answer = new JsonObject();
        answer.addProperty("IdentityId", identity);
        if (operation.endsWith(".GetCredentialsForIdentity")) {
            JsonObject credentials = new JsonObject();
            credentials.addProperty("AccessKeyId", "ASIAFAKE");
            credentials.addProperty("SecretKey", "fake");
            credentials.addProperty("SessionToken", "fake");
            credentials.addProperty("Expiration", System.currentTimeMillis() / 1000 + 3600);
            answer.add("Credentials", credentials);
        }
        return answer.toString();
    }

    private Response run(Request request) throws IOException {
        String name = request.url().pathSegments().get(2);
        String json = body(request);
        String key = request.header("idempotency-key");
        // One call, one run, however often it is sent.
        String id = name + " " + (key == null ? request.header("amz-sdk-invocation-id") : "key " + key);
        Response.Builder earlier = answers.get(id);
        if (earlier != null) {
            return response(request, earlier.header("Idempotent-Replayed", "true"), bodies.get(id));
        }
        Function function = functions.get(name);
        if (function == null) {
            return response(
                    request, refusal(404, "ResourceNotFoundException"), "{\"message\":\"this test has no function " + name + "\"}");
        }
        calls.add(new Call(name, json, key));
        Response.Builder as = ok().header("X-Amz-Executed-Version", "$LATEST");
        String answer;
        try {
            answer = mapper.write(function.body.answer(mapper.read(json, function.argument)), Object.class);
        } catch (Exception error) {
            as.header("X-Amz-Function-Error", "Unhandled");
            JsonObject members = new JsonObject();
            members.addProperty("errorType", error.getClass().getSimpleName());
            members.addProperty("errorMessage", error.getMessage());
            answer = members.toString();
        }
        if (answers.size() >= ANSWERS_MAX) {
            answers.clear();
            bodies.clear();
        }
        answers.put(id, as);
        bodies.put(id, answer);
        return response(request, as, answer);
    }

    private static String body(Request request) throws IOException {
        Buffer buffer = new Buffer();
        if (request.body() != null) {
            request.body().writeTo(buffer);
        }
        if (!"gzip".equals(request.header("content-encoding"))) {
            return buffer.readString(Text.UTF_8);
        }
        Buffer inflated = new Buffer();
        try (GzipSource gzip = new GzipSource(buffer)) {
            inflated.writeAll(gzip);
        }
        return inflated.readString(Text.UTF_8);
    }
}
