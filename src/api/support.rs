//! How far a member of an operation's input is supported, for the generated table in the documentation.

/// What becomes of a member.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Support {
    /// It does what AWS says it does.
    Implemented,
    /// It is kept and answered as it was given, and nothing else.
    Stored,
    /// It is refused by its name.
    Refused,
}
