package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import dev.callgate.internal.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.ClassRule;
import org.junit.Test;

/** README's ten lines, as they stand there. */
public class ReadmeTest {
    @ClassRule
    public static final RealGateway gateway = new RealGateway(Map.of());

    // README: begins
    record Person(String name) {}
    record Greeting(String text, boolean signedIn) {}

    interface Backend {
        @CallgateFunction(name = "greeting")
        Greeting greet(Person person);
    }

    // README: pauses
    @Test
    public void ten_lines_are_a_working_call() throws Exception {
        gateway.deploy("examples/functions/greeting", "greeting", "guests");
        String endpoint = gateway.endpoint;
        String pool = gateway.pool;
        // README: goes on
        Callgate callgate = Callgate.builder().endpoint(endpoint).identityPool(pool).build();
        Greeting greeting = callgate.functions(Backend.class).greet(new Person("Ada"));
        // README: ends
        assertEquals(new Greeting("Hello, Ada!", false), greeting);
        callgate.close();
    }

    private static final Path HERE = Vectors.REPOSITORY.resolve("sdk-clients/java");

    @Test
    public void readme_has_the_lines_of_the_test_above() throws IOException {
        String readme = Files.readString(HERE.resolve("README.md"));
        String shown = readme.split("```java\n")[1].split("```")[0];
        String source = Files.readString(HERE.resolve("src/test/java/dev/callgate/ReadmeTest.java"));
        String first = source.split("// README: begins\n")[1].split(" *// README: pauses")[0];
        String second = source.split("// README: goes on\n")[1].split(" *// README: ends")[0];
        assertEquals(trimmed(first + second), trimmed(shown));
        assertTrue("ten lines", trimmed(shown).size() <= 10);
    }

    /** The lines that say something, without their indent. */
    private static List<String> trimmed(String text) {
        return text.lines().map(String::trim).filter(line -> !line.isEmpty()).collect(Collectors.toList());
    }

    @Test
    public void the_version_is_one_everywhere() throws IOException {
        String pom = Files.readString(HERE.resolve("pom.xml"));
        String version = pom.split("<version>")[1].split("</version>")[0];
        String code = Files.readString(HERE.resolve("src/main/java/dev/callgate/internal/Version.java"));
        assertTrue(code, code.contains("\"" + version + "\""));
        assertTrue(Files.readString(HERE.resolve("README.md")).contains("<version>" + version + "</version>"));
        assertTrue(Files.readString(HERE.resolve("CHANGELOG.md")).contains("## " + version));
        assertTrue(Files.readString(Vectors.REPOSITORY.resolve("examples/java/pom.xml")).contains("<version>" + version + "</version>"));
    }
}
