package dev.callgate;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.callgate.internal.Vectors;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;

/** The gateway's own binary on an empty folder and a free port, with an issuer beside it; ended with the test class. */
final class RealGateway extends ExternalResource {
    static final String CLIENT_ID = "demo-app";

    private final TemporaryFolder folder = new TemporaryFolder();
    private final Map<String, String> configuration;
    private final List<Process> running = new ArrayList<>();
    String endpoint;
    String issuer;
    String pool;

    RealGateway(Map<String, String> configuration) {
        this.configuration = configuration;
    }

    static Path binary() {
        String named = System.getenv("CALLGATE_BIN");
        Path binary = named != null ? Path.of(named) : Vectors.REPOSITORY.resolve("target/release/callgate");
        if (!Files.isExecutable(binary)) {
            throw new AssertionError(binary + " is not there: make build, or name it by CALLGATE_BIN");
        }
        return binary;
    }

    @Override
    protected void before() throws Throwable {
        folder.create();
        JsonObject ready = firstLine(process(
                binary().toString(), "serve", "--listen", "127.0.0.1:0", "--data-dir", data(), "--ready-json"));
        endpoint = ready.get("listen").getAsString();
        Path script = Vectors.REPOSITORY.resolve("examples/issuer/issuer.mjs");
        issuer = firstLine(process("node", script.toString())).get("issuer").getAsString();
        deploy("sdk-clients/contract/functions/probe", "probe", "guests");
        deploy("sdk-clients/contract/functions/probe", "members-only", "signed-in");
        pool = JsonParser.parseString(command(
                        "pools", "create", "app", "--with-default-roles", "--allow-guests", "--provider", issuer + "=" + CLIENT_ID))
                .getAsJsonObject().get("IdentityPoolId").getAsString();
    }

    private String data() {
        return new File(folder.getRoot(), "data").toString();
    }

    void deploy(String source, String name, String allowed) throws Exception {
        command("deploy", Vectors.REPOSITORY.resolve(source).toString(), "--name", name, "--tag", "callgate:allow=" + allowed);
    }

    private ProcessBuilder builder(String... command) {
        ProcessBuilder builder = new ProcessBuilder(command);
        Map<String, String> environment = builder.environment();
        String path = environment.get("PATH");
        environment.clear();
        environment.put("PATH", path);
        environment.put("HOME", folder.getRoot().toString());
        environment.put("PORT", "0");
        environment.put("CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP", "true");
        if (!"root".equals(System.getProperty("user.name"))) {
            environment.put("CALLGATE_SANDBOX__ISOLATION", "shared-user");
        }
        environment.putAll(configuration);
        return builder;
    }

    private Process process(String... command) throws IOException {
        ProcessBuilder builder = builder(command);
        builder.redirectError(new File(folder.getRoot(), running.size() + ".log"));
        Process process = builder.start();
        running.add(process);
        return process;
    }

    private JsonObject firstLine(Process process) throws IOException {
        BufferedReader reader = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = reader.readLine();
        if (line == null) {
            throw new AssertionError(process.info() + " ended before it was ready:\n" + logs());
        }
        return JsonParser.parseString(line).getAsJsonObject();
    }

    String logs() throws IOException {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < running.size(); i++) {
            all.append(Files.readString(folder.getRoot().toPath().resolve(i + ".log")));
        }
        return all.toString();
    }

    /** One of the binary's other commands, on the same data. */
    String command(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(binary().toString()));
        command.addAll(Arrays.asList(arguments));
        command.add("--data-dir");
        command.add(data());
        Process process = builder(command.toArray(new String[0])).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new AssertionError(command + ": " + said);
        }
        return said;
    }

    /** The provider's name in logins: the issuer's URL without its scheme. */
    String provider() {
        return issuer.substring("http://".length());
    }

    /** A token of that user, as the issuer's sign-in page would give it. */
    String token(String user) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) URI.create(issuer + "/token").toURL().openConnection();
        connection.setDoOutput(true);
        connection.getOutputStream().write(("user=" + user + "&client_id=" + CLIENT_ID).getBytes(StandardCharsets.UTF_8));
        String answer = new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return JsonParser.parseString(answer).getAsJsonObject().get("id_token").getAsString();
    }

    Callgate.Builder client() {
        return Callgate.builder().endpoint(endpoint).identityPool(pool);
    }

    @Override
    protected void after() {
        for (Process process : running) {
            process.destroy();
        }
        for (Process process : running) {
            try {
                if (!process.waitFor(40, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException interrupted) {
                process.destroyForcibly();
            }
        }
        folder.delete();
    }
}
