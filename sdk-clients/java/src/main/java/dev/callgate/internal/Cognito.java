package dev.callgate.internal;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Map;
import okhttp3.HttpUrl;
import okhttp3.Request;

/** The two public operations of Amazon Cognito Identity that an app needs. */
final class Cognito {
    private static final int TOKEN_CHARS_MAX = 4096;

    private final Wire wire;
    private final HttpUrl endpoint;
    private final String pool;
    private final Clock clock;
    private final Surroundings surroundings;

    Cognito(Wire wire, HttpUrl endpoint, String pool, Clock clock, Surroundings surroundings) {
        this.wire = wire;
        this.endpoint = endpoint;
        this.pool = pool;
        this.clock = clock;
        this.surroundings = surroundings;
    }

    /** Credentials, and the id that they are of, which may be another than was sent. */
    static final class Session {
        final String id;
        final Credentials credentials;

        Session(String id, Credentials credentials) {
            this.id = id;
            this.credentials = credentials;
        }
    }

    String getId(Map<String, String> logins, long untilNanos) throws Failure {
        JsonObject members = new JsonObject();
        members.addProperty("IdentityPoolId", pool);
        String id = Json.string(ask("GetId", members, logins, untilNanos), "IdentityId");
        if (id == null) {
            throw odd("GetId");
        }
        return id;
    }

    Session getCredentials(String id, Map<String, String> logins, long untilNanos) throws Failure {
        JsonObject members = new JsonObject();
        members.addProperty("IdentityId", id);
        JsonObject answer = ask("GetCredentialsForIdentity", members, logins, untilNanos);
        JsonElement found = answer.get("Credentials");
        JsonObject of = found instanceof JsonObject ? (JsonObject) found : new JsonObject();
        String newId = Json.string(answer, "IdentityId");
        String key = Json.string(of, "AccessKeyId");
        String secret = Json.string(of, "SecretKey");
        String token = Json.string(of, "SessionToken");
        double until = Json.number(of, "Expiration", 0);
        boolean whole = newId != null && key != null && secret != null && token != null && until > 0;
        if (!whole || token.length() > TOKEN_CHARS_MAX) {
            throw odd("GetCredentialsForIdentity");
        }
        // By the gateway's clock, which its answer's date has just set.
        return new Session(newId, new Credentials(newId, key, secret, token, clock.nowMs(), (long) (until * 1000)));
    }

    private JsonObject ask(String operation, JsonObject members, Map<String, String> logins, long untilNanos) throws Failure {
        if (!logins.isEmpty()) {
            JsonObject named = new JsonObject();
            for (Map.Entry<String, String> login : logins.entrySet()) {
                named.addProperty(login.getKey(), login.getValue());
            }
            members.add("Logins", named);
        }
        Request.Builder head = new Request.Builder()
                .url(endpoint)
                .header("Content-Type", "application/x-amz-json-1.1")
                .header("X-Amz-Target", "AWSCognitoIdentityService." + operation);
        long withinMs = (untilNanos - surroundings.nanos()) / 1_000_000;
        Wire.Received received = wire.send(head, "POST", members.toString().getBytes(Text.UTF_8), null, withinMs);
        if (!received.isAnswer()) {
            throw Errors.of(received, received.text(), false);
        }
        return Json.object(received.text());
    }

    private static Failure odd(String operation) {
        return Failure.offline("the answer to " + operation + " is none of Amazon Cognito's", null);
    }
}
