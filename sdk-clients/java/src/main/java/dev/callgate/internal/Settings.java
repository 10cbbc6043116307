package dev.callgate.internal;

import dev.callgate.CallgateLog;
import dev.callgate.ClientContext;
import dev.callgate.GsonMapper;
import dev.callgate.JsonMapper;
import dev.callgate.MemoryStorage;
import dev.callgate.OutboxListener;
import dev.callgate.Storage;
import java.io.File;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;

/** What a client is built from, with its defaults. The builder checks each as it is set, and the whole at the end. */
public final class Settings {
    public static final long DEADLINE_MS_MAX = 900_000;
    private static final int ATTEMPTS_MAX = 10;
    private static final String[] LOOPBACK = {"localhost", "127.0.0.1", "::1"};

    public String endpoint;
    public boolean allowPlaintext;
    public String region = "us-east-1";
    public String identityPool;
    public Credentials fixed;
    public long deadlineMs = 30_000;
    public long attemptTimeoutMs = 10_000;
    public long connectTimeoutMs = 10_000;
    public int attemptsMax = 4;
    public int gzipFromBytes = 8_192;
    public Storage storage = new MemoryStorage();
    public ClientContext context;
    public JsonMapper mapper = new GsonMapper();
    public CallgateLog log;
    public OkHttpClient http;
    public File outboxFolder;
    public OutboxListener outboxListener;
    public long outboxAgeLimitMs = 86_400_000;
    public Surroundings surroundings = new Surroundings();

    /** The endpoint, if everything is right. */
    HttpUrl checked() {
        if (endpoint == null) {
            throw wrong("endpoint is not set: the gateway's URL, https://gate.example.com for one");
        }
        HttpUrl url = HttpUrl.parse(endpoint);
        if (url == null || !"/".equals(url.encodedPath()) || url.encodedQuery() != null || !url.encodedUsername().isEmpty()) {
            throw wrong("endpoint is " + endpoint + ": it is to be http or https, a host and perhaps a port, and nothing more");
        }
        if (!url.isHttps() && !allowPlaintext && !isLoopback(url.host())) {
            throw wrong("endpoint is " + endpoint + ": without TLS everybody on the way reads along; use https, or allowPlaintext()"
                    + " on a network of your own");
        }
        if ((identityPool == null) == (fixed == null)) {
            throw wrong("set identityPool, or fixed credentials, and not both");
        }
        if (attemptsMax < 1 || attemptsMax > ATTEMPTS_MAX) {
            throw wrong("attemptsMax is " + attemptsMax + ": 1 to " + ATTEMPTS_MAX);
        }
        within("deadlineMs", deadlineMs, DEADLINE_MS_MAX);
        within("attemptTimeoutMs", attemptTimeoutMs, DEADLINE_MS_MAX);
        within("connectTimeoutMs", connectTimeoutMs, DEADLINE_MS_MAX);
        within("outbox's age limit", outboxAgeLimitMs, 30 * 86_400_000L);
        if (gzipFromBytes < 0) {
            throw wrong("gzipFromBytes is " + gzipFromBytes + ": 0 switches it off, more is a size");
        }
        return url;
    }

    private static boolean isLoopback(String host) {
        for (String name : LOOPBACK) {
            if (name.equals(host)) {
                return true;
            }
        }
        return false;
    }

    private static void within(String name, long value, long max) {
        if (value < 1 || value > max) {
            throw wrong(name + " is " + value + ": 1 to " + max);
        }
    }

    private static IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException("callgate: " + what);
    }
}
