package dev.callgate;

import dev.callgate.internal.Surroundings;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** An app with an outbox, as a process of its own that dies where it is told to. */
public final class OutboxVictim {
    static final int DIED = 137;

    private OutboxVictim() {}

    /** Arguments: endpoint, folder, what to buy or "", step to die at or "". Ends once nothing is kept any more. */
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[1]);
        String dieAt = arguments[3];
        Surroundings surroundings = new Surroundings() {
            @Override
            public void step(String name) {
                if (name.equals(dieAt)) {
                    Runtime.getRuntime().halt(DIED);
                }
            }
        };
        Callgate callgate = Callgate.builder()
                .endpoint(arguments[0])
                .identityPool("us-east-1:pool")
                .storage(new FileStorage(folder.resolve("identity").toFile()))
                .surroundings(surroundings)
                .outbox(new File(folder.toFile(), "outbox"), result -> told(folder.resolve("results"), result))
                .build();
        if (!arguments[2].isEmpty()) {
            System.out.println("kept " + callgate.outbox().add("buy", arguments[2]).id());
            System.out.flush();
        }
        CredentialsTest.waitFor(() -> callgate.outbox().size() == 0);
        callgate.close();
    }

    private static void told(Path file, OutboxResult result) {
        try {
            String line = result.id() + " " + result.value(String.class) + "\n";
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND, StandardOpenOption.SYNC);
        } catch (java.io.IOException error) {
            throw new IllegalStateException(error);
        }
    }
}
