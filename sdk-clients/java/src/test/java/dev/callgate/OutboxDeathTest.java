package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import dev.callgate.ScriptedGateway.Reply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Kills an app with kept calls at each step, starts it again, and counts: one run, and the result is told. */
public class OutboxDeathTest {
    @Rule
    public final TemporaryFolder temporary = new TemporaryFolder();

    private final AtomicInteger runs = new AtomicInteger();
    private final Map<String, Integer> answers = new ConcurrentHashMap<>();
    private final AtomicReference<Process> app = new AtomicReference<>();

    /** Runs a call once for each Idempotency-Key, as the gateway does. */
    private Reply once(ScriptedGateway.Seen request) {
        String key = request.headers.get("Idempotency-Key");
        int run = answers.computeIfAbsent(key, unknown -> runs.incrementAndGet());
        return Reply.json("\"run " + run + "\"");
    }

    private Process start(ScriptedGateway gateway, Path folder, String item, String dieAt) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", System.getProperty("java.class.path"),
                        OutboxVictim.class.getName(), gateway.endpoint(), folder.toString(), item, dieAt)
                .redirectErrorStream(true)
                .start();
        app.set(process);
        return process;
    }

    private static String ended(Process process, int status) throws Exception {
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue("still running: " + said, process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(said, status, process.exitValue());
        return said.trim();
    }

    private static List<String> results(Path folder) throws IOException {
        Path file = folder.resolve("results");
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    /** Dies at that step, comes back, and has told so many results of its one call, which ran so often. */
    private void dies(String step, int runsExpected, int resultsExpected) throws Exception {
        Path folder = temporary.newFolder().toPath();
        runs.set(0);
        answers.clear();
        try (ScriptedGateway gateway = new ScriptedGateway()) {
            gateway.script = request -> request.isInvoke() ? once(request) : null;
            String said = ended(start(gateway, folder, "coins", step), OutboxVictim.DIED);
            ended(start(gateway, folder, "", ""), 0);
            assertEquals(step, runsExpected, runs.get());
            List<String> told = results(folder);
            assertEquals(step + ": " + told, resultsExpected, told.size());
            if (said.startsWith("kept ")) {
                for (String line : told) {
                    assertEquals(step, said.substring(5) + " run 1", line);
                }
            }
            assertEquals(0, folder.resolve("outbox").toFile().list((at, name) -> !name.equals("lock")).length);
        }
    }

    @Test
    public void before_the_record_is_whole_nothing_was_promised() throws Exception {
        dies("add: written beside", 0, 0);
    }

    @Test
    public void once_it_is_kept_it_runs() throws Exception {
        dies("add: kept", 1, 1);
    }

    @Test
    public void as_it_is_about_to_be_sent() throws Exception {
        dies("send: begins", 1, 1);
    }

    @Test
    public void as_the_sending_is_noted() throws Exception {
        dies("send: written beside", 1, 1);
        dies("send: noted", 1, 1);
    }

    @Test
    public void with_the_answer_in_its_hand() throws Exception {
        dies("send: answered", 1, 1);
    }

    @Test
    public void after_its_listener_heard_it_hears_again() throws Exception {
        dies("done: told", 1, 2);
    }

    @Test
    public void after_all_is_done() throws Exception {
        dies("done: erased", 1, 1);
    }

    @Test
    public void while_the_gateway_runs_it() throws Exception {
        Path folder = temporary.newFolder().toPath();
        try (ScriptedGateway gateway = new ScriptedGateway()) {
            AtomicInteger requests = new AtomicInteger();
            gateway.script = request -> {
                if (!request.isInvoke()) {
                    return null;
                }
                Reply reply = once(request);
                if (requests.incrementAndGet() == 1) {
                    app.get().destroyForcibly();
                    return Reply.cut();
                }
                return reply;
            };
            ended(start(gateway, folder, "coins", ""), OutboxVictim.DIED);
            ended(start(gateway, folder, "", ""), 0);
            assertEquals(1, runs.get());
            assertEquals(1, results(folder).size());
            assertEquals(2, gateway.invokes().size());
        }
    }
}
