package dev.callgate;

import dev.callgate.internal.Files;
import java.io.File;
import java.io.IOException;

/**
 * Keeps values as files of a folder, which is made if it is not there, and readable by its owner alone. A guest's identity id is as good as a password: choose a folder that no
 * other app can read, and no backup that others see.
 */
public final class FileStorage implements Storage {
    private final File folder;

    public FileStorage(File folder) {
        this.folder = folder;
    }

    @Override
    public synchronized String get(String name) {
        try {
            return Files.read(new File(folder, name));
        } catch (IOException unreadable) {
            return null;
        }
    }

    @Override
    public synchronized void put(String name, String value) {
        File file = new File(folder, name);
        try {
            if (value != null) {
                Files.makeFolder(folder);
                Files.writeWhole(file, value, null, null);
            } else if (file.exists() && !file.delete()) {
                throw new IOException("cannot be erased");
            }
        } catch (IOException error) {
            throw new IllegalStateException(file + ": " + error.getMessage(), error);
        }
    }

    @Override
    public boolean keepsSecrets() {
        return false;
    }

    @Override
    public String toString() {
        return "FileStorage(" + folder + ")";
    }
}
