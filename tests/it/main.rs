//! The one integration-test binary: what needs the whole crate, its files or real processes.

mod house;
#[cfg(test)]
mod sandbox;
