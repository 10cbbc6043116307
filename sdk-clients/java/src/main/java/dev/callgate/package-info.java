/** Calls functions of a Callgate gateway. {@link dev.callgate.Callgate} is where to begin. */
package dev.callgate;
