package dev.callgate.internal;

import dev.callgate.IdentityListener;
import dev.callgate.Storage;
import dev.callgate.TokenSupplier;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** The identity, its logins and its credentials: kept, fetched once for all that wait, fetched ahead. */
public final class IdentityKeeper implements CredentialKeeper {
    private static final int LISTENERS_MAX = 32;
    private static final int LOGINS_MAX = 10;
    private static final long AHEAD_EVERY_NANOS = 10_000_000_000L;

    private final Cognito cognito;
    private final Storage storage;
    private final String scope;
    private final Clock clock;
    private final Surroundings surroundings;
    private final Log log;
    private final CopyOnWriteArrayList<IdentityListener> listeners = new CopyOnWriteArrayList<>();

    /** Hears of each change before the app's listeners do. */
    private volatile Runnable wake;

    // All guarded by this.
    private Kept kept;
    private Credentials current;
    private Map<String, TokenSupplier> logins = Collections.emptyMap();
    /** Counts sign-ins and sign-outs: what began before one does not end after it. */
    private long generation;

    private Fetch running;
    private boolean aheadFailed;
    private long aheadFailedNanos;

    IdentityKeeper(Cognito cognito, Storage storage, String scope, Clock clock, Surroundings surroundings, Log log) {
        this.cognito = cognito;
        this.storage = storage;
        this.scope = scope;
        this.clock = clock;
        this.surroundings = surroundings;
        this.log = log;
    }

    @Override
    public Credentials credentials(CallState call) throws Failure {
        while (true) {
            Fetch fetch;
            synchronized (this) {
                load();
                Credentials.Age age = current == null ? Credentials.Age.WAIT_FOR_NEW : current.age(clock.nowMs());
                if (age == Credentials.Age.USE) {
                    return current;
                }
                if (age == Credentials.Age.USE_AND_FETCH_AHEAD) {
                    if (running == null && mayFetchAhead()) {
                        begin(true);
                    }
                    return current;
                }
                fetch = running == null ? begin(false) : running;
            }
            Credentials fetched = fetch.await(call);
            if (fetched != null) {
                return fetched;
            }
            // Somebody signed in or out meanwhile: this call is theirs who are here now.
        }
    }

    private boolean mayFetchAhead() {
        return !aheadFailed || surroundings.nanos() - aheadFailedNanos >= AHEAD_EVERY_NANOS;
    }

    private Fetch begin(boolean ahead) {
        running = new Fetch(cognito, surroundings, this, kept, logins, generation, ahead);
        running.start();
        return running;
    }

    @Override
    public synchronized boolean refused(Credentials used) {
        if (current == used) {
            forgetCredentials();
        }
        return true;
    }

    @Override
    public synchronized String id() {
        load();
        return kept.id;
    }

    @Override
    public synchronized List<String> was() {
        load();
        return kept.was;
    }

    /** What was before a sign-in, to go on with if it fails. */
    static final class Before {
        final Kept kept;
        final Map<String, TokenSupplier> logins;
        final Credentials credentials;
        final long generation;

        Before(Kept kept, Map<String, TokenSupplier> logins, Credentials credentials, long generation) {
            this.kept = kept;
            this.logins = logins;
            this.credentials = credentials;
            this.generation = generation;
        }
    }

    synchronized Before signIn(String provider, TokenSupplier supplier) throws Failure {
        load();
        Map<String, TokenSupplier> more = new LinkedHashMap<>(logins);
        more.put(provider, supplier);
        if (more.size() > LOGINS_MAX) {
            throw new Failure(Failure.Kind.INVALID_REQUEST, "an identity presents at most " + LOGINS_MAX + " logins");
        }
        generation++;
        running = null;
        aheadFailed = false;
        Before before = new Before(kept, logins, current, generation);
        logins = more;
        // Kept on the disk until there are new ones; in memory no call uses them any more.
        current = null;
        return before;
    }

    /** The sign-in failed. If nothing else happened since, all is as it was. */
    void restore(Before before) {
        String failed;
        synchronized (this) {
            if (generation != before.generation) {
                return;
            }
            generation++;
            running = null;
            logins = before.logins;
            current = before.credentials;
            failed = kept.id;
            if (kept != before.kept) {
                kept = before.kept;
                write();
            }
        }
        changed(failed, before.kept.id);
    }

    /** Forgets who it was. */
    public void signOut() {
        String before;
        synchronized (this) {
            load();
            before = kept.id;
            generation++;
            running = null;
            aheadFailed = false;
            logins = Collections.emptyMap();
            kept = Kept.NONE;
            write();
            forgetCredentials();
        }
        changed(before, null);
    }

    /** Who else is to do something when the identity changes; one, of the SDK's own. */
    void onChange(Runnable doThis) {
        wake = doThis;
    }

    /** Adds a listener; at most 32. */
    public void addListener(IdentityListener listener) {
        if (listeners.size() >= LISTENERS_MAX) {
            throw new IllegalStateException("there are " + LISTENERS_MAX + " identity listeners already: remove those that are done");
        }
        listeners.add(listener);
    }

    public void removeListener(IdentityListener listener) {
        listeners.remove(listener);
    }

    /** A fetch has an id. It is kept at once: credentials may fail, and a guest's id is not to be had twice. */
    void answered(Fetch fetch, Kept now, Credentials credentials) {
        String before;
        synchronized (this) {
            if (fetch.generation != generation) {
                return;
            }
            before = kept.id;
            if (now != kept) {
                kept = now;
                write();
            }
            if (credentials != null) {
                current = credentials;
                aheadFailed = false;
                try {
                    kept.writeCredentials(storage, credentials);
                } catch (RuntimeException error) {
                    log.warn("credentials", "kept", false, "error", error.getClass().getSimpleName());
                }
                log.info("credentials", "fetched", true, "lastMs", credentials.untilMs - clock.nowMs());
            }
        }
        changed(before, now.id);
    }

    /** A fetch is over. Returns whether it still counts. */
    synchronized boolean over(Fetch fetch, Failure failure) {
        if (running == fetch) {
            running = null;
        }
        if (failure != null) {
            log.warn("credentials", "fetched", false, "kind", failure.kindName(), "code", failure.details.code);
            if (fetch.ahead) {
                aheadFailed = true;
                aheadFailedNanos = surroundings.nanos();
            }
        }
        return fetch.generation == generation;
    }

    private void load() {
        if (kept == null) {
            kept = Kept.read(storage, scope);
            current = kept.readCredentials(storage);
        }
    }

    private void write() {
        try {
            kept.write(storage, scope);
        } catch (RuntimeException error) {
            // The process goes on with what it has in memory; the next one begins anew.
            log.warn("identity", "kept", false, "error", error.getClass().getSimpleName());
        }
    }

    private void forgetCredentials() {
        current = null;
        try {
            kept.writeCredentials(storage, null);
        } catch (RuntimeException error) {
            log.warn("credentials", "erased", false, "error", error.getClass().getSimpleName());
        }
    }

    private void changed(String before, String now) {
        if (before == null ? now == null : before.equals(now)) {
            return;
        }
        log.info("identity", "changed", true, "had", before != null, "has", now != null);
        Runnable own = wake;
        if (own != null) {
            own.run();
        }
        for (IdentityListener listener : listeners) {
            try {
                listener.onIdentityChange(before, now);
            } catch (RuntimeException theirs) {
                log.warn("identity", "listener", theirs.getClass().getSimpleName());
            }
        }
    }
}
