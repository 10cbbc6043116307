package dev.callgate.internal;

/** A request's headers that are signed: names in lower case and in order, as a signature wants them. Each name once. */
final class HeaderList {
    private static final int HEADERS_MAX = 16;

    private final String[] names = new String[HEADERS_MAX];
    private final String[] values = new String[HEADERS_MAX];
    private int size;

    /** Adds or replaces. */
    void set(String lowerCaseName, String value) {
        int at = size;
        while (at > 0 && names[at - 1].compareTo(lowerCaseName) > 0) {
            at--;
        }
        if (at > 0 && names[at - 1].equals(lowerCaseName)) {
            values[at - 1] = value;
            return;
        }
        System.arraycopy(names, at, names, at + 1, size - at);
        System.arraycopy(values, at, values, at + 1, size - at);
        names[at] = lowerCaseName;
        values[at] = value;
        size++;
    }

    int size() {
        return size;
    }

    String name(int at) {
        return names[at];
    }

    String value(int at) {
        return values[at];
    }
}
