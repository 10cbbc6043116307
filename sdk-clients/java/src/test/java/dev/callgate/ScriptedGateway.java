package dev.callgate;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Answers as a test says, or does not: what no good gateway does on demand. Cognito's two operations work by themselves. */
final class ScriptedGateway implements Closeable {
    /** A request as it came. */
    static final class Seen {
        String method;
        String target;
        final Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        byte[] body;

        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        boolean isInvoke() {
            return target.contains("/invocations") && method.equals("POST");
        }
    }

    /** What the test wants done with a request; null leaves it to the gateway's own answers. */
    interface Script {
        Reply reply(Seen request) throws Exception;
    }

    /** An answer, or a way of breaking off. */
    static final class Reply {
        int status = 200;
        final Map<String, String> headers = new LinkedHashMap<>();
        byte[] body = new byte[0];
        /** Bytes of the body that are sent before the connection is cut; -1: all, and it stays. -2: not even a head. */
        int cutAfter = -1;
        /** Stays silent until the gateway is closed. */
        boolean hang;
        /** Sends the body byte by byte, with so many milliseconds between them. */
        long msBetweenBytes;

        static Reply json(String text) {
            Reply reply = new Reply();
            reply.headers.put("x-amzn-RequestId", "request-1");
            reply.body = text.getBytes(StandardCharsets.UTF_8);
            return reply;
        }

        static Reply error(int status, String code, String message) {
            Reply reply = json("{\"message\":\"" + message + "\"}");
            reply.status = status;
            return reply.with("x-amzn-ErrorType", code);
        }

        static Reply cut() {
            Reply reply = new Reply();
            reply.cutAfter = -2;
            return reply;
        }

        static Reply silence() {
            Reply reply = new Reply();
            reply.hang = true;
            return reply;
        }

        Reply with(String name, String value) {
            headers.put(name, value);
            return this;
        }

        Reply cutAfter(int bytes) {
            cutAfter = bytes;
            return this;
        }
    }

    final List<Seen> requests = Collections.synchronizedList(new ArrayList<>());
    volatile Script script = request -> null;
    /** How long credentials last, in seconds. */
    volatile long lifeSeconds = 3600;

    volatile String identityId = "us-east-1:guest-1";

    private final ServerSocket server;
    private final List<Socket> open = Collections.synchronizedList(new ArrayList<>());
    private int keys;

    ScriptedGateway() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(this::accept, "scripted-gateway");
        thread.setDaemon(true);
        thread.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    Callgate.Builder client() {
        return Callgate.builder().endpoint(endpoint()).identityPool("us-east-1:pool");
    }

    /** The Invokes among the requests. */
    List<Seen> invokes() {
        List<Seen> found = new ArrayList<>();
        synchronized (requests) {
            requests.stream().filter(Seen::isInvoke).forEach(found::add);
        }
        return found;
    }

    long count(String cognitoOperation) {
        synchronized (requests) {
            return requests.stream()
                    .filter(seen -> seen.headers.getOrDefault("X-Amz-Target", "").endsWith("." + cognitoOperation))
                    .count();
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                socket.setTcpNoDelay(true);
                open.add(socket);
                Thread thread = new Thread(() -> serve(socket));
                thread.setDaemon(true);
                thread.start();
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }

    private void serve(Socket socket) {
        try (Socket connection = socket) {
            InputStream from = new BufferedInputStream(connection.getInputStream());
            for (Seen request = read(from); request != null; request = read(from)) {
                requests.add(request);
                Reply reply = script.reply(request);
                if (!write(connection.getOutputStream(), reply == null ? own(request) : reply)) {
                    return;
                }
            }
        } catch (Exception broken) {
            // The client left, or the script has had enough: both end the connection.
        }
    }

    private synchronized Reply own(Seen request) {
        String operation = request.headers.getOrDefault("X-Amz-Target", "");
        if (operation.endsWith(".GetId")) {
            return Reply.json("{\"IdentityId\":\"" + identityId + "\"}");
        }
        if (operation.endsWith(".GetCredentialsForIdentity")) {
            keys++;
            return Reply.json("{\"IdentityId\":\"" + identityId + "\",\"Credentials\":{\"AccessKeyId\":\"ASIA" + keys
                    + "\",\"SecretKey\":\"secret-key-" + keys + "\",\"SessionToken\":\"session-token-" + keys
                    + "\",\"Expiration\":" + (System.currentTimeMillis() / 1000.0 + lifeSeconds) + "}}");
        }
        return Reply.json(request.body.length == 0 ? "null" : request.text());
    }

    private static String line(InputStream from) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = from.read(); b != '\n'; b = from.read()) {
            if (b < 0) {
                return null;
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    private static Seen read(InputStream from) throws IOException {
        String first = line(from);
        if (first == null) {
            return null;
        }
        Seen seen = new Seen();
        seen.method = first.split(" ")[0];
        seen.target = first.split(" ")[1];
        for (String header = line(from); header != null && !header.isEmpty(); header = line(from)) {
            int colon = header.indexOf(':');
            seen.headers.put(header.substring(0, colon), header.substring(colon + 1).trim());
        }
        seen.body = from.readNBytes(Integer.parseInt(seen.headers.getOrDefault("Content-Length", "0")));
        return seen;
    }

    /** Returns whether the connection stays. */
    private boolean write(OutputStream to, Reply reply) throws IOException, InterruptedException {
        if (reply.hang) {
            synchronized (this) {
                while (!server.isClosed()) {
                    wait();
                }
            }
            return false;
        }
        if (reply.cutAfter == -2) {
            return false;
        }
        StringBuilder head = new StringBuilder("HTTP/1.1 " + reply.status + " Reason\r\n");
        reply.headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        head.append("Content-Length: ").append(reply.body.length).append("\r\n\r\n");
        to.write(head.toString().getBytes(StandardCharsets.UTF_8));
        for (byte slowly : reply.msBetweenBytes > 0 ? reply.body : new byte[0]) {
            Thread.sleep(reply.msBetweenBytes);
            to.write(slowly);
            to.flush();
        }
        to.write(reply.body, 0, reply.msBetweenBytes > 0 ? 0 : reply.cutAfter < 0 ? reply.body.length : reply.cutAfter);
        to.flush();
        return reply.cutAfter < 0;
    }

    @Override
    public void close() throws IOException {
        server.close();
        synchronized (this) {
            notifyAll();
        }
        synchronized (open) {
            for (Socket socket : open) {
                socket.close();
            }
        }
    }
}
