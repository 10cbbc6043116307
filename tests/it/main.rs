//! The one integration-test binary: what needs the whole crate, its files or real processes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "whatever fails in a test's helper fails the test"
)]

#[cfg(test)]
mod house;
#[cfg(test)]
mod sandbox;
