package dev.callgate;

/** A call is kept. As the return type of an interface's method it makes all calls of it kept ones. */
public final class OutboxReceipt {
    private final String id;

    OutboxReceipt(String id) {
        this.id = id;
    }

    /** What {@link OutboxResult#id()} will be. */
    public String id() {
        return id;
    }

    @Override
    public String toString() {
        return "OutboxReceipt(" + id + ")";
    }
}
