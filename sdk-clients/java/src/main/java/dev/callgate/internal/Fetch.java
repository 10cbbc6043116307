package dev.callgate.internal;

import dev.callgate.TokenSupplier;
import dev.callgate.internal.Failure.Kind;
import java.util.LinkedHashMap;
import java.util.Map;

/** One fetch of credentials, and all who wait for it. */
final class Fetch implements Runnable {
    private static final long WITHIN_NANOS = 30_000_000_000L;

    private final Cognito cognito;
    private final Surroundings surroundings;
    private final IdentityKeeper keeper;
    private final Map<String, TokenSupplier> logins;
    final long generation;
    final boolean ahead;

    private Kept kept;
    // Guarded by this.
    private boolean done;
    private Credentials credentials;
    private Failure failure;

    Fetch(
            Cognito cognito, Surroundings surroundings, IdentityKeeper keeper, Kept kept, Map<String, TokenSupplier> logins,
            long generation, boolean ahead) {
        this.cognito = cognito;
        this.surroundings = surroundings;
        this.keeper = keeper;
        this.kept = kept;
        this.logins = logins;
        this.generation = generation;
        this.ahead = ahead;
    }

    void start() {
        Thread thread = new Thread(this, "callgate-credentials");
        thread.setDaemon(true);
        thread.start();
    }

    /** What was fetched; null if a sign-in or a sign-out came first. */
    synchronized Credentials await(CallState call) throws Failure {
        while (!done) {
            long left = call.leftMs();
            if (left <= 0) {
                throw Failure.deadline(null);
            }
            try {
                surroundings.pause(this, left);
            } catch (InterruptedException interrupted) {
                call.interrupted();
            }
            if (call.isCancelled()) {
                throw Failure.cancelled();
            }
        }
        if (failure != null) {
            throw failure.copy();
        }
        return credentials;
    }

    @Override
    public void run() {
        Credentials fetched = null;
        Failure failed = null;
        try {
            fetched = fetch(tokens(), surroundings.nanos() + WITHIN_NANOS);
        } catch (Failure expected) {
            failed = expected;
        } catch (RuntimeException | Error unexpected) {
            // Whoever waits must hear of it, or waits for ever.
            failed = new Failure(Kind.OFFLINE, "fetching credentials failed: " + unexpected);
            failed.details.cause = unexpected;
        }
        boolean counts = keeper.over(this, failed);
        synchronized (this) {
            done = true;
            credentials = counts ? fetched : null;
            failure = counts ? failed : null;
            notifyAll();
        }
    }

    private Map<String, String> tokens() throws Failure {
        Map<String, String> tokens = new LinkedHashMap<>();
        for (Map.Entry<String, TokenSupplier> login : logins.entrySet()) {
            String token;
            try {
                token = login.getValue().token();
            } catch (Exception theirs) {
                throw withCause("the supplier of " + login.getKey() + "'s tokens failed", theirs);
            }
            if (token == null || token.isEmpty()) {
                throw withCause("the supplier of " + login.getKey() + "'s tokens gave none", null);
            }
            tokens.put(login.getKey(), token);
        }
        return tokens;
    }

    private static Failure withCause(String message, Throwable cause) {
        Failure failure = new Failure(Kind.AUTHENTICATION, message);
        failure.details.cause = cause;
        return failure;
    }

    private Credentials fetch(Map<String, String> tokens, long untilNanos) throws Failure {
        boolean hadId = kept.id != null;
        if (!hadId) {
            anew(tokens, untilNanos);
        }
        Cognito.Session session;
        try {
            session = cognito.getCredentials(kept.id, tokens, untilNanos);
        } catch (Failure refused) {
            boolean lost = refused.kind == Kind.NOT_FOUND;
            boolean another = "NotAuthorizedException".equals(refused.details.code) && !tokens.isEmpty();
            if (!hadId || !lost && !another) {
                throw refused;
            }
            // The id is gone, or is not this login's: the login, or nothing, decides who it is.
            anew(tokens, untilNanos);
            session = cognito.getCredentials(kept.id, tokens, untilNanos);
        }
        kept = kept.answered(session.id, !tokens.isEmpty());
        keeper.answered(this, kept, session.credentials);
        return session.credentials;
    }

    private void anew(Map<String, String> tokens, long untilNanos) throws Failure {
        kept = Kept.NONE.answered(cognito.getId(tokens, untilNanos), !tokens.isEmpty());
        keeper.answered(this, kept, null);
    }
}
