package dev.callgate.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/** Request bodies, compressed where it pays. */
final class Bodies {
    /** The largest payload of a synchronous call, in bytes. */
    static final int BYTES_MAX = 6_291_456;
    /** The gateway refuses what inflates a hundredfold; this keeps off that edge. */
    private static final int RATIO_MAX = 90;

    private Bodies() {}

    /** The body compressed, or null if it had better stay as it is. */
    static byte[] gzipped(byte[] body) {
        ByteArrayOutputStream to = new ByteArrayOutputStream(body.length / 4 + 64);
        try (GZIPOutputStream gzip = new Fast(to)) {
            gzip.write(body);
        } catch (IOException cannotBe) {
            throw new IllegalStateException("writing to memory failed", cannotBe);
        }
        boolean pays = to.size() < body.length && (long) to.size() * RATIO_MAX >= body.length;
        return pays ? to.toByteArray() : null;
    }

    /** Level 4: nearly the size of the default, at half its time. */
    private static final class Fast extends GZIPOutputStream {
        private static final int LEVEL = 4;

        Fast(ByteArrayOutputStream to) throws IOException {
            super(to, 8192);
            def.setLevel(LEVEL);
            def.setStrategy(Deflater.DEFAULT_STRATEGY);
        }
    }
}
