import dev.callgate.CallgateFunction;
import dev.callgate.CallgateFuture;
import dev.callgate.GsonMapper;
import dev.callgate.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads JSON into the types of a generated interface, Java's or Kotlin's, and writes it again, with the SDK's own mapper.
 *
 * <p>Lines of standard input: function, tab, "input" or "output", tab, JSON. A line of standard output for each: "=" and the
 * JSON that the value is written as, or "!" and what was wrong with it.
 */
public final class RoundTrip {
    private RoundTrip() {}

    public static void main(String[] arguments) throws IOException, ClassNotFoundException {
        Map<String, Type> types = new HashMap<>();
        for (Method method : Class.forName(arguments[0]).getMethods()) {
            CallgateFunction about = method.getAnnotation(CallgateFunction.class);
            if (about == null || method.getReturnType() == CallgateFuture.class) {
                continue;
            }
            String name = about.name().isEmpty() ? method.getName() : about.name();
            Type[] parameters = method.getGenericParameterTypes();
            Type last = parameters.length == 0 ? null : parameters[parameters.length - 1];
            boolean suspends = last instanceof ParameterizedType && last.getTypeName().startsWith("kotlin.coroutines.Continuation");
            types.put(name + "\toutput", suspends ? bound(((ParameterizedType) last).getActualTypeArguments()[0]) : method.getGenericReturnType());
            if (parameters.length > (suspends ? 1 : 0)) {
                types.put(name + "\tinput", parameters[0]);
            }
        }
        JsonMapper mapper = new GsonMapper();
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            int tab = line.lastIndexOf('\t');
            Type type = types.get(line.substring(0, tab));
            if (type == null) {
                throw new IllegalArgumentException(arguments[0] + " has no " + line.substring(0, tab) + ", but " + types.keySet());
            }
            out.println(again(mapper, line.substring(tab + 1), type));
        }
        out.flush();
    }

    private static String again(JsonMapper mapper, String json, Type type) {
        try {
            Object value = mapper.read(json, type);
            Object equal = mapper.read(json, type);
            if (value != null && !value.getClass().isArray() && (!value.equals(equal) || value.hashCode() != equal.hashCode())) {
                return "!! equal JSON is no equal value: " + value;
            }
            return "=" + mapper.write(value, type);
        } catch (RuntimeException error) {
            return "!" + String.valueOf(error.getMessage()).replace('\n', ' ').replace('\r', ' ');
        }
    }

    /** A continuation takes {@code ? super T}. */
    private static Type bound(Type type) {
        return type instanceof WildcardType ? ((WildcardType) type).getLowerBounds()[0] : type;
    }
}
