package dev.callgate.internal;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.reflect.TypeToken;
import dev.callgate.ClientContext;
import dev.callgate.GsonMapper;
import java.io.IOException;
import java.lang.reflect.Type;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import okhttp3.Headers;
import org.junit.Test;

/** The contract's vectors that need no network. */
public class VectorsTest {
    @Test
    public void client_contexts() throws IOException {
        for (JsonObject vector : Vectors.of("client-contexts")) {
            String id = vector.get("id").getAsString();
            JsonObject context = vector.getAsJsonObject("context");
            ClientContext.Builder builder = ClientContext.builder();
            JsonObject client = context.getAsJsonObject("client");
            builder.installationId(Vectors.string(client, "installation_id")).appTitle(Vectors.string(client, "app_title"));
            builder.appVersionName(Vectors.string(client, "app_version_name"));
            builder.appVersionCode(Vectors.string(client, "app_version_code"));
            builder.appPackageName(Vectors.string(client, "app_package_name"));
            JsonObject env = context.getAsJsonObject("env");
            builder.platform(Vectors.string(env, "platform")).platformVersion(Vectors.string(env, "platform_version"));
            builder.make(Vectors.string(env, "make")).model(Vectors.string(env, "model")).locale(Vectors.string(env, "locale"));
            for (Map.Entry<String, JsonElement> one : context.getAsJsonObject("custom").entrySet()) {
                builder.custom(one.getKey(), one.getValue().getAsString());
            }
            builder.services(context.getAsJsonObject("services"));
            if (!vector.get("fits").getAsBoolean()) {
                IllegalArgumentException refused =
                        org.junit.Assert.assertThrows(id, IllegalArgumentException.class, builder::build);
                assertTrue(refused.getMessage(), refused.getMessage().contains("3583"));
                continue;
            }
            String header = builder.build().header();
            String decoded = new String(Base64.getDecoder().decode(header), Text.UTF_8);
            assertEquals(id, JsonParser.parseString(vector.get("json").getAsString()), JsonParser.parseString(decoded));
        }
    }

    /** An answer of the vectors. */
    private static Errors.Head head(JsonObject answer) {
        Headers.Builder headers = new Headers.Builder();
        for (Map.Entry<String, JsonElement> header : answer.getAsJsonObject("headers").entrySet()) {
            headers.add(header.getKey(), header.getValue().getAsString());
        }
        Headers all = headers.build();
        return new Errors.Head() {
            @Override
            public int status() {
                return answer.get("status").getAsInt();
            }

            @Override
            public String header(String name) {
                return all.get(name);
            }
        };
    }

    @Test
    public void errors() throws IOException {
        for (JsonObject vector : Vectors.of("errors")) {
            String id = vector.get("id").getAsString();
            JsonObject answer = vector.getAsJsonObject("answer");
            JsonObject expected = vector.getAsJsonObject("expected");
            boolean compressed = expected.has("plain");
            Failure failure = Errors.of(head(answer), answer.get("body").getAsString(), compressed);
            assertEquals(id, expected.get("kind").getAsString(), failure.kindName());
            assertEquals(id, expected.get("kind").getAsString(), failure.toException().kind());
            assertEquals(id, Vectors.string(expected, "code"), failure.details.code);
            assertEquals(id, expected.get("status").getAsInt(), failure.details.status);
            assertEquals(id, Vectors.string(expected, "requestId"), failure.details.requestId);
            assertEquals(id, expected.get("retry").getAsBoolean(), failure.retry);
            assertEquals(id, expected.has("refresh"), failure.refresh);
            assertEquals(id, expected.has("clock"), failure.clock);
            assertEquals(id, compressed, failure.plain);
            if (expected.has("message")) {
                assertEquals(id, Vectors.string(expected, "message"), failure.details.message);
            }
            if (expected.has("retryAfterMs")) {
                JsonElement after = expected.get("retryAfterMs");
                assertEquals(id, after.isJsonNull() ? -1 : after.getAsLong(), failure.retryAfterMs);
            }
            if (failure.kind == Failure.Kind.THROTTLED) {
                assertEquals(id, Vectors.string(expected, "reason"), failure.reason);
                assertEquals(id, Vectors.string(expected, "limit"), failure.limit);
            }
            if (expected.has("remoteType")) {
                assertEquals(id, Vectors.string(expected, "remoteType"), failure.remoteType);
                assertEquals(id, Vectors.string(expected, "remoteMessage"), failure.remoteMessage);
                assertEquals(id, expected.getAsJsonArray("stack"), strings(failure.stack));
                assertEquals(id, expected.get("handled").getAsBoolean(), failure.handled);
            }
        }
    }

    private static JsonArray strings(List<String> lines) {
        JsonArray array = new JsonArray();
        lines.forEach(array::add);
        return array;
    }

    @Test
    public void an_answer_is_no_error() {
        JsonObject answer = JsonParser.parseString("{\"status\":200,\"headers\":{\"x-amzn-requestid\":\"r\"}}").getAsJsonObject();
        assertNull(Errors.of(head(answer), "", false));
    }

    @Test
    public void delays() throws IOException {
        RetrySchedule schedule = RetrySchedule.ofCalls(4, new Surroundings());
        for (JsonObject delay : Vectors.list("retries", "delays")) {
            long found = schedule.delayMs(
                    delay.get("retry").getAsInt(), delay.get("random").getAsDouble(), delay.get("retryAfterMs").getAsLong());
            assertEquals(delay.toString(), delay.get("delayMs").getAsLong(), found);
        }
        assertEquals("the doubling ends before it overflows", 4_999, schedule.delayMs(Integer.MAX_VALUE, 0.9999, -1));
    }

    @Test
    public void ages_of_credentials() throws IOException {
        for (JsonObject age : Vectors.list("credentials", "ages")) {
            String found = Credentials.age(age.get("leftMs").getAsLong(), age.get("lifeMs").getAsLong())
                    .name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
            assertEquals(age.toString(), age.get("expected").getAsString(), found);
        }
    }

    @Test
    public void clocks() throws IOException {
        for (JsonObject vector : Vectors.list("credentials", "clocks")) {
            long deviceMs = vector.get("deviceMs").getAsLong();
            Clock clock = new Clock(new Surroundings());
            long before = vector.get("before").getAsLong();
            if (before != 0) {
                clock.learn(new Date(deviceMs + before), deviceMs, true);
            }
            String date = Vectors.string(vector, "date");
            Headers headers = date == null ? Headers.of() : Headers.of("Date", date);
            clock.learn(headers.getDate("Date"), deviceMs, vector.get("gateway").getAsBoolean());
            assertEquals(vector.toString(), vector.get("expected").getAsLong(), clock.correctionMs());
        }
    }

    @Test
    public void outbox() throws IOException {
        for (JsonObject vector : Vectors.of("outbox")) {
            String met = Vectors.string(vector, "met");
            String expected = vector.get("expected").getAsString();
            String found;
            if (met == null) {
                JsonElement sent = vector.get("firstSentAgeMs");
                OutboxRules.Before before = OutboxRules.before(
                        vector.get("ageMs").getAsLong(), !sent.isJsonNull(), sent.isJsonNull() ? 0 : sent.getAsLong(),
                        vector.get("ageLimitMs").getAsLong(), vector.get("keyWindowMs").getAsLong());
                found = before == OutboxRules.Before.SEND
                        ? "send"
                        : "done:" + before.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
                assertEquals(OutboxRules.KEY_WINDOW_MS, vector.get("keyWindowMs").getAsLong());
            } else {
                found = met.equals("success") || OutboxRules.isFinal(met) ? "done:" + met : "keep";
            }
            assertEquals(vector.toString(), expected, found);
        }
    }

    enum Level {
        LOW,
        HIGH
    }

    static final class Address {
        String street;
        String zip;
    }

    static final class Person {
        String name;
        Integer age;
        Long born;
        Double weight;
        Boolean active;
        List<String> tags;
        Address address;
        Map<String, String> attributes;
        Level level;
    }

    record Score(String player, Long points) {}

    private static final Map<String, Type> TYPES = new HashMap<>();

    static {
        TYPES.put("Person", Person.class);
        TYPES.put("Address", Address.class);
        TYPES.put("list<Score>", new TypeToken<List<Score>>() {}.getType());
        TYPES.put("map<string,Score>", new TypeToken<Map<String, Score>>() {}.getType());
        TYPES.put("map<string,list<int64>>", new TypeToken<Map<String, List<Long>>>() {}.getType());
        TYPES.put("string", String.class);
        TYPES.put("int64", long.class);
        TYPES.put("int32", Integer.class);
        TYPES.put("double", double.class);
        TYPES.put("boolean", boolean.class);
        TYPES.put("any", JsonElement.class);
    }

    @Test
    public void json() throws IOException {
        GsonMapper mapper = new GsonMapper();
        for (JsonObject vector : Vectors.of("json")) {
            String id = vector.get("id").getAsString();
            Type type = TYPES.get(vector.get("type").getAsString());
            String text = vector.get("json").getAsString();
            String encoded = Vectors.string(vector, "encoded");
            if (encoded == null) {
                try {
                    Object value = mapper.read(text, type);
                    throw new AssertionError(id + " became " + value);
                } catch (RuntimeException refused) {
                    continue;
                }
            }
            String found = mapper.write(mapper.read(text, type), type);
            assertEquals(id, normal(JsonParser.parseString(encoded)), normal(JsonParser.parseString(found)));
        }
    }

    /** Numbers by value: 3 and 3.0 are the same. */
    private static JsonElement normal(JsonElement value) {
        if (value instanceof JsonObject) {
            JsonObject object = new JsonObject();
            ((JsonObject) value).entrySet().forEach(member -> object.add(member.getKey(), normal(member.getValue())));
            return object;
        }
        if (value instanceof JsonArray) {
            JsonArray array = new JsonArray();
            ((JsonArray) value).forEach(item -> array.add(normal(item)));
            return array;
        }
        if (value instanceof JsonPrimitive && ((JsonPrimitive) value).isNumber()) {
            return new JsonPrimitive(value.getAsBigDecimal().stripTrailingZeros().toPlainString());
        }
        return value == null ? JsonNull.INSTANCE : value;
    }
}
