package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** The SDK and the real gateway: guests, logins, answers, errors. */
public class GatewayTest {
    @ClassRule
    public static final RealGateway gateway = new RealGateway(Map.of());

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    static final class Order {
        @com.google.gson.annotations.SerializedName("do")
        String what;

        String message;
        String name;
        Long ms;
        Integer length;

        static Order of(String what) {
            Order order = new Order();
            order.what = what;
            return order;
        }
    }

    static final class Item {
        String name;
        List<Map<String, Long>> counts;
    }

    interface Probe {
        @CallgateFunction(name = "probe")
        JsonObject see(Order order);

        @CallgateFunction(name = "probe")
        String tell(Order order);

        @CallgateFunction(name = "probe")
        Item echo(Item item);

        @CallgateFunction(name = "probe")
        CallgateFuture<Answer<String>> start(Order order, CallOptions options);

        @CallgateFunction(name = "members-only")
        JsonElement members(Order order);
    }

    @Test
    public void a_guest_signs_in_and_stays_the_same() throws Exception {
        List<String> changes = Collections.synchronizedList(new ArrayList<>());
        Storage storage = new FileStorage(new File(folder.getRoot(), "identity"));
        String id;
        try (Callgate callgate = gateway.client().storage(storage).build()) {
            callgate.identity().addListener((before, now) -> changes.add(before + " " + now));
            Probe probe = callgate.functions(Probe.class);
            JsonObject seen = probe.see(Order.of("see"));
            id = callgate.identity().id();
            assertEquals(id, seen.getAsJsonObject("identity").get("cognitoIdentityId").getAsString());
            assertFalse(seen.getAsJsonObject("callgate").get("signedIn").getAsBoolean());
            DeniedException denied = assertThrows(DeniedException.class, () -> probe.members(Order.of("see")));
            assertEquals(403, denied.status());
            assertTrue(denied.getMessage(), denied.getMessage().contains("lambda:InvokeFunction"));

            assertEquals(id, callgate.identity().signIn(gateway.provider(), gateway.token("ada")));
            assertTrue(probe.members(Order.of("see")).getAsJsonObject().getAsJsonObject("callgate").get("signedIn").getAsBoolean());
        }
        // The app starts again, with the id it kept: without a login it opens nothing, and is not given up.
        try (Callgate callgate = gateway.client().storage(storage).build()) {
            Probe probe = callgate.functions(Probe.class);
            assertThrows(AuthenticationException.class, () -> probe.see(Order.of("see")));
            assertEquals(id, callgate.identity().signIn(gateway.provider(), () -> gateway.token("ada")));
            probe.members(Order.of("see"));
            callgate.identity().signOut();
            probe.see(Order.of("see"));
            assertNotEquals(id, callgate.identity().id());
        }
        // A guest elsewhere who turns out to be Ada.
        try (Callgate callgate = gateway.client().build()) {
            callgate.identity().addListener((before, now) -> changes.add(before + " " + now));
            String guest = callgate.identity().id();
            assertEquals(id, callgate.identity().signIn(gateway.provider(), gateway.token("ada")));
            assertEquals(List.of("null " + id, "null " + guest, guest + " " + id), changes);
        }
    }

    @Test
    public void values_go_there_and_back() {
        try (Callgate callgate = gateway.client().build()) {
            Item item = new Item();
            item.name = "Ådä ሴ 🐍 \"\\\n</script>";
            item.counts = List.of(Map.of("large", 9_007_199_254_740_991L), Map.of());
            Item back = callgate.functions(Probe.class).echo(item);
            assertEquals(item.name, back.name);
            assertEquals(item.counts, back.counts);
            assertEquals(List.of("a"), List.of(callgate.call("probe", List.of("a"), String[].class)));
        }
    }

    @Test
    public void a_large_argument_arrives_and_a_large_answer_too() {
        try (Callgate callgate = gateway.client().build()) {
            StringBuilder words = new StringBuilder();
            for (int i = 0; i < 200_000; i++) {
                words.append((i * 7919L) % 100_003).append(' ');
            }
            // Compressed where the gateway takes that, plain where not: it is the same to the app.
            assertEquals(words.toString(), callgate.call("probe", words.toString(), String.class));
            Order order = Order.of("large");
            order.length = 5_000_000;
            assertEquals(5_000_000, callgate.functions(Probe.class).tell(order).length());
        }
    }

    @Test
    public void the_device_is_described_and_the_deadline_sent_on() {
        ClientContext context = ClientContext.builder()
                .appTitle("Notes").platform("Android").locale("de_CH").custom("tenant", "7").build();
        try (Callgate callgate = gateway.client().clientContext(context).build()) {
            Answer<JsonObject> answer = callgate.call(
                    "probe", Order.of("see"), Order.class, JsonObject.class, CallOptions.NONE.custom("experiment", "b"));
            JsonObject seen = answer.value().getAsJsonObject("clientContext");
            assertEquals("Notes", seen.getAsJsonObject("client").get("app_title").getAsString());
            assertEquals("de_CH", seen.getAsJsonObject("env").get("locale").getAsString());
            assertEquals("7", seen.getAsJsonObject("custom").get("tenant").getAsString());
            assertEquals("b", seen.getAsJsonObject("custom").get("experiment").getAsString());
            assertEquals("$LATEST", answer.executedVersion());
            assertFalse(answer.requestId().isEmpty());
        }
    }

    @Test
    public void functions_errors_come_with_type_message_and_stack() {
        try (Callgate callgate = gateway.client().build()) {
            Order order = Order.of("throw");
            order.message = "no item";
            FunctionException failed = assertThrows(
                    FunctionException.class, () -> callgate.functions(Probe.class).tell(order));
            assertEquals("TypeError", failed.remoteType());
            assertEquals("no item", failed.remoteMessage());
            assertTrue(failed.remoteStack().toString(), failed.remoteStack().toString().contains("index.js"));
            assertEquals(1, failed.attempts());
            assertThrows(NotFoundException.class, () -> root().call("nowhere", 1, int.class));
            Order sleep = Order.of("sleep");
            sleep.ms = 60_000L;
            FunctionException late = assertThrows(
                    FunctionException.class, () -> callgate.functions(Probe.class).tell(sleep));
            assertTrue(late.getMessage(), late.timedOut());
        }
    }

    /** A developer's own keys, from the first run's folder. */
    private Callgate root() throws Exception {
        JsonObject keys = com.google.gson.JsonParser.parseString(gateway.command("accounts", "create", "111122223333"))
                .getAsJsonObject();
        return Callgate.builder()
                .endpoint(gateway.endpoint)
                .credentials(keys.get("AccessKeyId").getAsString(), keys.get("SecretAccessKey").getAsString(), null)
                .build();
    }

    @Test
    public void the_apps_deadline_is_kept() {
        try (Callgate callgate = gateway.client().build()) {
            callgate.identity().id();
            Order sleep = Order.of("sleep");
            sleep.ms = 2_500L;
            long began = System.nanoTime();
            CallgateException ended = assertThrows(
                    CallgateException.class,
                    () -> callgate.call("probe", sleep, Order.class, String.class, CallOptions.NONE.deadlineMs(400)));
            long tookMs = (System.nanoTime() - began) / 1_000_000;
            // The gateway ends the run itself where it knows of deadlines, and the two are the same moment.
            assertTrue(ended.toString(), ended instanceof DeadlineException || ended instanceof FunctionException);
            assertTrue("" + tookMs, tookMs < 2_000);
        }
    }

    @Test
    public void many_at_once_and_one_that_leaves() throws Exception {
        try (Callgate callgate = gateway.client().build()) {
            Probe probe = callgate.functions(Probe.class);
            List<CallgateFuture<Answer<String>>> calls = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Order sleep = Order.of("sleep");
                sleep.ms = 10L;
                calls.add(probe.start(sleep, CallOptions.NONE.deadlineMs(60_000)));
            }
            Order sleep = Order.of("sleep");
            sleep.ms = 2_000L;
            CallgateFuture<Answer<String>> leaving = probe.start(sleep, CallOptions.NONE);
            for (CallgateFuture<Answer<String>> call : calls) {
                assertEquals("slept", call.get().value());
            }
            assertTrue(leaving.cancel(true));
            assertThrows(CancelledException.class, leaving::await);
        }
    }

    @Test
    public void kept_calls_arrive() throws Exception {
        LinkedBlockingQueue<OutboxResult> results = new LinkedBlockingQueue<>();
        try (Callgate callgate = gateway.client().outbox(new File(folder.getRoot(), "outbox"), results::add).build()) {
            Order order = Order.of("count");
            order.name = "kept";
            String id = callgate.outbox().add("probe", order).id();
            OutboxResult result = results.poll(30, TimeUnit.SECONDS);
            assertEquals(id, result.id());
            assertEquals(1, (int) result.value(int.class));
        }
    }
}
