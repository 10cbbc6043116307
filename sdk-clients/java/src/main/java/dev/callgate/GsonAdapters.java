package dev.callgate;

import com.google.gson.JsonSyntaxException;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adapters that say whether null may lie in lists and maps, which Gson's own do not. Code that {@code callgate generate} writes
 * is made of them.
 */
public final class GsonAdapters {
    private GsonAdapters() {}

    /** Values that are never null: where JSON's null stands for one, it is refused. */
    public static <T> TypeAdapter<T> needed(TypeAdapter<T> values) {
        return new TypeAdapter<T>() {
            @Override
            public void write(JsonWriter to, T value) throws IOException {
                values.write(to, value);
            }

            @Override
            public T read(JsonReader from) throws IOException {
                if (from.peek() == JsonToken.NULL) {
                    throw new JsonSyntaxException("null stands at " + from.getPath());
                }
                return values.read(from);
            }
        };
    }

    /** Lists of such items. They keep what is null. */
    public static <T> TypeAdapter<List<T>> list(TypeAdapter<T> items) {
        return new TypeAdapter<List<T>>() {
            @Override
            public void write(JsonWriter to, List<T> list) throws IOException {
                if (list == null) {
                    to.nullValue();
                    return;
                }
                to.beginArray();
                for (T item : list) {
                    items.write(to, item);
                }
                to.endArray();
            }

            @Override
            public List<T> read(JsonReader from) throws IOException {
                if (!StrictAdapters.comes(JsonToken.BEGIN_ARRAY, from)) {
                    return null;
                }
                List<T> list = new ArrayList<>();
                from.beginArray();
                while (from.hasNext()) {
                    list.add(items.read(from));
                }
                from.endArray();
                return list;
            }
        };
    }

    /** Maps of such values, in their order. They keep what is null if the writer does. */
    public static <T> TypeAdapter<Map<String, T>> map(TypeAdapter<T> values) {
        return new TypeAdapter<Map<String, T>>() {
            @Override
            public void write(JsonWriter to, Map<String, T> map) throws IOException {
                if (map == null) {
                    to.nullValue();
                    return;
                }
                to.beginObject();
                for (Map.Entry<String, T> entry : map.entrySet()) {
                    to.name(entry.getKey());
                    values.write(to, entry.getValue());
                }
                to.endObject();
            }

            @Override
            public Map<String, T> read(JsonReader from) throws IOException {
                if (!StrictAdapters.comes(JsonToken.BEGIN_OBJECT, from)) {
                    return null;
                }
                Map<String, T> map = new LinkedHashMap<>();
                from.beginObject();
                while (from.hasNext()) {
                    String name = from.nextName();
                    if (map.put(name, values.read(from)) != null) {
                        throw new JsonSyntaxException("a name stands twice, at " + from.getPath());
                    }
                }
                from.endObject();
                return map;
            }
        };
    }
}
