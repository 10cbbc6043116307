package dev.callgate;

import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import dev.callgate.ScriptedGateway.Reply;
import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What the log may hear of: everything that happens, and nothing that is a secret. */
public class SecretsTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private static final String[] SECRETS = {
        "secret-key-", "session-token-", "login-token", "the-payload", "the-answer", "us-east-1:guest", "own-key",
        "Signature=", "Credential", "tenant-seven",
    };

    @Test
    public void the_log_hears_of_everything_but_no_secret() throws Exception {
        List<String> lines = Collections.synchronizedList(new ArrayList<>());
        LinkedBlockingQueue<OutboxResult> results = new LinkedBlockingQueue<>();
        AtomicInteger requests = new AtomicInteger();
        CountDownLatch cancelled = new CountDownLatch(1);
        try (ScriptedGateway gateway = new ScriptedGateway();
                Callgate callgate = gateway.client()
                        .log((level, event, fields) -> {
                            lines.add(level + " " + event + " " + fields);
                            throw new IllegalStateException("a log that fails");
                        })
                        .clientContext(ClientContext.builder().custom("tenant", "tenant-seven").build())
                        .outbox(new File(folder.getRoot(), "outbox"), results::add)
                        .build()) {
            gateway.script = request -> {
                if (request.method.equals("DELETE")) {
                    return Reply.json("");
                }
                if (!request.isInvoke()) {
                    return null;
                }
                if (request.text().contains("wait")) {
                    cancelled.countDown();
                    return Reply.silence();
                }
                switch (requests.incrementAndGet()) {
                    case 1:
                        return Reply.cut();
                    case 2:
                        return Reply.error(403, "ExpiredTokenException", "the-answer");
                    case 3:
                        return Reply.json("\"the-answer\"").with("Date", "Sat, 14 Mar 2020 15:09:26 GMT");
                    case 4:
                        return Reply.error(403, "AccessDeniedException", "the-answer");
                    default:
                        return Reply.json("\"the-answer\"");
                }
            };
            callgate.call("f", "the-payload", String.class, String.class, CallOptions.NONE.idempotencyKey("own-key"));
            CallsTest.kind(() -> callgate.call("f", "the-payload", String.class));
            callgate.identity().signIn("login.example", "login-token");
            callgate.outbox().add("f", "the-payload");
            results.poll(20, TimeUnit.SECONDS);
            CallgateFuture<Answer<String>> future = callgate.start("f", "wait", String.class, String.class, CallOptions.NONE);
            cancelled.await();
            future.cancel(true);
            CredentialsTest.waitFor(() -> lines.stream().anyMatch(line -> line.contains(" cancel ")));
            callgate.identity().signOut();
            String shown = callgate + " " + callgate.identity() + " " + callgate.outbox() + " " + future;
            lines.add(shown);
        }
        String all = String.join("\n", lines);
        for (String event : new String[] {"invoke", "retry", "credentials", "clock", "identity", "cancel", "outbox"}) {
            assertTrue(event + " is not in\n" + all, all.contains(" " + event + " {"));
        }
        for (String secret : SECRETS) {
            assertFalse(secret + " is in\n" + all, all.contains(secret));
        }
    }
}
