package dev.callgate.internal;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Signs requests by AWS's Signature Version 4, in headers. */
public final class Signer {
    private static final String ALGORITHM = "AWS4-HMAC-SHA256";

    private final String region;
    private final String service;
    private volatile DayKey lastKey;

    public Signer(String region, String service) {
        this.region = region;
        this.service = service;
    }

    /** The key of a day: four rounds of HMAC that all requests of the day share. */
    private static final class DayKey {
        final String secret;
        final String day;
        final SecretKeySpec key;

        DayKey(String secret, String day, SecretKeySpec key) {
            this.secret = secret;
            this.day = day;
            this.key = key;
        }
    }

    /** What the algorithm goes through, for tests to look at. */
    static final class Steps {
        String canonicalRequest;
        String stringToSign;
    }

    /**
     * Completes the headers, {@code host} among them, by date, token and signature.
     *
     * @param path the path as sent, percent-encoded
     * @param query the query in canonical form: sorted, encoded, each with its equals sign; empty if there is none
     */
    void sign(String method, String path, String query, HeaderList headers, byte[] body, Credentials by, long nowMs) {
        sign(method, path, query, headers, body, by, nowMs, null);
    }

    void sign(
            String method, String path, String query, HeaderList headers, byte[] body, Credentials by, long nowMs, Steps seen) {
        String stamp = Text.stamp(nowMs);
        String day = stamp.substring(0, 8);
        headers.set("x-amz-date", stamp);
        if (by.sessionToken != null) {
            headers.set("x-amz-security-token", by.sessionToken);
        }
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            StringBuilder names = new StringBuilder(160);
            StringBuilder text = new StringBuilder(1024);
            text.append(method).append('\n').append(Text.pathEncoded(path)).append('\n').append(query).append('\n');
            for (int i = 0; i < headers.size(); i++) {
                names.append(i == 0 ? "" : ";").append(headers.name(i));
                text.append(headers.name(i)).append(':');
                appendFolded(text, headers.value(i));
                text.append('\n');
            }
            text.append('\n').append(names).append('\n');
            Text.appendHex(text, sha256.digest(body));
            String canonical = text.toString();
            text.setLength(0);
            text.append(ALGORITHM).append('\n').append(stamp).append('\n');
            int scopeAt = text.length();
            text.append(day).append('/').append(region).append('/').append(service).append("/aws4_request");
            String scope = text.substring(scopeAt);
            text.append('\n');
            Text.appendHex(text, sha256.digest(canonical.getBytes(Text.UTF_8)));
            String toSign = text.toString();
            if (seen != null) {
                seen.canonicalRequest = canonical;
                seen.stringToSign = toSign;
            }
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(keyOf(mac, by.secretKey, day));
            text.setLength(0);
            text.append(ALGORITHM).append(" Credential=").append(by.accessKeyId).append('/').append(scope);
            text.append(", SignedHeaders=").append(names).append(", Signature=");
            Text.appendHex(text, mac.doFinal(toSign.getBytes(Text.UTF_8)));
            headers.set("authorization", text.toString());
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException("this platform lacks SHA-256 or HMAC", error);
        }
    }

    private SecretKeySpec keyOf(Mac mac, String secret, String day) throws GeneralSecurityException {
        DayKey cached = lastKey;
        if (cached == null || !cached.day.equals(day) || !cached.secret.equals(secret)) {
            byte[] key = ("AWS4" + secret).getBytes(Text.UTF_8);
            for (String part : new String[] {day, region, service, "aws4_request"}) {
                mac.init(new SecretKeySpec(key, "HmacSHA256"));
                key = mac.doFinal(part.getBytes(Text.UTF_8));
            }
            cached = new DayKey(secret, day, new SecretKeySpec(key, "HmacSHA256"));
            lastKey = cached;
        }
        return cached.key;
    }

    /** The value without blanks at its ends, and with one for each run of them inside. */
    private static void appendFolded(StringBuilder to, String value) {
        boolean blank = false;
        boolean begun = false;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == ' ' || c == '\t') {
                blank = begun;
            } else {
                if (blank) {
                    to.append(' ');
                    blank = false;
                }
                begun = true;
                to.append(c);
            }
        }
    }
}
