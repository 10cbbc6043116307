package dev.callgate;

import dev.callgate.internal.Client;

/** Who the app's user is to the gateway: a guest at first, somebody once they sign in. */
public final class Identity {
    private final Client client;

    Identity(Client client) {
        this.client = client;
    }

    /** The identity id, fetched if there is none yet. Blocks; throws what a call would. */
    public String id() {
        return client.authenticate();
    }

    /** The identity id that is kept, or null. Nothing is sent. */
    public String idIfAny() {
        return client.identity().id();
    }

    /** Signs in with a token that will not be renewed: when credentials end after it, calls throw {@link AuthenticationException}. */
    public String signIn(String provider, String token) {
        return signIn(provider, () -> token);
    }

    /**
     * Signs in: the identity keeps its id, or becomes the one that the login belongs to. Blocks.
     *
     * @param provider the issuer's URL without its scheme, {@code accounts.google.com} for one
     * @return the identity id from now on
     */
    public String signIn(String provider, TokenSupplier tokens) {
        return client.signIn(provider, tokens);
    }

    /** Forgets logins, credentials and identity id. The next call is a new guest's. */
    public void signOut() {
        client.identity().signOut();
    }

    /** Hears of each change of the identity id; at most 32 listeners. */
    public void addListener(IdentityListener listener) {
        client.identity().addListener(listener);
    }

    public void removeListener(IdentityListener listener) {
        client.identity().removeListener(listener);
    }

    @Override
    public String toString() {
        return "Identity(…)";
    }
}
