package dev.callgate;

import static dev.callgate.CallsTest.kind;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import dev.callgate.ScriptedGateway.Reply;
import dev.callgate.ScriptedGateway.Seen;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** Broken connections, silence, portals, and gateways that refuse: over real sockets. */
public class BadNetworkTest {
    private ScriptedGateway gateway;

    @Before
    public void start() throws IOException {
        gateway = new ScriptedGateway();
    }

    @After
    public void stop() throws IOException {
        gateway.close();
    }

    /** The first so many Invokes get that, the rest an answer. */
    private void firstInvokes(int count, Reply reply) {
        AtomicInteger seen = new AtomicInteger();
        gateway.script = request -> request.isInvoke() && seen.incrementAndGet() <= count ? reply : null;
    }

    private Callgate.Builder quick() {
        return gateway.client().surroundings(new FakeTimeOfWaits());
    }

    /** Real time, but waits between attempts are none. */
    private static final class FakeTimeOfWaits extends dev.callgate.internal.Surroundings {
        @Override
        public double random() {
            return 0;
        }
    }

    @Test
    public void a_cut_anywhere_is_tried_again_with_the_same_id() {
        Reply[] cuts = {Reply.cut(), Reply.json("\"answer\"").cutAfter(0), Reply.json("\"answer\"").cutAfter(4)};
        for (Reply cut : cuts) {
            gateway.requests.clear();
            firstInvokes(2, cut);
            try (Callgate callgate = quick().build()) {
                Answer<String> answer = callgate.call("f", "x", String.class, String.class, CallOptions.NONE);
                assertEquals("x", answer.value());
                assertEquals(3, answer.attempts());
                List<Seen> invokes = gateway.invokes();
                assertEquals(3, invokes.size());
                for (Seen invoke : invokes) {
                    assertEquals(answer.invocationId(), invoke.headers.get("amz-sdk-invocation-id"));
                }
            }
        }
    }

    @Test
    public void a_key_is_the_same_for_all_attempts_and_another_for_each_call() {
        firstInvokes(2, Reply.cut());
        try (Callgate callgate = quick().build()) {
            callgate.call("f", "x", String.class, String.class, CallOptions.NONE.idempotent());
            callgate.call("f", "x", String.class, String.class, CallOptions.NONE.idempotent());
            callgate.call("f", "x", String.class, String.class, CallOptions.NONE.idempotencyKey("mine"));
            List<Seen> invokes = gateway.invokes();
            String key = invokes.get(0).headers.get("Idempotency-Key");
            assertEquals(key, invokes.get(1).headers.get("Idempotency-Key"));
            assertEquals(key, invokes.get(2).headers.get("Idempotency-Key"));
            assertFalse(key.equals(invokes.get(3).headers.get("Idempotency-Key")));
            assertEquals("mine", invokes.get(4).headers.get("Idempotency-Key"));
            assertTrue(invokes.get(0).headers.get("Authorization").contains("idempotency-key"));
        }
    }

    @Test
    public void who_is_cut_off_for_good_hears_whether_it_may_have_run() throws IOException {
        firstInvokes(4, Reply.cut());
        try (Callgate callgate = quick().build()) {
            OfflineException cut = assertThrows(OfflineException.class, () -> callgate.call("f", "x", String.class));
            assertTrue(cut.mayHaveRun());
            assertEquals(4, cut.attempts());
        }
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        try (Callgate callgate = Callgate.builder().endpoint("http://127.0.0.1:" + free).credentials("a", "b", null)
                .surroundings(new FakeTimeOfWaits()).build()) {
            OfflineException refused = assertThrows(OfflineException.class, () -> callgate.call("f", "x", String.class));
            assertFalse(refused.mayHaveRun());
            assertEquals(4, refused.attempts());
            assertEquals(0, refused.status());
            assertNull(refused.requestId());
        }
    }

    @Test
    public void silence_is_broken_off_and_tried_again() {
        firstInvokes(1, Reply.silence());
        try (Callgate callgate = quick().attemptTimeoutMs(150).build()) {
            Answer<String> answer = callgate.call("f", "x", String.class, String.class, CallOptions.NONE);
            assertEquals(2, answer.attempts());
        }
    }

    @Test
    public void a_slow_answer_is_no_silence() {
        Reply slow = Reply.json("\"slowly\"");
        slow.msBetweenBytes = 60;
        firstInvokes(1, slow);
        try (Callgate callgate = quick().attemptTimeoutMs(400).build()) {
            Answer<String> answer = callgate.call("f", "x", String.class, String.class, CallOptions.NONE);
            assertEquals("slowly", answer.value());
            assertEquals(1, answer.attempts());
        }
    }

    @Test
    public void the_last_attempt_has_all_that_is_left_and_then_the_deadline_passes() {
        firstInvokes(9, Reply.silence());
        try (Callgate callgate = quick().attemptTimeoutMs(50).attemptsMax(2).build()) {
            callgate.identity().id();
            long began = System.nanoTime();
            DeadlineException passed = assertThrows(
                    DeadlineException.class,
                    () -> callgate.call("f", "x", String.class, String.class, CallOptions.NONE.deadlineMs(600)));
            long tookMs = (System.nanoTime() - began) / 1_000_000;
            assertTrue("" + tookMs, tookMs >= 590);
            assertEquals(2, passed.attempts());
            assertTrue(passed.mayHaveRun());
            long first = Long.parseLong(gateway.invokes().get(0).headers.get("Callgate-Timeout-Ms"));
            long second = Long.parseLong(gateway.invokes().get(1).headers.get("Callgate-Timeout-Ms"));
            assertTrue(first + " " + second, first <= 600 && second <= first - 50);
        }
    }

    @Test
    public void a_portal_is_no_gateway() {
        Reply portal = new Reply();
        portal.body = "<html>pay</html>".getBytes(StandardCharsets.UTF_8);
        firstInvokes(4, portal);
        try (Callgate callgate = quick().build()) {
            assertEquals("offline", kind(() -> callgate.call("f", "x", String.class)));
            assertEquals("x", callgate.call("f", "x", String.class));
        }
        // Nor is it believed what the time is, or who the user.
        gateway.script = request -> request.isInvoke() ? null : portal;
        try (Callgate callgate = quick().build()) {
            assertEquals("offline", kind(() -> callgate.call("f", "x", String.class)));
            assertNull(callgate.identity().idIfAny());
        }
    }

    @Test
    public void a_redirect_is_not_followed() {
        Reply redirect = new Reply().with("Location", gateway.endpoint() + "/elsewhere");
        redirect.status = 307;
        firstInvokes(9, redirect);
        try (Callgate callgate = quick().build()) {
            assertEquals("offline", kind(() -> callgate.call("f", "x", String.class)));
            assertTrue(gateway.requests.stream().noneMatch(seen -> seen.target.contains("elsewhere")));
        }
    }

    @Test
    public void an_answer_without_end_is_not_read_to_its_end() {
        Reply huge = Reply.json("\"" + "x".repeat(9 * 1024 * 1024) + "\"");
        firstInvokes(1, huge);
        try (Callgate callgate = quick().build()) {
            AnswerException refused = assertThrows(AnswerException.class, () -> callgate.call("f", "x", String.class));
            assertTrue(refused.getMessage(), refused.getMessage().contains("8388608"));
        }
        Reply error = Reply.error(404, "ResourceNotFoundException", "y".repeat(200_000));
        firstInvokes(1, error);
        try (Callgate callgate = quick().build()) {
            assertEquals("HTTP 404", assertThrows(NotFoundException.class, () -> callgate.call("f", "x", String.class)).getMessage());
        }
    }

    @Test
    public void large_arguments_are_compressed_and_small_ones_are_not() throws IOException {
        gateway.script = request -> {
            boolean gzip = "gzip".equals(request.headers.get("Content-Encoding"));
            return request.isInvoke() ? Reply.json("\"" + (gzip ? "gzip " : "plain ") + request.body.length + "\"") : null;
        };
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            words.append(i * 7919 % 1000).append(' ');
        }
        try (Callgate callgate = quick().build()) {
            String text = words.toString();
            String said = callgate.call("f", text, String.class);
            assertTrue(said, said.startsWith("gzip ") && Integer.parseInt(said.substring(5)) < text.length() / 2);
            Seen sent = gateway.invokes().get(0);
            assertTrue(sent.headers.get("Authorization").contains("content-encoding"));
            byte[] inflated = new GZIPInputStream(new ByteArrayInputStream(sent.body)).readAllBytes();
            assertEquals("\"" + text + "\"", new String(inflated, StandardCharsets.UTF_8));
            assertEquals("plain 8191", callgate.call("f", "a".repeat(8_189), String.class));
            assertTrue("denser than the gateway takes",
                    callgate.call("f", "a".repeat(1_000_000), String.class).startsWith("plain "));
        }
        try (Callgate callgate = quick().gzipFromBytes(0).build()) {
            assertTrue(callgate.call("f", words.toString(), String.class).startsWith("plain "));
        }
    }

    @Test
    public void a_gateway_that_takes_no_gzip_gets_it_plain() {
        int[] statuses = {415, 400};
        String[] codes = {"UnsupportedMediaTypeException", "InvalidRequestContentException"};
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            words.append(i * 7919 % 1000).append(' ');
        }
        for (int i = 0; i < 2; i++) {
            Reply refusal = Reply.error(statuses[i], codes[i], "no");
            gateway.requests.clear();
            gateway.script = request -> request.headers.containsKey("Content-Encoding") ? refusal : null;
            try (Callgate callgate = quick().build()) {
                Answer<String> answer = callgate.call("f", words.toString(), String.class, String.class, CallOptions.NONE);
                assertEquals(words.toString(), answer.value());
                assertEquals(2, answer.attempts());
                assertEquals(1, callgate.call("f", words.toString(), String.class, String.class, CallOptions.NONE).attempts());
                assertEquals(3, gateway.invokes().size());
            }
        }
    }

    @Test
    public void who_cancels_leaves_at_once_and_the_gateway_is_told() throws Exception {
        CountDownLatch told = new CountDownLatch(1);
        CountDownLatch begun = new CountDownLatch(1);
        gateway.script = request -> {
            if (request.method.equals("DELETE")) {
                told.countDown();
                return Reply.json("");
            }
            if (request.isInvoke()) {
                begun.countDown();
                return Reply.silence();
            }
            return null;
        };
        try (Callgate callgate = quick().build()) {
            CallgateFuture<Answer<String>> future =
                    callgate.start("f", "x", String.class, String.class, CallOptions.NONE.qualifier("prod"));
            begun.await();
            assertThrows(TimeoutException.class, () -> future.get(10, TimeUnit.MILLISECONDS));
            assertTrue(future.cancel(true));
            assertFalse("it has ended", future.cancel(true));
            assertTrue(future.isDone() && future.isCancelled());
            CancelledException cancelled = assertThrows(CancelledException.class, future::await);
            assertTrue(cancelled.mayHaveRun());
            assertThrows(java.util.concurrent.CancellationException.class, future::get);
            assertTrue(told.await(10, TimeUnit.SECONDS));
            Seen last = gateway.requests.get(gateway.requests.size() - 1);
            assertEquals("/2015-03-31/functions/f/invocations/" + cancelled.invocationId() + "?Qualifier=prod", last.target);
        }
    }

    @Test
    public void a_call_that_was_not_sent_is_cancelled_without_a_word() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        gateway.script = request -> {
            asked.countDown();
            return Reply.silence();
        };
        try (Callgate callgate = quick().build()) {
            CallgateFuture<Answer<String>> future = callgate.start("f", "x", String.class, String.class, CallOptions.NONE);
            asked.await();
            future.cancel(true);
            assertFalse(assertThrows(CancelledException.class, future::await).mayHaveRun());
            assertEquals(0, gateway.invokes().size());
            assertTrue(gateway.requests.stream().noneMatch(seen -> seen.method.equals("DELETE")));
        }
    }

    @Test
    public void an_interrupt_cancels_a_call_that_waits() throws Exception {
        firstInvokes(9, Reply.error(503, "ServiceUnavailableException", "x").with("Retry-After", "20"));
        try (Callgate callgate = gateway.client().build()) {
            callgate.identity().id();
            Thread caller = Thread.currentThread();
            gateway.script = request -> {
                if (request.isInvoke()) {
                    caller.interrupt();
                    return Reply.error(503, "ServiceUnavailableException", "x").with("Retry-After", "20");
                }
                return null;
            };
            assertEquals("cancelled", kind(() -> callgate.call("f", "x", String.class)));
            assertTrue("the thread stays interrupted", Thread.interrupted());
        }
    }

    @Test
    public void too_many_waiting_calls_are_refused() throws Exception {
        gateway.script = request -> Reply.silence();
        try (Callgate callgate = quick().build()) {
            for (int i = 0; i < 64 + 256; i++) {
                callgate.start("f", "x", String.class, String.class, CallOptions.NONE);
            }
            assertThrows(
                    FullException.class, () -> callgate.start("f", "x", String.class, String.class, CallOptions.NONE));
        }
    }

    @Test
    public void futures_tell_their_listeners() throws Exception {
        try (Callgate callgate = quick().build()) {
            CountDownLatch heard = new CountDownLatch(2);
            CallgateFuture.Listener<Answer<String>> listener = new CallgateFuture.Listener<>() {
                @Override
                public void onAnswer(Answer<String> answer) {
                    heard.countDown();
                }

                @Override
                public void onError(CallgateException error) {
                    throw error;
                }
            };
            CallgateFuture<Answer<String>> future = callgate.start("f", "x", String.class, String.class, CallOptions.NONE);
            future.onDone(Runnable::run, listener);
            assertEquals("x", future.get().value());
            future.onDone(Runnable::run, listener);
            assertTrue(heard.await(10, TimeUnit.SECONDS));
            assertEquals("x", future.get(1, TimeUnit.SECONDS).value());
            firstInvokes(1, Reply.error(403, "AccessDeniedException", "no"));
            CallgateFuture<Answer<String>> denied = callgate.start("f", "x", String.class, String.class, CallOptions.NONE);
            ExecutionException wrapped = assertThrows(ExecutionException.class, denied::get);
            assertTrue(wrapped.getCause() instanceof DeniedException);
        }
    }
}
