package dev.callgate;

/** Gives a login token that is good now; asked each time credentials are fetched, on a thread of the SDK's, and may take a while. */
public interface TokenSupplier {
    /** An OpenID Connect ID token, or what the provider calls so. What it throws ends the fetch with {@link AuthenticationException}. */
    String token() throws Exception;
}
