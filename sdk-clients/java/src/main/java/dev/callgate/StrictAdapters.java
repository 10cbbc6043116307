package dev.callgate;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonSyntaxException;
import com.google.gson.TypeAdapter;
import com.google.gson.TypeAdapterFactory;
import com.google.gson.reflect.TypeToken;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.Map;

/**
 * Values as JSON has them. Gson's own adapters read numbers and booleans as strings, strings as numbers, any string but "true" as
 * false, lists of pairs as maps, and 2^63 as 2^63 - 1.
 */
final class StrictAdapters {
    private StrictAdapters() {}

    static GsonBuilder register(GsonBuilder builder) {
        TypeAdapter<Number> whole = new Whole(false);
        TypeAdapter<Number> small = new Whole(true);
        TypeAdapter<Number> fraction = new Fraction();
        TypeAdapter<Boolean> truth = new Truth();
        return builder.registerTypeAdapter(long.class, whole)
                .registerTypeAdapter(Long.class, whole)
                .registerTypeAdapter(int.class, small)
                .registerTypeAdapter(Integer.class, small)
                .registerTypeAdapter(double.class, fraction)
                .registerTypeAdapter(Double.class, fraction)
                .registerTypeAdapter(boolean.class, truth)
                .registerTypeAdapter(Boolean.class, truth)
                .registerTypeAdapter(String.class, new Text())
                .registerTypeAdapterFactory(new Maps());
    }

    /** Whether a value of that kind comes next; if null does, it is taken. */
    static boolean comes(JsonToken wanted, JsonReader from) throws IOException {
        JsonToken next = from.peek();
        if (next == JsonToken.NULL) {
            from.nextNull();
            return false;
        }
        if (next != wanted) {
            throw new JsonSyntaxException(wanted + " was expected, not " + next + ", at " + from.getPath());
        }
        return true;
    }

    private static final class Text extends TypeAdapter<String> {
        @Override
        public void write(JsonWriter to, String value) throws IOException {
            to.value(value);
        }

        @Override
        public String read(JsonReader from) throws IOException {
            return comes(JsonToken.STRING, from) ? from.nextString() : null;
        }
    }

    private static final class Truth extends TypeAdapter<Boolean> {
        @Override
        public void write(JsonWriter to, Boolean value) throws IOException {
            to.value(value);
        }

        @Override
        public Boolean read(JsonReader from) throws IOException {
            return comes(JsonToken.BOOLEAN, from) ? from.nextBoolean() : null;
        }
    }

    private static final class Fraction extends TypeAdapter<Number> {
        @Override
        public void write(JsonWriter to, Number value) throws IOException {
            to.value(value);
        }

        @Override
        public Number read(JsonReader from) throws IOException {
            return comes(JsonToken.NUMBER, from) ? from.nextDouble() : null;
        }
    }

    private static final class Whole extends TypeAdapter<Number> {
        private final boolean small;

        Whole(boolean small) {
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
            if (!comes(JsonToken.NUMBER, from)) {
                return null;
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

    private static final class Maps implements TypeAdapterFactory {
        @Override
        public <T> TypeAdapter<T> create(Gson gson, TypeToken<T> type) {
            if (!Map.class.isAssignableFrom(type.getRawType())) {
                return null;
            }
            TypeAdapter<T> maps = gson.getDelegateAdapter(this, type);
            return new TypeAdapter<T>() {
                @Override
                public void write(JsonWriter to, T value) throws IOException {
                    maps.write(to, value);
                }

                @Override
                public T read(JsonReader from) throws IOException {
                    return comes(JsonToken.BEGIN_OBJECT, from) ? maps.read(from) : null;
                }
            };
        }
    }
}
