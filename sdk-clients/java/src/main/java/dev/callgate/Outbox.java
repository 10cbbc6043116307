package dev.callgate;

import dev.callgate.internal.OutboxSender;
import java.lang.reflect.Type;

/**
 * Calls that are made although the phone is offline: kept in files, sent in order, run at most once, their results handed over
 * at least once. {@code sdk-clients/contract/README.md} §7 says exactly what is promised.
 */
public final class Outbox {
    private final OutboxSender sender;

    Outbox(OutboxSender sender) {
        this.sender = sender;
    }

    /** Keeps a call. It is on the disk when this returns. */
    public OutboxReceipt add(String function, Object argument) {
        return add(function, argument, argument == null ? Object.class : argument.getClass(), CallOptions.NONE, null);
    }

    /**
     * The same, with everything. The options' deadline does not count here.
     *
     * @param type the argument's type; null if there is no argument
     * @param label something by which the app knows it again; may be null
     * @throws FullException if there are 1,000 calls, or 16 MiB, already
     */
    public OutboxReceipt add(String function, Object argument, Type type, CallOptions options, String label) {
        return new OutboxReceipt(sender.add(function, argument, type, options, label));
    }

    /** Takes a call back. Returns false if it is not there any more, or may have been sent. */
    public boolean withdraw(String id) {
        return sender.withdraw(id);
    }

    /** How many calls are kept. */
    public int size() {
        return sender.size();
    }

    /** The network is back, or something else makes it worth trying now. */
    public void flush() {
        sender.flush();
    }
}
