package dev.callgate;

import com.google.gson.JsonObject;
import dev.callgate.internal.Text;
import java.util.Map;
import java.util.TreeMap;
import okio.ByteString;

/**
 * What the device says of itself, and what the app adds: {@code context.clientContext} in the function, which trusts none of it.
 * Immutable once built.
 */
public final class ClientContext {
    /** The longest header that the gateway takes, in bytes. */
    static final int HEADER_BYTES_MAX = 3_583;

    private final Map<String, String> client;
    private final Map<String, String> env;
    private final Map<String, String> custom;
    private final JsonObject services;
    private final String header;

    private ClientContext(
            Map<String, String> client, Map<String, String> env, Map<String, String> custom, JsonObject services) {
        this.client = client;
        this.env = env;
        this.custom = custom;
        this.services = services;
        this.header = encode();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The value of {@code X-Amz-Client-Context}. */
    public String header() {
        return header;
    }

    /** The same with more in {@code custom}. Throws IllegalArgumentException if it gets too long. */
    public ClientContext with(Map<String, String> more) {
        if (more.isEmpty()) {
            return this;
        }
        Map<String, String> all = new TreeMap<>(custom);
        all.putAll(more);
        return new ClientContext(client, env, all, services);
    }

    private String encode() {
        JsonObject all = new JsonObject();
        all.add("client", object(client));
        all.add("env", object(env));
        all.add("custom", object(custom));
        if (services != null) {
            all.add("services", services);
        }
        String encoded = ByteString.of(all.toString().getBytes(Text.UTF_8)).base64();
        if (encoded.length() > HEADER_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "the client context has " + encoded.length() + " bytes encoded; " + HEADER_BYTES_MAX + " are allowed");
        }
        return encoded;
    }

    private static JsonObject object(Map<String, String> members) {
        JsonObject object = new JsonObject();
        for (Map.Entry<String, String> member : members.entrySet()) {
            object.addProperty(member.getKey(), member.getValue());
        }
        return object;
    }

    /** What is not set is not sent. */
    public static final class Builder {
        private final Map<String, String> client = new TreeMap<>();
        private final Map<String, String> env = new TreeMap<>();
        private final Map<String, String> custom = new TreeMap<>();
        private JsonObject services;

        Builder() {}

        private Builder put(Map<String, String> into, String name, String value) {
            if (value != null) {
                into.put(name, value);
            }
            return this;
        }

        /** An id of this installation of the app, kept for as long as it is installed. */
        public Builder installationId(String id) {
            return put(client, "installation_id", id);
        }

        public Builder appTitle(String title) {
            return put(client, "app_title", title);
        }

        public Builder appVersionName(String name) {
            return put(client, "app_version_name", name);
        }

        public Builder appVersionCode(String code) {
            return put(client, "app_version_code", code);
        }

        public Builder appPackageName(String name) {
            return put(client, "app_package_name", name);
        }

        public Builder platform(String name) {
            return put(env, "platform", name);
        }

        public Builder platformVersion(String version) {
            return put(env, "platform_version", version);
        }

        public Builder make(String manufacturer) {
            return put(env, "make", manufacturer);
        }

        public Builder model(String name) {
            return put(env, "model", name);
        }

        public Builder locale(String name) {
            return put(env, "locale", name);
        }

        /** Something of the app's own. */
        public Builder custom(String name, String value) {
            return put(custom, name, value);
        }

        /** {@code services}, for functions that read what the old SDKs' services put there. */
        public Builder services(JsonObject members) {
            services = members == null ? null : members.deepCopy();
            return this;
        }

        /** Throws IllegalArgumentException if it is longer than the gateway takes. */
        public ClientContext build() {
            return new ClientContext(new TreeMap<>(client), new TreeMap<>(env), new TreeMap<>(custom), services);
        }
    }
}
