package dev.callgate.internal;

import java.util.Collections;
import java.util.List;

/** Where calls get what they sign with. */
interface CredentialKeeper {
    /** Credentials that are good now; waits for new ones if need be, for at most so long. */
    Credentials credentials(CallState call) throws Failure;

    /** The gateway refused these: they are not used again; newer ones stay. Returns whether there may be others. */
    boolean refused(Credentials used);

    /** The identity id that is kept, or null; of fixed keys their id. Nothing is sent. */
    String id();

    /** The ids that became it. */
    List<String> was();

    /** Keys that somebody else looks after. */
    final class Fixed implements CredentialKeeper {
        private final Credentials credentials;

        Fixed(Credentials credentials) {
            this.credentials = credentials;
        }

        @Override
        public Credentials credentials(CallState call) {
            return credentials;
        }

        @Override
        public boolean refused(Credentials used) {
            return false;
        }

        @Override
        public String id() {
            return credentials.identity;
        }

        @Override
        public List<String> was() {
            return Collections.emptyList();
        }
    }
}
