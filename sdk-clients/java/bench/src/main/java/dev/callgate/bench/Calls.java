package dev.callgate.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.callgate.Callgate;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A warm call, one at a time. The gc profiler says how much it allocates, {@code cpuMicros} what it takes of the processor. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 5)
@Measurement(iterations = 6, time = 5)
@Fork(1)
@State(Scope.Benchmark)
public class Calls {
    private final Apps.Person ada = new Apps.Person("Ada");

    /** The whole process's, its collector and its compiler included. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Processor {
        private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        private long began;
        private long calls;
        public double cpuMicros;

        @Setup(Level.Iteration)
        public void begin() {
            calls = 0;
            began = system.getProcessCpuTime();
        }

        @TearDown(Level.Iteration)
        public void end() {
            cpuMicros = (system.getProcessCpuTime() - began) / 1000.0 / calls;
        }
    }

    @State(Scope.Benchmark)
    public static class Ours {
        Callgate callgate;
        Apps.Backend backend;

        @Setup
        public void begin() {
            callgate = Apps.callgate();
            backend = callgate.functions(Apps.Backend.class);
        }

        @TearDown
        public void end() {
            callgate.close();
        }
    }

    @State(Scope.Benchmark)
    public static class Theirs {
        Apps.Aws aws;

        @Setup
        public void begin() {
            aws = new Apps.Aws();
        }

        @TearDown
        public void end() {
            aws.close();
        }
    }

    @Benchmark
    public Object callgate(Ours ours, Processor processor) {
        processor.calls++;
        return ours.backend.greet(ada);
    }

    @Benchmark
    public Object aws(Theirs theirs, Processor processor) {
        processor.calls++;
        return theirs.aws.greet(ada);
    }
}
