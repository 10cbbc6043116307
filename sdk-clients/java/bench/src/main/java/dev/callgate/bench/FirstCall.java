package dev.callgate.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.callgate.Callgate;
import java.lang.management.ManagementFactory;

/** A process from its start to its first answer, a guest's credentials included: wall clock and processor time, in milliseconds. */
public final class FirstCall {
    private FirstCall() {}

    public static void main(String[] arguments) {
        Apps.Greeting greeting;
        if (arguments[0].equals("callgate")) {
            try (Callgate callgate = Apps.callgate()) {
                greeting = callgate.functions(Apps.Backend.class).greet(new Apps.Person("Ada"));
                report(arguments[0], greeting);
            }
        } else {
            try (Apps.Aws aws = new Apps.Aws()) {
                greeting = aws.greet(new Apps.Person("Ada"));
                report(arguments[0], greeting);
            }
        }
    }

    private static void report(String who, Apps.Greeting greeting) {
        long wallMs = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        if (!greeting.text().equals("Hello, Ada!")) {
            throw new IllegalStateException(greeting.toString());
        }
        System.out.println(who + " " + wallMs + " " + system.getProcessCpuTime() / 1_000_000);
    }
}
