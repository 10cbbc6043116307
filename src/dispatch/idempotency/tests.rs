//! The whole, with a clock of its own.
