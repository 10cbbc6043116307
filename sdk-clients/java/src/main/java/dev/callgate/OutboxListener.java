package dev.callgate;

/** Hears what became of kept calls. */
public interface OutboxListener {
    /**
     * Called once for each kept call, on the outbox's thread; again if the app dies before this returns and the call is erased, so
     * it had better do no harm twice ({@link OutboxResult#id()} tells). What it throws is logged and otherwise ignored.
     */
    void onResult(OutboxResult result);
}
