/** How it works inside. Nothing here is for apps, and all of it may change. */
package dev.callgate.internal;
