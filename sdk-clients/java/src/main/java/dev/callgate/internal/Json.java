package dev.callgate.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;

/** JSON of the gateway's own: error bodies, Cognito's answers, records. It may be anything; what does not fit is absent. */
final class Json {
    private Json() {}

    /** The value, or null if the text is not one JSON value. */
    static JsonElement parse(String text) {
        JsonReader reader = new JsonReader(new StringReader(text));
        reader.setStrictness(Strictness.STRICT);
        try {
            JsonElement value = JsonParser.parseReader(reader);
            return reader.peek() == JsonToken.END_DOCUMENT ? value : null;
        } catch (JsonParseException | IOException | NumberFormatException | StackOverflowError notJson) {
            return null;
        }
    }

    /** The object, or an empty one. */
    static JsonObject object(String text) {
        JsonElement value = parse(text);
        return value instanceof JsonObject ? (JsonObject) value : new JsonObject();
    }

    /** The member's text, or null if it is absent or no string. */
    static String string(JsonObject object, String name) {
        JsonElement value = object.get(name);
        return value instanceof JsonPrimitive && ((JsonPrimitive) value).isString() ? value.getAsString() : null;
    }

    /** The member's number, or the fallback. */
    static double number(JsonObject object, String name, double fallback) {
        JsonElement value = object.get(name);
        return value instanceof JsonPrimitive && ((JsonPrimitive) value).isNumber() ? value.getAsDouble() : fallback;
    }

    /** Lines of a list: strings as they are, lists with their items joined by a space; what is neither is left out. */
    static List<String> lines(JsonElement list) {
        List<String> lines = new ArrayList<>();
        if (list instanceof JsonArray) {
            for (JsonElement item : (JsonArray) list) {
                if (item instanceof JsonPrimitive) {
                    lines.add(item.getAsString());
                } else if (item instanceof JsonArray) {
                    StringBuilder line = new StringBuilder();
                    for (JsonElement part : (JsonArray) item) {
                        line.append(line.length() == 0 ? "" : " ");
                        line.append(part instanceof JsonPrimitive ? part.getAsString() : part.toString());
                    }
                    lines.add(line.toString());
                }
            }
        }
        return lines;
    }
}
