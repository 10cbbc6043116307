//! The one integration-test binary: what needs the whole crate, its files or real processes.

// Configured for tests, so that lints know helpers from production code: what fails in a helper fails the test.
#[cfg(test)]
mod house;
#[cfg(test)]
mod sandbox;
