package dev.callgate;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/** Between an app and the gateway, and cuts the connection of the next so many Invokes where it is told to. */
final class CuttingProxy implements Closeable {
    /** Where. */
    enum Cut {
        BEFORE_THE_REQUEST,
        IN_THE_REQUEST,
        BEFORE_THE_ANSWER,
        IN_THE_ANSWER,
        AFTER_THE_ANSWER
    }

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final URI gateway;
    private final AtomicInteger left = new AtomicInteger();
    private volatile Cut cut;

    CuttingProxy(String gateway) throws IOException {
        this.gateway = URI.create(gateway);
        Thread thread = new Thread(this::accept, "cutting-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    void next(int requests, Cut where) {
        cut = where;
        left.set(requests);
    }

    private void accept() {
        try {
            while (true) {
                Socket app = server.accept();
                Thread thread = new Thread(() -> serve(app));
                thread.setDaemon(true);
                thread.start();
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }

    private void serve(Socket app) {
        try (app; Socket behind = new Socket(gateway.getHost(), gateway.getPort())) {
            app.setTcpNoDelay(true);
            behind.setTcpNoDelay(true);
            while (true) {
                byte[] request = message(app.getInputStream());
                if (request == null) {
                    return;
                }
                boolean isInvoke = new String(request, 0, Math.min(request.length, 200), StandardCharsets.ISO_8859_1).contains("/invocations");
                Cut here = isInvoke && left.getAndUpdate(n -> Math.max(0, n - 1)) > 0 ? cut : null;
                if (here == Cut.BEFORE_THE_REQUEST) {
                    return;
                }
                OutputStream to = behind.getOutputStream();
                to.write(request, 0, here == Cut.IN_THE_REQUEST ? request.length - 1 : request.length);
                to.flush();
                if (here == Cut.IN_THE_REQUEST) {
                    return;
                }
                byte[] answer = message(behind.getInputStream());
                if (answer == null || here == Cut.BEFORE_THE_ANSWER) {
                    return;
                }
                app.getOutputStream().write(answer, 0, here == Cut.IN_THE_ANSWER ? answer.length - 1 : answer.length);
                app.getOutputStream().flush();
                if (here != null) {
                    return;
                }
            }
        } catch (IOException broken) {
            // One of the two left.
        }
    }

    /** One message: its head, and as much body as Content-Length says. Null if the other side left. */
    private static byte[] message(InputStream from) throws IOException {
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        int matched = 0;
        while (matched < 4) {
            int b = from.read();
            if (b < 0) {
                return null;
            }
            all.write(b);
            matched = b == "\r\n\r\n".charAt(matched) ? matched + 1 : b == '\r' ? 1 : 0;
        }
        int length = 0;
        for (String line : all.toString(StandardCharsets.ISO_8859_1).split("\r\n")) {
            if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                length = Integer.parseInt(line.substring(15).trim());
            }
        }
        all.write(from.readNBytes(length));
        return all.toByteArray();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
