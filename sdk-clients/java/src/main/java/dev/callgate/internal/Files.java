package dev.callgate.internal;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;

/** Files that are whole or not there. */
public final class Files {
    private Files() {}

    /** Makes a folder that only its owner can use; one that is there stays as it is. */
    public static void makeFolder(File folder) throws IOException {
        if (folder.isDirectory()) {
            return;
        }
        if (!folder.mkdirs() && !folder.isDirectory()) {
            throw new IOException(folder + " cannot be made");
        }
        ownerOnly(folder, true);
    }

    private static void ownerOnly(File file, boolean folder) {
        // Best effort: some file systems have no owners.
        file.setReadable(false, false);
        file.setReadable(true, true);
        file.setWritable(false, false);
        file.setWritable(true, true);
        if (folder) {
            file.setExecutable(false, false);
            file.setExecutable(true, true);
        }
    }

    /** The file's text, or null if there is no file. */
    public static String read(File file) throws IOException {
        if (!file.isFile()) {
            return null;
        }
        try (InputStream from = new FileInputStream(file)) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream((int) Math.max(32, file.length()));
            byte[] buffer = new byte[8192];
            for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
                bytes.write(buffer, 0, n);
            }
            return bytes.toString("UTF-8");
        }
    }

    /** Writes beside, syncs, and renames: at every moment the file has all of the old text or all of the new. */
    public static void writeWhole(File file, String text, Surroundings surroundings, String step) throws IOException {
        File beside = new File(file.getPath() + ".new");
        try (FileOutputStream to = new FileOutputStream(beside)) {
            ownerOnly(beside, false);
            to.write(text.getBytes(Text.UTF_8));
            to.getFD().sync();
        }
        if (surroundings != null) {
            surroundings.step(step);
        }
        if (!beside.renameTo(file)) {
            throw new IOException(beside + " cannot be renamed");
        }
    }
}
