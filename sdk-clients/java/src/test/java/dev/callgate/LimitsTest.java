package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.ClassRule;
import org.junit.Test;

/** A gateway that lets one caller in twenty times a second. */
public class LimitsTest {
    @ClassRule
    public static final RealGateway gateway = new RealGateway(Map.of("CALLGATE_LIMITS__CALLER_RATE", "20"));

    private static CallgateFuture<Answer<Integer>> start(Callgate callgate) {
        return callgate.start("probe", 1, Integer.class, Integer.class, CallOptions.NONE.deadlineMs(120_000));
    }

    @Test
    public void a_limit_is_told_or_waited_for() throws Exception {
        MemoryStorage storage = new MemoryStorage();
        try (Callgate impatient = gateway.client().storage(storage).attemptsMax(1).build();
                Callgate patient = gateway.client().storage(storage).attemptsMax(10).build()) {
            impatient.identity().id();
            List<CallgateFuture<Answer<Integer>>> calls = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                calls.add(start(impatient));
            }
            ThrottledException told = null;
            for (CallgateFuture<Answer<Integer>> call : calls) {
                try {
                    call.await();
                } catch (ThrottledException error) {
                    told = error;
                }
            }
            assertNotNull("200 calls at once were let in", told);
            assertEquals("TooManyRequestsException", told.code());
            assertEquals("CallerRateLimitExceeded", told.reason());
            assertEquals(429, told.status());
            assertTrue("" + told.retryAfterMs(), told.retryAfterMs() >= 1000);
            // Who takes the time gets through: the same identity, a little more than is let in at once.
            calls.clear();
            for (int i = 0; i < 30; i++) {
                calls.add(start(patient));
            }
            for (CallgateFuture<Answer<Integer>> call : calls) {
                assertEquals(1, (int) call.await().value());
            }
        }
    }
}
