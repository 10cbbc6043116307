package dev.callgate.examples;

import dev.callgate.Callgate;
import dev.callgate.CallgateFunction;
import dev.callgate.CallgateFuture;
import dev.callgate.ClientContext;
import dev.callgate.FileStorage;
import dev.callgate.FunctionException;
import dev.callgate.OutboxReceipt;
import dev.callgate.OutboxResult;
import java.io.File;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A game's back end, as the game sees it: a personal greeting and a high-score list. */
public final class App {
    record Person(String name) {}

    record Greeting(String text, boolean signedIn) {}

    record Score(String player, long points) {}

    /** The functions of examples/functions, as methods. */
    interface Backend {
        @CallgateFunction(name = "greeting")
        Greeting greet(Person person);

        @CallgateFunction(name = "scores")
        CallgateFuture<List<Score>> best();

        /** Kept until there is a network, and counted once. */
        @CallgateFunction(name = "scores")
        OutboxReceipt submit(Score score);

        /** Whoever cannot wait for the network. */
        @CallgateFunction(name = "scores")
        List<Score> submitNow(Score score);
    }

    private App() {}

    public static void main(String[] arguments) throws Exception {
        Map<String, String> settings = settings(arguments);
        File folder = Files.createTempDirectory("callgate-example").toFile();
        LinkedBlockingQueue<OutboxResult> results = new LinkedBlockingQueue<>();
        ClientContext device = ClientContext.builder()
                .appTitle("High scores").appVersionName("1.0").platform("Java").locale(Locale.FRANCE.toString()).build();
        try (Callgate callgate = Callgate.builder()
                .endpoint(settings.get("endpoint"))
                .identityPool(settings.get("pool"))
                .storage(new FileStorage(new File(folder, "identity")))
                .clientContext(device)
                .outbox(new File(folder, "outbox"), results::add)
                .build()) {
            Backend backend = callgate.functions(Backend.class);
            play(backend, callgate, settings, results);
        }
    }

    private static void play(
            Backend backend, Callgate callgate, Map<String, String> settings, LinkedBlockingQueue<OutboxResult> results)
            throws Exception {
        Greeting guest = backend.greet(new Person(null));
        System.out.println(guest.text() + (guest.signedIn() ? "" : " (a guest)"));

        String issuer = settings.get("issuer");
        if (issuer != null) {
            // A login is filed under its issuer's name without the scheme.
            callgate.identity().signIn(URI.create(issuer).getAuthority(), () -> token(issuer, settings));
            Greeting ada = backend.greet(new Person("Ada"));
            System.out.println(ada.text() + (ada.signedIn() ? " (signed in)" : ""));
        }

        backend.submit(new Score("Ada", 1815));
        backend.submit(new Score("Grace", 1906));
        for (int i = 0; i < 2; i++) {
            OutboxResult result = results.poll(30, TimeUnit.SECONDS);
            if (result == null || !result.isSuccess()) {
                throw new IllegalStateException("a score did not arrive", result == null ? null : result.error());
            }
        }
        int place = 1;
        for (Score score : backend.best().get()) {
            System.out.println(place++ + ". " + score.player() + " " + score.points());
        }
        try {
            backend.submitNow(new Score("x".repeat(41), 1));
        } catch (FunctionException refused) {
            System.out.println("Refused: " + refused.remoteMessage());
        }
    }

    /** A token of the example's issuer, as its sign-in page would give it. */
    private static String token(String issuer, Map<String, String> settings) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) URI.create(issuer + "/token").toURL().openConnection();
        connection.setDoOutput(true);
        String form = "user=" + settings.get("user") + "&client_id=" + settings.get("client-id");
        connection.getOutputStream().write(form.getBytes(StandardCharsets.UTF_8));
        String answer = new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return answer.split("\"id_token\"\\s*:\\s*\"")[1].split("\"")[0];
    }

    /** From {@code --endpoint}, {@code --pool}, {@code --issuer}, {@code --client-id}, {@code --user}, or CALLGATE_ENDPOINT and so on. */
    private static Map<String, String> settings(String[] arguments) {
        Map<String, String> settings = new HashMap<>(Map.of("client-id", "demo-app", "user", "ada"));
        for (String name : List.of("endpoint", "pool", "issuer", "client-id", "user")) {
            String value = System.getenv("CALLGATE_" + name.toUpperCase(Locale.ROOT).replace('-', '_'));
            if (value != null) {
                settings.put(name, value);
            }
        }
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            settings.put(arguments[i].replaceFirst("^--", ""), arguments[i + 1]);
        }
        if (settings.get("endpoint") == null || settings.get("pool") == null) {
            System.err.println("usage: run.sh --endpoint URL --pool ID [--issuer URL [--client-id ID] [--user NAME]]");
            System.exit(2);
        }
        return settings;
    }
}
