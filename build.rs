//! Builds nothing yet beyond the crate itself.
fn main() {}
