package dev.callgate;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonSyntaxException;
import com.google.gson.Strictness;
import com.google.gson.TypeAdapter;
import com.google.gson.reflect.TypeToken;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringReader;
import java.lang.reflect.Type;
import java.math.BigDecimal;

/**
 * Plain objects, generics, lists, maps, enums, and records where the JVM has them. Strict: what is not JSON, and a number that
 * does not fit its type, is an error. Members that are null are not sent; members that the app does not know are passed over.
 */
public final class GsonMapper implements JsonMapper {
    private final Gson gson;

    public GsonMapper() {
        this(new GsonBuilder());
    }

    /** With adapters and settings of the app's own. Strictness and integers stay the SDK's. */
    public GsonMapper(GsonBuilder builder) {
        TypeAdapter<Number> whole = new WholeNumbers(false);
        TypeAdapter<Number> small = new WholeNumbers(true);
        this.gson = builder.setStrictness(Strictness.STRICT)
                .disableHtmlEscaping()
                .registerTypeAdapter(long.class, whole)
                .registerTypeAdapter(Long.class, whole)
                .registerTypeAdapter(int.class, small)
                .registerTypeAdapter(Integer.class, small)
                .create();
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

    /** Gson's own adapter takes 2^63 for 2^63 - 1. */
    private static final class WholeNumbers extends TypeAdapter<Number> {
        private final boolean small;

        WholeNumbers(boolean small) {
            this.small = small;
        }

        @Override
        public void write(JsonWriter to, Number value) throws IOException {
            if (value == null) {
                to.nullValue();
            } else {
                to.value(value.longValue());
            }
        }

        @Override
        public Number read(JsonReader from) throws IOException {
            if (from.peek() == JsonToken.NULL) {
                from.nextNull();
                return null;
            }
            if (from.peek() != JsonToken.NUMBER) {
                throw new JsonSyntaxException("a number was expected, not " + from.peek() + ", at " + from.getPath());
            }
            String text = from.nextString();
            try {
                long number = text.length() < 19 && text.indexOf('.') < 0 && text.indexOf('e') < 0 && text.indexOf('E') < 0
                        ? Long.parseLong(text)
                        : new BigDecimal(text).longValueExact();
                if (!small) {
                    return number;
                }
                if (number != (int) number) {
                    throw new ArithmeticException("out of range");
                }
                return (int) number;
            } catch (ArithmeticException | NumberFormatException error) {
                throw new JsonSyntaxException(
                        text + " is no " + (small ? "int" : "long") + ", at " + from.getPreviousPath(), error);
            }
        }
    }
}
