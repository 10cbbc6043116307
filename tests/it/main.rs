//! The one integration-test binary: what needs the whole crate, its files or real processes.

#[cfg(test)]
mod house;
#[cfg(test)]
mod sandbox;
