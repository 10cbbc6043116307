package dev.callgate.internal;

import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** The files of kept calls: one each, named by its place in the order. One process at a time has the folder. */
final class OutboxFolder implements Closeable {
    private static final String CALL = ".call";
    private static final String BROKEN = ".broken";
    private static final int BROKEN_MAX = 16;

    private final File folder;
    private final Surroundings surroundings;
    private final Log log;
    private final RandomAccessFile lockFile;
    private long lastNumber;

    private OutboxFolder(File folder, RandomAccessFile lockFile, Surroundings surroundings, Log log) {
        this.folder = folder;
        this.lockFile = lockFile;
        this.surroundings = surroundings;
        this.log = log;
    }

    /** A call's file, and what is to be known of it without reading it again. */
    static final class Entry {
        final File file;
        final String id;
        final long bytes;
        final long addedMs;
        /** Change as the record does. */
        String identity;

        long firstSentMs;

        Entry(File file, OutboxRecord record, long bytes) {
            this.file = file;
            this.id = record.id;
            this.bytes = bytes;
            this.addedMs = record.addedMs;
            this.identity = record.identity;
            this.firstSentMs = record.firstSentMs;
        }
    }

    static OutboxFolder open(File folder, Surroundings surroundings, Log log) {
        RandomAccessFile lockFile = null;
        try {
            Files.makeFolder(folder);
            lockFile = new RandomAccessFile(new File(folder, "lock"), "rw");
            FileLock lock = tryLock(lockFile);
            if (lock == null) {
                lockFile.close();
                throw new IllegalStateException("the outbox " + folder + " is in use by another client");
            }
            return new OutboxFolder(folder, lockFile, surroundings, log);
        } catch (IOException error) {
            throw new IllegalArgumentException("the outbox " + folder + " cannot be used: " + error.getMessage(), error);
        }
    }

    private static FileLock tryLock(RandomAccessFile file) throws IOException {
        try {
            return file.getChannel().tryLock();
        } catch (OverlappingFileLockException here) {
            return null;
        }
    }

    /** All calls, in order. What is none is put aside. */
    List<Entry> load() throws IOException {
        String[] names = folder.list();
        List<Entry> found = new ArrayList<>();
        if (names == null) {
            throw new IOException(folder + " cannot be listed");
        }
        Arrays.sort(names);
        for (String name : names) {
            File file = new File(folder, name);
            if (name.endsWith(".new")) {
                // Written by a process that died before it was whole; its caller never got a receipt, or the old one counts.
                delete(file);
            } else if (name.endsWith(CALL)) {
                long number = number(name);
                OutboxRecord record = number < 0 ? null : OutboxRecord.of(Files.read(file));
                lastNumber = Math.max(lastNumber, number);
                if (record == null) {
                    setAside(file);
                } else {
                    found.add(new Entry(file, record, file.length()));
                }
            }
        }
        return found;
    }

    private static long number(String name) {
        try {
            return name.length() == 16 + CALL.length() ? Long.parseLong(name.substring(0, 16), 16) : -1;
        } catch (NumberFormatException foreign) {
            return -1;
        }
    }

    Entry add(OutboxRecord record) throws IOException {
        StringBuilder name = new StringBuilder(Long.toHexString(++lastNumber));
        while (name.length() < 16) {
            name.insert(0, '0');
        }
        File file = new File(folder, name + CALL);
        Files.writeWhole(file, record.text(), surroundings, "add: written beside");
        surroundings.step("add: kept");
        return new Entry(file, record, file.length());
    }

    /** The record, or null if its file is no more what it was. */
    OutboxRecord read(Entry entry) throws IOException {
        String text = Files.read(entry.file);
        return text == null ? null : OutboxRecord.of(text);
    }

    void replace(Entry entry, OutboxRecord record) throws IOException {
        Files.writeWhole(entry.file, record.text(), surroundings, "send: written beside");
        entry.identity = record.identity;
        entry.firstSentMs = record.firstSentMs;
    }

    void erase(Entry entry) {
        delete(entry.file);
    }

    /** Keeps a damaged file for whoever looks, out of the way. */
    void setAside(File file) {
        log.warn("outbox", "broken", file.getName());
        if (!file.renameTo(new File(folder, file.getName() + BROKEN))) {
            delete(file);
        }
        List<String> broken = new ArrayList<>();
        String[] names = folder.list();
        for (String name : names == null ? new String[0] : names) {
            if (name.endsWith(BROKEN)) {
                broken.add(name);
            }
        }
        Collections.sort(broken);
        for (int i = 0; i < broken.size() - BROKEN_MAX; i++) {
            delete(new File(folder, broken.get(i)));
        }
    }

    private void delete(File file) {
        if (!file.delete() && file.exists()) {
            log.warn("outbox", "notErased", file.getName());
        }
    }

    /** Gives the folder back. */
    @Override
    public void close() {
        try {
            lockFile.close();
        } catch (IOException error) {
            log.warn("outbox", "lock", error.getClass().getSimpleName());
        }
    }
}
