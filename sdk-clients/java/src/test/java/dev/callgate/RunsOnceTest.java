package dev.callgate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Map;
import org.junit.ClassRule;
import org.junit.Test;

/** One call is one execution, wherever its connection breaks: with the real gateway behind a proxy that cuts. */
public class RunsOnceTest {
    @ClassRule
    public static final RealGateway gateway = new RealGateway(Map.of());

    private static int count(Callgate callgate, String name, CallOptions options) {
        GatewayTest.Order order = GatewayTest.Order.of("count");
        order.name = name;
        return callgate.<Integer>call("probe", order, GatewayTest.Order.class, int.class, options).value();
    }

    @Test
    public void one_execution_wherever_it_is_cut() throws Exception {
        try (CuttingProxy proxy = new CuttingProxy(gateway.endpoint);
                Callgate callgate = Callgate.builder().endpoint(proxy.endpoint()).identityPool(gateway.pool).build()) {
            callgate.identity().id();
            for (CuttingProxy.Cut cut : CuttingProxy.Cut.values()) {
                for (CallOptions options : new CallOptions[] {CallOptions.NONE, CallOptions.NONE.idempotent()}) {
                    String name = cut + " " + options.isIdempotent();
                    proxy.next(2, cut);
                    assertEquals(name, 1, count(callgate, name, options));
                    proxy.next(0, cut);
                    assertEquals(name + " ran once before", 2, count(callgate, name, CallOptions.NONE));
                }
            }
        }
    }

    @Test
    public void what_has_the_apps_key_is_one_call() {
        try (Callgate callgate = gateway.client().build()) {
            CallOptions keyed = CallOptions.NONE.idempotencyKey("order/2026%03");
            GatewayTest.Order order = GatewayTest.Order.of("count");
            order.name = "keyed";
            assertEquals(1, count(callgate, "keyed", keyed));
            Answer<Integer> again = callgate.call("probe", order, GatewayTest.Order.class, int.class, keyed);
            assertEquals(1, (int) again.value());
            assertTrue(again.replayed());
            InvalidRequestException another =
                    assertThrows(InvalidRequestException.class, () -> count(callgate, "something else", keyed));
            assertEquals("IdempotencyKeyReusedException", another.code());
        }
    }
}
