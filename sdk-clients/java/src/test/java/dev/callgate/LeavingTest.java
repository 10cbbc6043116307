package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.ClassRule;
import org.junit.Test;

/** What the gateway does for an app that leaves, hurries, or compresses: seen from the gateway's side. */
public class LeavingTest {
    @ClassRule
    public static final RealGateway gateway = new RealGateway(Map.of());

    private static String metrics() throws IOException {
        return new String(URI.create(gateway.endpoint + "/metrics").toURL().openStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private static boolean metric(String line) throws IOException {
        return metrics().lines().anyMatch(line::equals);
    }

    @Test
    public void a_cancelled_call_ends_in_the_gateway_too() throws Exception {
        try (Callgate callgate = gateway.client().build()) {
            GatewayTest.Order sleep = GatewayTest.Order.of("sleep");
            sleep.ms = 60_000L;
            CallgateFuture<Answer<String>> call =
                    callgate.start("probe", sleep, GatewayTest.Order.class, String.class, CallOptions.NONE);
            CredentialsTest.waitFor(() -> metric("callgate_concurrent_executions 1"));
            assertTrue(call.cancel(true));
            assertThrows(CancelledException.class, call::await);
            CredentialsTest.waitFor(() -> metric("callgate_cancelled_invocations_total{end=\"killed\"} 1"));
            CredentialsTest.waitFor(() -> metric("callgate_concurrent_executions 0"));
        }
    }

    @Test
    public void a_compressed_argument_is_taken_as_it_is() {
        try (Callgate callgate = gateway.client().build()) {
            StringBuilder words = new StringBuilder();
            for (int i = 0; i < 20_000; i++) {
                words.append((i * 7919L) % 100_003).append(' ');
            }
            Answer<String> answer = callgate.call("probe", words.toString(), String.class, String.class, CallOptions.NONE);
            assertEquals(words.toString(), answer.value());
            assertEquals("it was not sent again plain", 1, answer.attempts());
        }
    }

    @Test
    public void what_is_left_of_the_deadline_is_what_the_function_has() {
        try (Callgate callgate = gateway.client().build()) {
            callgate.identity().id();
            Answer<com.google.gson.JsonObject> answer = callgate.call(
                    "probe", GatewayTest.Order.of("see"), GatewayTest.Order.class, com.google.gson.JsonObject.class,
                    CallOptions.NONE.deadlineMs(2_000));
            long remainingMs = answer.value().get("remainingMs").getAsLong();
            assertTrue("of its own it has 3 s: " + remainingMs, remainingMs <= 2_000);
        }
    }
}
