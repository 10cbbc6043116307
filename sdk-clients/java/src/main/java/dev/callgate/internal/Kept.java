package dev.callgate.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.callgate.Storage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What is known of the identity, as it is kept. Immutable. */
final class Kept {
    private static final int WAS_MAX = 16;
    private static final String IDENTITY = "callgate-identity";
    private static final String CREDENTIALS = "callgate-credentials";

    /** Null if there is none. */
    final String id;
    /** Whether it ever had a login. */
    final boolean signedIn;
    /** The ids that became it, the latest last. */
    final List<String> was;

    static final Kept NONE = new Kept(null, false, Collections.<String>emptyList());

    Kept(String id, boolean signedIn, List<String> was) {
        this.id = id;
        this.signedIn = signedIn;
        this.was = was;
    }

    /** The same after an answer with that id. */
    Kept answered(String newId, boolean withLogins) {
        boolean now = signedIn || withLogins;
        if (newId.equals(id)) {
            return now == signedIn ? this : new Kept(id, now, was);
        }
        List<String> then = new ArrayList<>(was);
        if (id != null) {
            then.add(id);
        }
        int from = Math.max(0, then.size() - WAS_MAX);
        return new Kept(newId, now, Collections.unmodifiableList(new ArrayList<>(then.subList(from, then.size()))));
    }

    /** Reads what was kept for this gateway's pool; of another one it is nothing. */
    static Kept read(Storage storage, String scope) {
        String text = storage.get(IDENTITY);
        JsonObject from = text == null ? new JsonObject() : Json.object(text);
        String id = Json.string(from, "id");
        if (id == null || !scope.equals(Json.string(from, "of"))) {
            return NONE;
        }
        JsonElement signedIn = from.get("signedIn");
        return new Kept(id, signedIn != null && "true".equals(signedIn.toString()), Json.lines(from.get("was")));
    }

    void write(Storage storage, String scope) {
        if (id == null) {
            storage.put(IDENTITY, null);
            return;
        }
        JsonObject to = new JsonObject();
        to.addProperty("of", scope);
        to.addProperty("id", id);
        to.addProperty("signedIn", signedIn);
        JsonArray ids = new JsonArray();
        for (String one : was) {
            ids.add(one);
        }
        to.add("was", ids);
        storage.put(IDENTITY, to.toString());
    }

    /** Credentials of this identity, where the storage keeps secrets. */
    Credentials readCredentials(Storage storage) {
        String text = id != null && storage.keepsSecrets() ? storage.get(CREDENTIALS) : null;
        if (text == null) {
            return null;
        }
        JsonObject from = Json.object(text);
        String key = Json.string(from, "key");
        String secret = Json.string(from, "secret");
        String token = Json.string(from, "token");
        if (!id.equals(Json.string(from, "of")) || key == null || secret == null || token == null) {
            return null;
        }
        long fromMs = (long) Json.number(from, "from", 0);
        return new Credentials(id, key, secret, token, fromMs, (long) Json.number(from, "until", 0));
    }

    void writeCredentials(Storage storage, Credentials credentials) {
        if (!storage.keepsSecrets()) {
            return;
        }
        if (credentials == null) {
            storage.put(CREDENTIALS, null);
            return;
        }
        JsonObject to = new JsonObject();
        to.addProperty("of", id);
        to.addProperty("key", credentials.accessKeyId);
        to.addProperty("secret", credentials.secretKey);
        to.addProperty("token", credentials.sessionToken);
        to.addProperty("from", credentials.fromMs);
        to.addProperty("until", credentials.untilMs);
        storage.put(CREDENTIALS, to.toString());
    }
}
