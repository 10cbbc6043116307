package dev.callgate.internal;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** Encodings that requests and signatures are made of. */
public final class Text {
    public static final Charset UTF_8 = StandardCharsets.UTF_8;
    private static final char[] LOWER = "0123456789abcdef".toCharArray();
    private static final char[] UPPER = "0123456789ABCDEF".toCharArray();
    private static final long DAY_MS = 86_400_000;

    private Text() {}

    static void appendHex(StringBuilder to, byte[] bytes) {
        for (byte b : bytes) {
            to.append(LOWER[b >> 4 & 15]).append(LOWER[b & 15]);
        }
    }

    /** Percent-encodes the UTF-8 of all but unreserved characters. */
    public static String percentEncoded(String text) {
        StringBuilder encoded = new StringBuilder(text.length() + 16);
        for (byte b : text.getBytes(UTF_8)) {
            appendEncoded(encoded, b);
        }
        return encoded.toString();
    }

    /** The same for a path whose slashes stay. */
    static String pathEncoded(String path) {
        StringBuilder encoded = new StringBuilder(path.length() + 16);
        for (byte b : path.getBytes(UTF_8)) {
            if (b == '/') {
                encoded.append('/');
            } else {
                appendEncoded(encoded, b);
            }
        }
        return encoded.toString();
    }

    private static void appendEncoded(StringBuilder to, byte b) {
        boolean unreserved = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
                || b == '-' || b == '.' || b == '_' || b == '~';
        if (unreserved) {
            to.append((char) b);
        } else {
            to.append('%').append(UPPER[b >> 4 & 15]).append(UPPER[b & 15]);
        }
    }

    /** {@code 20260314T150926Z}, of times since 1970. By arithmetic: a date format costs more than all the rest of a signature. */
    static String stamp(long epochMs) {
        long days = epochMs / DAY_MS;
        int second = (int) (epochMs % DAY_MS / 1000);
        // Howard Hinnant's civil_from_days: years begin in March, so that leap days come last.
        long shifted = days + 719_468;
        long era = shifted / 146_097;
        long dayOfEra = shifted - era * 146_097;
        long yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        long dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        long monthFromMarch = (5 * dayOfYear + 2) / 153;
        int day = (int) (dayOfYear - (153 * monthFromMarch + 2) / 5 + 1);
        int month = (int) (monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9);
        int year = (int) (yearOfEra + era * 400 + (month <= 2 ? 1 : 0));
        StringBuilder stamp = new StringBuilder(16);
        two(two(two(two(stamp, year / 100), year % 100), month), day).append('T');
        return two(two(two(stamp, second / 3600), second / 60 % 60), second % 60).append('Z').toString();
    }

    private static StringBuilder two(StringBuilder to, int number) {
        return to.append((char) ('0' + number / 10)).append((char) ('0' + number % 10));
    }

    /** Whether all characters are visible ASCII, and there are 1 to so many. */
    public static boolean isVisible(String text, int charsMax) {
        if (text.isEmpty() || text.length() > charsMax) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < 0x21 || text.charAt(i) > 0x7e) {
                return false;
            }
        }
        return true;
    }
}
