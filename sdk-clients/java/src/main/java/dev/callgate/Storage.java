package dev.callgate;

/**
 * Where a client keeps what outlives the process: the identity id, and credentials if the place is fit for secrets. Called from
 * several threads, one at a time. Values are at most 8 KiB.
 */
public interface Storage {
    /** The value, or null. */
    String get(String name);

    /** Keeps a value; null erases it. Durable when it returns. */
    void put(String name, String value);

    /** Whether session credentials may be kept here: true for a keystore, false for a plain file. */
    boolean keepsSecrets();
}
