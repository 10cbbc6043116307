package dev.callgate.internal;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The contract's vectors, which all SDKs' tests read. */
public final class Vectors {
    public static final Path REPOSITORY =
            Path.of(System.getProperty("callgate.repository", "../..")).toAbsolutePath().normalize();

    private Vectors() {}

    public static JsonObject document(String name) throws IOException {
        Path file = REPOSITORY.resolve("sdk-clients/contract/vectors/" + name + ".json");
        return JsonParser.parseString(Files.readString(file, StandardCharsets.UTF_8)).getAsJsonObject();
    }

    public static List<JsonObject> list(String name, String member) throws IOException {
        List<JsonObject> all = new ArrayList<>();
        for (JsonElement one : document(name).getAsJsonArray(member)) {
            all.add(one.getAsJsonObject());
        }
        if (all.size() < 5) {
            throw new AssertionError(name + " has only " + all.size() + " " + member);
        }
        return all;
    }

    public static List<JsonObject> of(String name) throws IOException {
        return list(name, "vectors");
    }

    public static String string(JsonObject object, String name) {
        JsonElement value = object.get(name);
        return value == null || value.isJsonNull() ? null : value.getAsString();
    }
}
