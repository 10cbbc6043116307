//! Among whom what is scarce is shared out.

use super::key::Key;

/// Somebody who has a share of what is scarce: an identity, a caller without one, or the source address of guests, whom anybody
/// can invent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Share(u64);

impl Share {
    /// The share of whoever has this key.
    pub(super) fn of(key: Key) -> Self {
        Self(key.number())
    }

    /// The share of nobody in particular: of what the gateway does by itself.
    pub const NOBODY: Self = Self(0);

    /// A number that stands for it in this process.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The share that this number stands for.
    pub fn numbered(number: u64) -> Self {
        Self(number)
    }
}
