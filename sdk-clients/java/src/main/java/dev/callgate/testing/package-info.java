/** For an app's own unit tests: a gateway in the test's process. */
package dev.callgate.testing;
