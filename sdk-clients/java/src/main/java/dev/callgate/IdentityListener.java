package dev.callgate;

/** Hears that the identity id changed. */
public interface IdentityListener {
    /**
     * @param before null if there was none
     * @param now null if there is none: after a sign-out
     */
    void onIdentityChange(String before, String now);
}
