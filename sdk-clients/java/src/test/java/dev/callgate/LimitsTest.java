package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import java.util.Map;
import org.junit.ClassRule;
import org.junit.Test;

/** A gateway that lets one caller in twenty times a second. */
public class LimitsTest {
    @ClassRule
    public static final RealGateway gateway = new RealGateway(Map.of("CALLGATE_LIMITS__CALLER_RATE", "20"));

    @Test
    public void a_limit_is_waited_for_or_told() {
        try (Callgate callgate = gateway.client().build()) {
            ThrottledException told = null;
            for (int i = 0; i < 2_000 && told == null; i++) {
                try {
                    callgate.call("probe", 1, Integer.class, Integer.class, CallOptions.NONE.deadlineMs(500));
                } catch (ThrottledException error) {
                    told = error;
                }
            }
            assertNotNull("2,000 calls were let in", told);
            assertEquals("TooManyRequestsException", told.code());
            assertEquals("CallerRateLimitExceeded", told.reason());
            assertTrue("" + told.retryAfterMs(), told.retryAfterMs() >= 1000);
            // With the time that it takes, it goes through.
            Answer<Integer> answer = callgate.call("probe", 1, Integer.class, Integer.class, CallOptions.NONE);
            assertEquals(1, (int) answer.value());
            assertTrue(answer.attempts() > 1);
        }
    }
}
