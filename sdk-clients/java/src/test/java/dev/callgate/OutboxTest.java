package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import dev.callgate.testing.FakeCallgate;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Kept calls. That they survive the app's death is OutboxDeathTest's. */
public class OutboxTest {
    @Rule
    public final TemporaryFolder temporary = new TemporaryFolder();

    private final FakeCallgate fake = new FakeCallgate();
    private final BlockingQueue<OutboxResult> results = new LinkedBlockingQueue<>();
    private File folder;

    @Before
    public void start() {
        folder = new File(temporary.getRoot(), "outbox");
        fake.on("buy", String.class, item -> "bought " + item);
    }

    private Callgate client() {
        return fake.client().outbox(folder, results::add).build();
    }

    private OutboxResult result() throws InterruptedException {
        OutboxResult result = results.poll(20, TimeUnit.SECONDS);
        assertTrue("no result came", result != null);
        return result;
    }

    private String[] files(String ending) {
        return folder.list((at, name) -> name.endsWith(ending));
    }

    interface Shop {
        @CallgateFunction(name = "buy")
        OutboxReceipt buy(String item);
    }

    @Test
    public void calls_wait_for_the_network_and_go_out_in_order() throws Exception {
        fake.offline(true);
        try (Callgate callgate = client()) {
            Shop shop = callgate.functions(Shop.class);
            List<String> ids = new ArrayList<>();
            for (String item : List.of("a", "b", "c")) {
                ids.add(shop.buy(item).id());
            }
            assertEquals(3, callgate.outbox().size());
            fake.offline(false);
            callgate.outbox().flush();
            for (int i = 0; i < 3; i++) {
                OutboxResult result = result();
                assertEquals(ids.get(i), result.id());
                assertEquals("bought " + "abc".charAt(i), result.value(String.class));
                assertEquals("buy", result.function());
            }
            CredentialsTest.waitFor(() -> callgate.outbox().size() == 0);
            assertEquals(0, files(".call").length);
            List<String> keys = new ArrayList<>();
            fake.calls().forEach(call -> keys.add(call.idempotencyKey()));
            assertEquals("each has a key of its own", 3, keys.stream().distinct().count());
        }
    }

    @Test
    public void lost_answers_are_fetched_and_nothing_runs_twice() throws Exception {
        fake.loseNextAnswers(6);
        try (Callgate callgate = client()) {
            callgate.outbox().add("buy", "a");
            callgate.outbox().add("buy", "b", String.class, CallOptions.NONE.idempotencyKey("own").custom("x", "y"), "label");
            CredentialsTest.waitFor(() -> {
                callgate.outbox().flush();
                return !results.isEmpty();
            });
            assertEquals("bought a", result().value(String.class));
            OutboxResult second = result();
            assertEquals("bought b", second.value(String.class));
            assertEquals("label", second.label());
            assertEquals(2, fake.calls().size());
            assertEquals("own", fake.calls().get(1).idempotencyKey());
        }
    }

    @Test
    public void refusals_and_errors_are_results_too() throws Exception {
        fake.on("bad", String.class, item -> {
            throw new IllegalStateException("sold out");
        });
        try (Callgate callgate = client()) {
            fake.denyNext(1);
            callgate.outbox().add("buy", "a");
            assertTrue(result().error() instanceof DeniedException);
            callgate.outbox().add("bad", "a");
            OutboxResult failed = result();
            assertFalse(failed.isSuccess());
            assertThrows(FunctionException.class, () -> failed.value(String.class));
            callgate.outbox().add("nowhere", "a");
            assertTrue(result().error() instanceof NotFoundException);
        }
    }

    @Test
    public void what_is_too_old_expires_and_what_may_have_run_is_unknown() throws Exception {
        fake.offline(true);
        FakeTime time = new FakeTime();
        try (Callgate callgate = fake.client().surroundings(time).outbox(folder, results::add).outboxAgeLimitMs(1000).build()) {
            String id = callgate.outbox().add("buy", "a").id();
            time.pass(2000);
            callgate.outbox().flush();
            OutboxResult expired = result();
            assertEquals(id, expired.id());
            assertTrue(expired.error() instanceof ExpiredException);
            assertFalse(expired.error().mayHaveRun());
        }
        fake.offline(false).loseNextAnswers(1_000);
        try (Callgate callgate = fake.client().surroundings(time).outbox(folder, results::add).build()) {
            callgate.outbox().add("buy", "b");
            CredentialsTest.waitFor(() -> fake.calls().size() == 1 && !callgate.outbox().withdraw("x"));
            CredentialsTest.waitFor(() -> Files.readString(folder.toPath().resolve(files(".call")[0])).contains("\"firstSentMs\":1"));
            time.pass(23 * 3_600_000 + 1);
            callgate.outbox().flush();
            OutboxResult unknown = result();
            assertTrue(unknown.error() instanceof OutcomeUnknownException);
            assertTrue(unknown.error().mayHaveRun());
        }
    }

    @Test
    public void only_the_own_identitys_calls_go_out() throws Exception {
        MemoryStorage storage = new MemoryStorage();
        fake.identity("us-east-1:guest");
        fake.offline(true);
        try (Callgate callgate = fake.client().storage(storage).outbox(folder, results::add).build()) {
            callgate.outbox().add("buy", "nobody's yet");
            fake.offline(false);
            callgate.outbox().flush();
            result();
            // Sent off and then offline again: it is the guest's.
            fake.offline(true);
            callgate.outbox().add("buy", "guest's");
            callgate.identity().signOut();
            fake.identity("us-east-1:other").offline(false);
            callgate.identity().id();
            callgate.outbox().add("buy", "other's");
            assertEquals("bought other's", result().value(String.class));
            CredentialsTest.waitFor(() -> callgate.outbox().size() == 1);
            callgate.identity().signOut();
            fake.identity("us-east-1:guest");
            callgate.identity().id();
            // The guest signs in as somebody known: the id is another, and the calls are theirs.
            fake.offline(true);
            callgate.outbox().add("buy", "also the guest's");
            fake.offline(false).identity("us-east-1:ada");
            callgate.identity().signIn("login.example", "token");
            assertEquals("us-east-1:ada", callgate.identity().idIfAny());
            assertEquals("bought guest's", result().value(String.class));
            assertEquals("bought also the guest's", result().value(String.class));
        }
    }

    @Test
    public void a_call_can_be_taken_back_until_it_may_have_been_sent() throws Exception {
        fake.offline(true);
        try (Callgate callgate = client()) {
            String first = callgate.outbox().add("buy", "a").id();
            String second = callgate.outbox().add("buy", "b").id();
            assertTrue(callgate.outbox().withdraw(second));
            assertFalse(callgate.outbox().withdraw(second));
            fake.offline(false);
            callgate.outbox().flush();
            assertEquals(first, result().id());
            CredentialsTest.waitFor(() -> callgate.outbox().size() == 0);
            assertFalse(callgate.outbox().withdraw(first));
            assertEquals(1, fake.calls().size());
        }
    }

    @Test
    public void it_holds_so_much_and_no_more() throws Exception {
        fake.offline(true);
        try (Callgate callgate = client()) {
            for (int i = 0; i < 1_000; i++) {
                callgate.outbox().add("buy", "x");
            }
            assertThrows(FullException.class, () -> callgate.outbox().add("buy", "x"));
            assertEquals(1_000, callgate.outbox().size());
        }
        for (File file : folder.listFiles()) {
            file.delete();
        }
        try (Callgate callgate = client()) {
            String large = "x".repeat(6_000_000);
            callgate.outbox().add("buy", large);
            callgate.outbox().add("buy", large);
            assertThrows(FullException.class, () -> callgate.outbox().add("buy", large));
            assertThrows(InvalidRequestException.class, () -> callgate.outbox().add("buy", large + "x".repeat(300_000)));
        }
    }

    @Test
    public void damaged_files_are_put_aside_and_the_rest_goes_on() throws Exception {
        fake.offline(true);
        try (Callgate callgate = client()) {
            callgate.outbox().add("buy", "a");
            callgate.outbox().add("buy", "b");
        }
        Path at = folder.toPath();
        Files.writeString(at.resolve("0000000000000001.call"), "{\"format\":1,");
        for (int i = 0; i < 20; i++) {
            Files.writeString(at.resolve(String.format("%016x.call", 100 + i)), "");
        }
        Files.writeString(at.resolve("foreign.call"), "x");
        Files.writeString(at.resolve("0000000000000009.call.new"), "half");
        fake.offline(false);
        try (Callgate callgate = client()) {
            assertEquals("bought b", result().value(String.class));
            assertEquals(16, files(".broken").length);
            assertEquals(0, files(".new").length);
        }
    }

    @Test
    public void one_client_at_a_time_has_a_folder() {
        try (Callgate first = client()) {
            assertThrows(IllegalStateException.class, this::client);
            assertEquals(0, first.outbox().size());
        }
        client().close();
    }

    @Test
    public void a_listener_that_throws_does_not_stop_the_others() throws Exception {
        try (Callgate callgate = fake.client().outbox(folder, result -> {
            results.add(result);
            throw new IllegalStateException("theirs");
        }).build()) {
            callgate.outbox().add("buy", "a");
            callgate.outbox().add("buy", "b");
            assertEquals("bought a", result().value(String.class));
            assertEquals("bought b", result().value(String.class));
            CredentialsTest.waitFor(() -> callgate.outbox().size() == 0);
        }
    }
}
