package dev.callgate.internal;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;

import com.google.gson.JsonObject;
import dev.callgate.MemoryStorage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.Test;

/** What comes from outside may be anything: answers, files, kept values. Random ones, with a seed that failures name. */
public class HostileBytesTest {
    private static final int ROUNDS = 20_000;
    private static final String[] PIECES = {
        "{", "}", "[", "]", "\"", ":", ",", "null", "true", "1e999999999", "-", "0.1", "\"message\"", "\"__type\"", "\"errorType\"",
        "\"trace\"", "\"id\"", "\"of\"", "\"was\"", "\"format\"", "\\", "\\u", "\u0000", "é", "\ud83d", " ", "{\"a\":", "[[[[",
    };

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(20); i > 0; i--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }

    /** Well-formed texts of the vectors with something taken out, put in or changed. */
    private static String damaged(String whole, Random random) {
        StringBuilder text = new StringBuilder(whole);
        for (int i = 1 + random.nextInt(3); i > 0 && text.length() > 0; i--) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(3)) {
                case 0:
                    text.setLength(at);
                    break;
                case 1:
                    text.insert(at, PIECES[random.nextInt(PIECES.length)]);
                    break;
                default:
                    text.setCharAt(at, (char) random.nextInt(256));
            }
        }
        return text.toString();
    }

    @Test
    public void every_answer_is_an_answer_or_an_error() throws IOException {
        List<String> bodies = new ArrayList<>();
        for (JsonObject vector : Vectors.of("errors")) {
            bodies.add(vector.getAsJsonObject("answer").get("body").getAsString());
        }
        for (int seed = 0; seed < ROUNDS; seed++) {
            Random random = new Random(seed);
            Map<String, String> headers = new TreeMap<>();
            for (String name : new String[] {"x-amzn-requestid", "x-amzn-errortype", "retry-after", "x-amz-function-error"}) {
                if (random.nextBoolean()) {
                    headers.put(name, random.nextBoolean() ? text(random) : "" + random.nextInt());
                }
            }
            int status = random.nextInt(4) == 0 ? 200 : 100 + random.nextInt(900);
            String body = random.nextBoolean() ? text(random) : damaged(bodies.get(random.nextInt(bodies.size())), random);
            Failure failure = Errors.of(
                    new Errors.Head() {
                        @Override
                        public int status() {
                            return status;
                        }

                        @Override
                        public String header(String name) {
                            return headers.get(name);
                        }
                    },
                    body, random.nextBoolean());
            boolean isAnswer = status == 200 && headers.containsKey("x-amzn-requestid") && !headers.containsKey("x-amz-function-error");
            assertEquals("seed " + seed, isAnswer, failure == null);
            if (failure != null) {
                assertNotNull("seed " + seed, failure.toException().getMessage());
            }
        }
    }

    private static OutboxRecord record(Random random) {
        Map<String, String> custom = new TreeMap<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            custom.put(text(random), text(random));
        }
        return new OutboxRecord(
                "id-" + random.nextInt(), random.nextBoolean() ? null : text(random), "f" + text(random),
                random.nextBoolean() ? null : "prod", text(random), custom, "key-" + random.nextInt(),
                random.nextBoolean() ? null : text(random), random.nextInt(Integer.MAX_VALUE), random.nextBoolean() ? -1 : 1_773_500_966_000L);
    }

    @Test
    public void kept_calls_are_read_as_they_were_written_or_not_at_all() {
        for (int seed = 0; seed < ROUNDS; seed++) {
            Random random = new Random(seed);
            OutboxRecord record = record(random);
            OutboxRecord read = OutboxRecord.of(record.text());
            assertNotNull("seed " + seed, read);
            assertEquals("seed " + seed, record.text(), read.text());
            OutboxRecord.of(damaged(record.text(), random));
            OutboxRecord.of(text(random));
        }
    }

    @Test
    public void kept_identities_are_read_or_are_none() {
        for (int seed = 0; seed < ROUNDS; seed++) {
            Random random = new Random(seed);
            MemoryStorage storage = new MemoryStorage();
            Kept kept = Kept.NONE;
            for (int i = 1 + random.nextInt(20); i > 0; i--) {
                kept = kept.answered("us-east-1:" + random.nextInt(30), random.nextBoolean());
            }
            kept.write(storage, "here");
            Kept read = Kept.read(storage, "here");
            assertEquals("seed " + seed, kept.id + kept.signedIn + kept.was, read.id + read.signedIn + read.was);
            assertEquals("bounded", true, read.was.size() <= 16);
            storage.put("callgate-identity", damaged(storage.get("callgate-identity"), random));
            assertNotNull(Kept.read(storage, "here").was);
        }
    }
}
