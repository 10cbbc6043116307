package dev.callgate.internal;

/** This library's version, as requests name it. A test holds it to the POM's. */
final class Version {
    static final String NUMBER = "0.1.0";

    private Version() {}
}
