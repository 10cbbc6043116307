//! Tests of several parts together, and of what only a real machine shows: one binary, so that the library is linked once.

#[cfg(test)]
mod sandbox;
