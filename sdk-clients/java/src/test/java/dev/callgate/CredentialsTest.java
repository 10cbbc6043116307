package dev.callgate;

import static dev.callgate.CallsTest.kind;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import dev.callgate.ScriptedGateway.Reply;
import java.io.File;
import java.io.IOException;
import java.text.SimpleDateFormat;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** The life of identities and credentials, with a gateway that does what the test says. */
public class CredentialsTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private ScriptedGateway gateway;

    @Before
    public void start() throws IOException {
        gateway = new ScriptedGateway();
    }

    @After
    public void stop() throws IOException {
        gateway.close();
    }

    @Test
    public void many_calls_at_once_fetch_credentials_once() throws Exception {
        CountDownLatch all = new CountDownLatch(40);
        gateway.script = request -> {
            if (request.headers.getOrDefault("X-Amz-Target", "").endsWith("GetId")) {
                all.await();
            }
            return null;
        };
        try (Callgate callgate = gateway.client().build()) {
            List<CallgateFuture<Answer<Integer>>> calls = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                calls.add(callgate.start("f", i, Integer.class, Integer.class, CallOptions.NONE));
                all.countDown();
            }
            for (int i = 0; i < 40; i++) {
                assertEquals(i, (int) calls.get(i).get().value());
            }
            assertEquals(1, gateway.count("GetId"));
            assertEquals(1, gateway.count("GetCredentialsForIdentity"));
        }
    }

    @Test
    public void a_failed_fetch_fails_those_who_wait_and_the_next_call_fetches_anew() {
        AtomicInteger asked = new AtomicInteger();
        gateway.script = request -> request.isInvoke() || asked.incrementAndGet() > 1
                ? null
                : Reply.error(400, "InvalidIdentityPoolConfigurationException", "no roles");
        try (Callgate callgate = gateway.client().build()) {
            assertEquals("invalid-request", kind(() -> callgate.call("f", 1, int.class)));
            assertEquals(1, (int) callgate.call("f", 1, int.class));
        }
    }

    @Test
    public void credentials_are_fetched_ahead_while_calls_go_on() throws Exception {
        FakeTime time = new FakeTime();
        try (Callgate callgate = gateway.client().surroundings(time).build()) {
            callgate.call("f", 1, int.class);
            time.pass(3_290_000);
            callgate.call("f", 1, int.class);
            assertEquals(1, gateway.count("GetCredentialsForIdentity"));
            CountDownLatch fetched = new CountDownLatch(1);
            CountDownLatch may = new CountDownLatch(1);
            gateway.lifeSeconds = 7_200;
            gateway.script = request -> {
                if (!request.isInvoke()) {
                    may.await();
                    fetched.countDown();
                }
                return null;
            };
            time.pass(20_000);
            callgate.call("f", 1, int.class);
            callgate.call("f", 1, int.class);
            assertTrue("old ones are good meanwhile", lastKey().startsWith("ASIA1/"));
            may.countDown();
            fetched.await();
            while (!lastKey().startsWith("ASIA2/")) {
                callgate.call("f", 1, int.class);
            }
            assertEquals(2, gateway.count("GetCredentialsForIdentity"));
            assertEquals(1, gateway.count("GetId"));
        }
    }

    @Test
    public void a_failed_fetch_ahead_fails_no_call_and_is_not_repeated_at_once() throws Exception {
        FakeTime time = new FakeTime();
        try (Callgate callgate = gateway.client().surroundings(time).build()) {
            callgate.call("f", 1, int.class);
            gateway.script = request -> request.isInvoke() ? null : Reply.error(500, "InternalErrorException", "x");
            time.pass(3_310_000);
            for (int i = 0; i < 5; i++) {
                callgate.call("f", 1, int.class);
            }
            waitFor(() -> gateway.count("GetCredentialsForIdentity") == 2);
            for (int i = 0; i < 5; i++) {
                callgate.call("f", 1, int.class);
            }
            assertEquals(2, gateway.count("GetCredentialsForIdentity"));
        }
    }

    private String lastKey() {
        List<ScriptedGateway.Seen> invokes = gateway.invokes();
        return invokes.get(invokes.size() - 1).headers.get("Authorization").split("Credential=")[1];
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    /** For what another thread does and nobody announces. */
    static void waitFor(Condition condition) throws Exception {
        long until = System.nanoTime() + 20_000_000_000L;
        while (!condition.holds()) {
            assertTrue("never became true", System.nanoTime() < until);
            Thread.sleep(5);
        }
    }

    @Test
    public void refused_credentials_are_replaced_once_a_call() {
        AtomicInteger refused = new AtomicInteger();
        gateway.script = request -> request.isInvoke() && refused.getAndIncrement() < 1
                ? Reply.error(403, "ExpiredTokenException", "revoked")
                : null;
        try (Callgate callgate = gateway.client().build()) {
            Answer<Integer> answer = callgate.call("f", 1, int.class, int.class, CallOptions.NONE);
            assertEquals(2, answer.attempts());
            assertEquals(2, gateway.count("GetCredentialsForIdentity"));
            assertEquals(1, gateway.count("GetId"));
            gateway.script = request -> request.isInvoke() ? Reply.error(403, "ExpiredTokenException", "revoked") : null;
            AuthenticationException ended = assertThrows(AuthenticationException.class, () -> callgate.call("f", 1, int.class));
            assertEquals(2, ended.attempts());
            assertEquals("ExpiredTokenException", ended.code());
        }
    }

    private static String httpDate(long ms) {
        SimpleDateFormat format = new SimpleDateFormat("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US);
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return format.format(new Date(ms));
    }

    @Test
    public void a_wrong_clock_is_put_right_by_the_gateways_date() {
        FakeTime time = new FakeTime();
        // The device is two days behind.
        time.pass(-2 * 86_400_000L);
        gateway.script = request -> {
            if (!request.isInvoke()) {
                return null;
            }
            String stamp = request.headers.get("X-Amz-Date");
            String today = new SimpleDateFormat("yyyyMM", Locale.US).format(new Date());
            boolean right = stamp.startsWith(today) && !stamp.startsWith(httpStamp(time.wallMs()));
            Reply reply = right ? Reply.json("1") : Reply.error(403, "InvalidSignatureException", "Signature expired");
            return reply.with("Date", httpDate(System.currentTimeMillis()));
        };
        try (Callgate callgate = gateway.client().surroundings(time).build()) {
            assertEquals(2, callgate.call("f", 1, int.class, int.class, CallOptions.NONE).attempts());
            assertEquals("it is known from then on", 1, callgate.call("f", 1, int.class, int.class, CallOptions.NONE).attempts());
        }
        gateway.script = request -> request.isInvoke()
                ? Reply.error(403, "InvalidSignatureException", "does not match").with("Date", httpDate(System.currentTimeMillis()))
                : null;
        try (Callgate callgate = gateway.client().build()) {
            AuthenticationException wrong = assertThrows(AuthenticationException.class, () -> callgate.call("f", 1, int.class));
            assertEquals("a right clock has nothing to correct", 1, wrong.attempts());
        }
    }

    private static String httpStamp(long ms) {
        SimpleDateFormat format = new SimpleDateFormat("yyyyMMdd", Locale.US);
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return format.format(new Date(ms));
    }

    @Test
    public void the_identity_is_kept_and_its_credentials_where_secrets_may_be() {
        File at = new File(folder.getRoot(), "identity");
        for (int i = 0; i < 2; i++) {
            try (Callgate callgate = gateway.client().storage(new FileStorage(at)).build()) {
                assertEquals(i == 0 ? null : "us-east-1:guest-1", callgate.identity().idIfAny());
                assertEquals("us-east-1:guest-1", callgate.identity().id());
            }
        }
        assertEquals(1, gateway.count("GetId"));
        assertEquals(2, gateway.count("GetCredentialsForIdentity"));
        assertEquals(1, at.list().length);
        Storage keystore = new Storage() {
            private final MemoryStorage values = new MemoryStorage();

            @Override
            public String get(String name) {
                return values.get(name);
            }

            @Override
            public void put(String name, String value) {
                values.put(name, value);
            }

            @Override
            public boolean keepsSecrets() {
                return true;
            }
        };
        for (int i = 0; i < 2; i++) {
            try (Callgate callgate = gateway.client().storage(keystore).build()) {
                callgate.call("f", 1, int.class);
            }
        }
        assertEquals("a restarted app fetches nothing", 3, gateway.count("GetCredentialsForIdentity"));
        try (Callgate callgate = gateway.client().identityPool("another").storage(keystore).build()) {
            assertNull("another pool's id is nobody here", callgate.identity().idIfAny());
        }
        try (Callgate callgate = gateway.client().storage(keystore).build()) {
            callgate.identity().signOut();
            assertNull(keystore.get("callgate-credentials"));
            assertNull(keystore.get("callgate-identity"));
        }
    }

    @Test
    public void a_storage_that_fails_fails_no_call() {
        Storage broken = new Storage() {
            @Override
            public String get(String name) {
                return "{not json";
            }

            @Override
            public void put(String name, String value) {
                throw new IllegalStateException("full");
            }

            @Override
            public boolean keepsSecrets() {
                return true;
            }
        };
        try (Callgate callgate = gateway.client().storage(broken).build()) {
            assertEquals(1, (int) callgate.call("f", 1, int.class));
        }
    }

    @Test
    public void lost_ids_are_asked_for_anew_and_never_given_up_for_an_identity_that_may_come_back() {
        MemoryStorage storage = new MemoryStorage();
        try (Callgate callgate = gateway.client().storage(storage).build()) {
            callgate.identity().id();
        }
        List<String> changes = new ArrayList<>();
        // Deleted: the pool does not know it any more.
        gateway.identityId = "us-east-1:guest-2";
        gateway.script = request -> request.text().contains("guest-1")
                ? Reply.error(400, "", "").with("x-amzn-ErrorType", "ResourceNotFoundException")
                : null;
        gateway.script = wrap("guest-1", 404, "ResourceNotFoundException");
        try (Callgate callgate = gateway.client().storage(storage).build()) {
            callgate.identity().addListener((before, now) -> changes.add(before + ">" + now));
            assertEquals("us-east-1:guest-2", callgate.identity().id());
            assertEquals(List.of("us-east-1:guest-1>us-east-1:guest-2"), changes);
        }
        // Disabled or merged: only its owner can say what is to become of it.
        gateway.script = wrap("guest-2", 400, "NotAuthorizedException");
        try (Callgate callgate = gateway.client().storage(storage).build()) {
            assertEquals("authentication", kind(() -> callgate.call("f", 1, int.class)));
            assertEquals("us-east-1:guest-2", callgate.identity().idIfAny());
            // With a login the login decides.
            gateway.identityId = "us-east-1:ada";
            assertEquals("us-east-1:ada", callgate.identity().signIn("login.example", "token-of-ada"));
            callgate.identity().signOut();
            gateway.identityId = "us-east-1:guest-3";
            assertEquals("us-east-1:guest-3", callgate.identity().id());
        }
    }

    private static ScriptedGateway.Script wrap(String id, int status, String code) {
        return request -> request.text().contains(id) ? Reply.error(status, code, "no") : null;
    }

    @Test
    public void a_sign_in_that_fails_leaves_all_as_it_was() {
        try (Callgate callgate = gateway.client().build()) {
            assertEquals("us-east-1:guest-1", callgate.identity().id());
            gateway.script = request -> request.text().contains("bad-token")
                    ? Reply.error(400, "NotAuthorizedException", "Invalid login token.")
                    : null;
            AuthenticationException refused = assertThrows(
                    AuthenticationException.class, () -> callgate.identity().signIn("login.example", "bad-token"));
            assertEquals("NotAuthorizedException", refused.code());
            assertEquals("us-east-1:guest-1", callgate.identity().idIfAny());
            long fetched = gateway.count("GetCredentialsForIdentity");
            callgate.call("f", 1, int.class);
            assertEquals("the guest's credentials go on", fetched, gateway.count("GetCredentialsForIdentity"));
            assertThrows(AuthenticationException.class, () -> callgate.identity().signIn("login.example", () -> {
                throw new IOException("no network for the provider");
            }));
            assertThrows(AuthenticationException.class, () -> callgate.identity().signIn("login.example", (String) null));
            assertEquals("us-east-1:guest-1", callgate.identity().idIfAny());
        }
    }

    @Test
    public void tokens_are_asked_for_at_each_fetch() {
        FakeTime time = new FakeTime();
        AtomicInteger asked = new AtomicInteger();
        try (Callgate callgate = gateway.client().surroundings(time).build()) {
            callgate.identity().signIn("login.example", () -> "token-" + asked.incrementAndGet());
            time.pass(3_600_000);
            gateway.lifeSeconds = 7_200;
            callgate.call("f", 1, int.class);
            assertEquals(2, asked.get());
            assertTrue(gateway.requests.stream().anyMatch(seen -> seen.text().contains("\"login.example\":\"token-2\"")));
        }
    }

    @Test
    public void a_fetch_that_began_before_a_sign_out_does_not_come_back_after_it() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        gateway.script = request -> {
            if (request.headers.getOrDefault("X-Amz-Target", "").endsWith("GetId") && asked.getCount() > 0) {
                asked.countDown();
                Reply old = Reply.json("{\"IdentityId\":\"us-east-1:old\"}");
                answer.await();
                return old;
            }
            return null;
        };
        try (Callgate callgate = gateway.client().build()) {
            CallgateFuture<Answer<Integer>> call = callgate.start("f", 1, int.class, int.class, CallOptions.NONE);
            asked.await();
            callgate.identity().signOut();
            answer.countDown();
            assertEquals(1, (int) call.get().value());
            assertEquals("us-east-1:guest-1", callgate.identity().idIfAny());
            assertNotEquals("us-east-1:old", callgate.identity().id());
        }
    }

    @Test
    public void listeners_and_logins_are_bounded() {
        try (Callgate callgate = gateway.client().build()) {
            IdentityListener listener = (before, now) -> { };
            for (int i = 0; i < 32; i++) {
                callgate.identity().addListener(listener);
            }
            assertThrows(IllegalStateException.class, () -> callgate.identity().addListener(listener));
            callgate.identity().removeListener(listener);
            callgate.identity().addListener(listener);
            for (int i = 0; i < 10; i++) {
                callgate.identity().signIn("login-" + i, "token");
            }
            assertThrows(InvalidRequestException.class, () -> callgate.identity().signIn("one-more", "token"));
        }
    }
}
