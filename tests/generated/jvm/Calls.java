import dev.callgate.Callgate;
import generated.Backend;
import generated.GreetingInput;
import generated.GreetingOutput;
import generated.Score;
import java.util.Collections;
import java.util.List;

/** Calls the functions of examples/functions by the interface that {@code callgate generate java} wrote. */
public final class Calls {
    private Calls() {}

    public static void main(String[] arguments) throws Exception {
        Callgate callgate = Callgate.builder()
                .endpoint(System.getenv("CALLGATE_ENDPOINT"))
                .identityPool(System.getenv("CALLGATE_POOL"))
                .build();
        Backend backend = callgate.functions(Backend.class);
        GreetingOutput greeting = backend.greeting(GreetingInput.builder().name("Ada").build());
        check(greeting.getText().endsWith(", Ada!") && !greeting.getSignedIn(), greeting);
        List<Score> before = backend.scores(null);
        check(before.isEmpty(), before);
        Score score = Score.builder().player("Ada").points(4200).build();
        List<Score> after = backend.scoresAsync(score).get();
        check(after.equals(Collections.singletonList(score)), after);
        System.out.println("called");
    }

    private static void check(boolean isRight, Object found) {
        if (!isRight) {
            throw new IllegalStateException(String.valueOf(found));
        }
    }
}
