package dev.callgate.internal;

import static org.junit.Assert.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import okhttp3.HttpUrl;
import org.junit.Test;

public class SignatureVectorsTest {
    @Test
    public void signs_as_botocore_does() throws IOException {
        for (JsonObject vector : Vectors.of("signatures")) {
            String id = vector.get("id").getAsString();
            HttpUrl url = HttpUrl.get(vector.get("url").getAsString());
            HeaderList headers = new HeaderList();
            headers.set("host", vector.get("url").getAsString().split("/")[2]);
            for (Map.Entry<String, JsonElement> header : vector.getAsJsonObject("headers").entrySet()) {
                headers.set(header.getKey().toLowerCase(Locale.ROOT), header.getValue().getAsString());
            }
            Signer signer = new Signer(vector.get("region").getAsString(), vector.get("service").getAsString());
            Signer.Steps steps = new Signer.Steps();
            signer.sign(
                    vector.get("method").getAsString(), url.encodedPath(), canonicalQuery(url), headers,
                    Base64.getDecoder().decode(vector.get("bodyBase64").getAsString()), credentials(vector),
                    vector.get("epochMs").getAsLong(), steps);
            JsonObject expected = vector.getAsJsonObject("expected");
            assertEquals(id, expected.get("canonicalRequest").getAsString(), steps.canonicalRequest);
            assertEquals(id, expected.get("stringToSign").getAsString(), steps.stringToSign);
            assertEquals(id, expected.getAsJsonObject("headers").get("authorization").getAsString(), value(headers, "authorization"));
        }
    }

    static Credentials credentials(JsonObject vector) {
        return new Credentials(
                "us-east-1:x", vector.get("accessKeyId").getAsString(), vector.get("secretKey").getAsString(),
                Vectors.string(vector, "sessionToken"), 0, Credentials.NEVER);
    }

    static String value(HeaderList headers, String name) {
        for (int i = 0; i < headers.size(); i++) {
            if (headers.name(i).equals(name)) {
                return headers.value(i);
            }
        }
        return null;
    }

    /** The SDK itself sends one parameter at most; the vectors have more. */
    private static String canonicalQuery(HttpUrl url) {
        List<String> pairs = new ArrayList<>();
        if (url.encodedQuery() != null) {
            for (String pair : url.encodedQuery().split("&")) {
                pairs.add(pair.contains("=") ? pair : pair + "=");
            }
        }
        Collections.sort(pairs);
        return String.join("&", pairs);
    }

    @Test
    public void stamps_are_those_of_the_calendar() {
        Random random = new Random(7);
        java.time.format.DateTimeFormatter format =
                java.time.format.DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(java.time.ZoneOffset.UTC);
        for (int i = 0; i < 20_000; i++) {
            // Up to the year 9999.
            long ms = (long) (random.nextDouble() * 253_402_300_799_000L);
            assertEquals(format.format(java.time.Instant.ofEpochMilli(ms)), Text.stamp(ms));
        }
    }

    @Test
    public void all_but_unreserved_characters_are_encoded() {
        assertEquals("AZaz09-._~", Text.percentEncoded("AZaz09-._~"));
        assertEquals("%20%2F%25%2B%3A%24%C3%A4%F0%9F%90%8D", Text.percentEncoded(" /%+:$ä🐍"));
    }
}
