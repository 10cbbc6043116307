package dev.callgate;

import java.lang.reflect.Type;

/** Between an app's types and JSON. {@link GsonMapper} is the SDK's own; put another in its place for what it lacks. */
public interface JsonMapper {
    /** The value as JSON. Throws a RuntimeException if it cannot be. */
    String write(Object value, Type type);

    /** JSON as a value of the type. Throws a RuntimeException if it does not fit, or is no JSON. */
    Object read(String json, Type type);
}
