package dev.callgate;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonSyntaxException;
import com.google.gson.Strictness;
import com.google.gson.reflect.TypeToken;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.lang.reflect.Type;

/**
 * Plain objects, generics, lists, maps, enums, and records where the JVM has them. Strict: what is not JSON, and what does not fit
 * its type, is an error. Members that are null are not sent; members that the app does not know are passed over.
 */
public final class GsonMapper implements JsonMapper {
    private final Gson gson;

    public GsonMapper() {
        this(new GsonBuilder());
    }

    /** With adapters and settings of the app's own. Strictness stays the SDK's, as do strings, numbers, booleans and maps. */
    public GsonMapper(GsonBuilder builder) {
        this.gson = StrictAdapters.register(builder.setStrictness(Strictness.STRICT).disableHtmlEscaping()).create();
    }

    @Override
    public String write(Object value, Type type) {
        return gson.toJson(value, type);
    }

    @Override
    public Object read(String json, Type type) {
        if (json.isEmpty()) {
            return null;
        }
        JsonReader reader = new JsonReader(new StringReader(json));
        reader.setStrictness(Strictness.STRICT);
        Object value = gson.fromJson(reader, TypeToken.get(type));
        try {
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new JsonSyntaxException("there is more than one JSON value");
            }
        } catch (IOException error) {
            throw new JsonSyntaxException("there is more than one JSON value", error);
        }
        return value;
    }
}
