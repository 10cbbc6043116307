package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import com.google.gson.reflect.TypeToken;
import dev.callgate.testing.FakeCallgate;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** Interfaces that become calls, and the double for an app's own tests. */
public class FunctionsTest {
    static class Person {
        String name;
        Integer age;

        Person(String name, Integer age) {
            this.name = name;
            this.age = age;
        }
    }

    record Score(String player, long points) {}

    record Page<T>(List<T> items, Map<String, T> byName) {}

    interface Backend {
        @CallgateFunction(name = "greeting")
        String greet(Person person);

        @CallgateFunction
        List<Score> scores();

        @CallgateFunction(name = "scores")
        Page<Score> page(int count);

        @CallgateFunction(name = "greeting", qualifier = "prod", deadlineMs = 1000)
        Answer<String> whole(Person person);

        @CallgateFunction(name = "greeting")
        CallgateFuture<String> later(Person person);

        @CallgateFunction(name = "buy", idempotent = true)
        CallgateFuture<Answer<Map<String, Integer>>> buy(List<Integer> items, CallOptions options);

        @CallgateFunction(name = "greeting")
        void forget(Person person);
    }

    private final FakeCallgate fake = new FakeCallgate();

    @Test
    public void methods_take_and_return_the_apps_own_types() throws Exception {
        fake.on("greeting", Person.class, person -> "Hello, " + person.name);
        fake.on("scores", Integer.class, count -> count == null
                ? List.of(new Score("ada", 9_007_199_254_740_993L))
                : new Page<>(List.of(new Score("bob", count)), Map.of("bob", new Score("bob", count))));
        fake.on("buy", new TypeToken<List<Integer>>() {}.getType(), (List<Integer> items) -> Map.of("items", items.size()));
        try (Callgate callgate = fake.client().build()) {
            Backend backend = callgate.functions(Backend.class);
            Person ada = new Person("Ada", null);
            assertEquals("Hello, Ada", backend.greet(ada));
            assertEquals(List.of(new Score("ada", 9_007_199_254_740_993L)), backend.scores());
            assertEquals(new Score("bob", 7), backend.page(7).byName().get("bob"));
            assertEquals("Hello, Ada", backend.later(ada).get());
            backend.forget(ada);
            Answer<String> whole = backend.whole(ada);
            assertEquals("$LATEST", whole.executedVersion());
            assertFalse(whole.replayed());
            assertEquals(2, (int) backend.buy(List.of(1, 2), CallOptions.NONE.idempotencyKey("k")).get().value().get("items"));
            List<FakeCallgate.Call> calls = fake.calls();
            assertEquals("{\"name\":\"Ada\"}", calls.get(0).json());
            assertEquals("no argument is no body", "", calls.get(1).json());
            assertEquals("k", calls.get(calls.size() - 1).idempotencyKey());
            assertEquals(backend, backend);
            assertEquals("Backend of Callgate", backend.toString());
            assertEquals(backend.hashCode(), backend.hashCode());
        }
    }

    interface Unmarked {
        String greet(Person person);
    }

    interface TwoArguments {
        @CallgateFunction
        String greet(String first, String last);
    }

    interface Generic<T> {
        @CallgateFunction
        T greet(String name);
    }

    interface WithBody {
        @CallgateFunction
        default String greet() {
            return "";
        }
    }

    interface RawFuture {
        @CallgateFunction
        @SuppressWarnings("rawtypes")
        CallgateFuture greet();
    }

    interface Keeps {
        @CallgateFunction
        OutboxReceipt greet(String name);
    }

    @Test
    public void what_cannot_be_called_is_refused_when_it_is_made() {
        try (Callgate callgate = fake.client().build()) {
            for (Class<?> type : List.of(
                    Unmarked.class, TwoArguments.class, Generic.class, WithBody.class, RawFuture.class, Keeps.class, Person.class)) {
                IllegalArgumentException refused =
                        assertThrows(type.getName(), IllegalArgumentException.class, () -> callgate.functions(type));
                assertTrue(refused.getMessage(), refused.getMessage().contains(type.getSimpleName()));
            }
        }
    }

    @Test
    public void the_double_does_as_it_is_told() {
        fake.on("greeting", Person.class, person -> {
            if (person.name == null) {
                throw new IllegalArgumentException("nobody by name");
            }
            return "Hello, " + person.name;
        });
        try (Callgate callgate = fake.client().build()) {
            Backend backend = callgate.functions(Backend.class);
            FunctionException failed = assertThrows(FunctionException.class, () -> backend.greet(new Person(null, 1)));
            assertEquals("IllegalArgumentException", failed.remoteType());
            assertEquals("nobody by name", failed.remoteMessage());
            assertFalse(failed.timedOut());
            assertThrows(NotFoundException.class, () -> callgate.call("other", 1, int.class));
            fake.throttleNext(2);
            assertEquals(3, callgate.call("greeting", new Person("A", 1), Person.class, String.class, CallOptions.NONE).attempts());
            fake.throttleNext(4);
            assertThrows(ThrottledException.class, () -> backend.greet(new Person("A", 1)));
            fake.denyNext(1);
            assertThrows(DeniedException.class, () -> backend.greet(new Person("A", 1)));
            int ran = fake.calls().size();
            fake.loseNextAnswers(2);
            Answer<String> replayed = callgate.call("greeting", new Person("B", 1), Person.class, String.class, CallOptions.NONE);
            assertEquals("Hello, B", replayed.value());
            assertTrue(replayed.replayed());
            assertEquals("one call is one run", ran + 1, fake.calls().size());
            fake.offline(true);
            assertFalse(assertThrows(OfflineException.class, () -> backend.greet(new Person("A", 1))).mayHaveRun());
            fake.offline(false);
            String large = "0123456789".repeat(200) + "abc".repeat(5_000);
            assertEquals("Hello, " + large, backend.greet(new Person(large, 1)));
        }
    }

    @Test
    public void an_answer_of_another_type_is_an_error_and_names_the_call() {
        fake.on("greeting", Person.class, person -> List.of(1));
        try (Callgate callgate = fake.client().build()) {
            AnswerException odd = assertThrows(AnswerException.class, () -> callgate.call("greeting", new Person("A", 1), Person.class));
            assertTrue(odd.mayHaveRun());
            assertEquals(1, odd.attempts());
            fake.on("greeting", Person.class, person -> null);
            assertNull(callgate.call("greeting", new Person("A", 1), Person.class));
        }
    }

    @Test
    public void wrong_settings_are_named() {
        assertWrong("endpoint", Callgate.builder().identityPool("p"));
        assertWrong("endpoint", Callgate.builder().identityPool("p").endpoint("ftp://x"));
        assertWrong("endpoint", Callgate.builder().identityPool("p").endpoint("https://x/path"));
        assertWrong("endpoint", Callgate.builder().identityPool("p").endpoint("https://user@x"));
        assertWrong("https", Callgate.builder().identityPool("p").endpoint("http://192.168.1.5:7070"));
        assertWrong("identityPool", Callgate.builder().endpoint("https://x"));
        assertWrong("identityPool", Callgate.builder().endpoint("https://x").identityPool("p").credentials("a", "b", null));
        assertWrong("attemptsMax", fake.client().attemptsMax(0));
        assertWrong("attemptsMax", fake.client().attemptsMax(11));
        assertWrong("deadlineMs", fake.client().deadlineMs(900_001));
        assertWrong("gzipFromBytes", fake.client().gzipFromBytes(-1));
        assertThrows(IllegalArgumentException.class, () -> CallOptions.NONE.idempotencyKey("a b"));
        assertThrows(IllegalArgumentException.class, () -> CallOptions.NONE.idempotencyKey("x".repeat(256)));
        assertThrows(IllegalArgumentException.class, () -> CallOptions.NONE.deadlineMs(0));
        Callgate.builder().identityPool("p").endpoint("http://192.168.1.5:7070").allowPlaintext().build().close();
        Callgate.builder().identityPool("p").endpoint("http://[::1]:7070/").build().close();
        try (Callgate fixed = Callgate.builder().endpoint("https://x").credentials("a", "b", null).build()) {
            assertThrows(IllegalStateException.class, fixed::identity);
            assertThrows(IllegalStateException.class, fixed::outbox);
        }
    }

    private static void assertWrong(String named, Callgate.Builder builder) {
        IllegalArgumentException wrong = assertThrows(IllegalArgumentException.class, builder::build);
        assertTrue(wrong.getMessage(), wrong.getMessage().contains(named));
    }
}
