//! What is wrong with a file of schemas, for whoever wrote it.

use super::FILE;

/// Why a file of schemas is not taken. Its display form names the file, the place, what is wrong and what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{FILE}{}: {what}", place(pointer))]
pub struct Fault {
    /// Where, as a JSON pointer; empty for the file as a whole.
    pub pointer: String,
    /// What is wrong and what to do.
    pub what: String,
}

/// A message may name a pointer of at most so many characters, since names in it are the writer's.
const POINTER_CHARS_MAX: usize = 300;

fn place(pointer: &str) -> String {
    match pointer {
        "" => String::new(),
        pointer if pointer.chars().count() > POINTER_CHARS_MAX => {
            format!(" at {}…", pointer.chars().take(POINTER_CHARS_MAX).collect::<String>())
        }
        pointer => format!(" at {pointer}"),
    }
}

impl Fault {
    pub(super) fn at(pointer: &str, what: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), what: what.into() }
    }
}

/// A pointer to a member or an item of what `pointer` points to.
pub(super) fn below(pointer: &str, member: &str) -> String {
    format!("{pointer}/{}", member.replace('~', "~0").replace('/', "~1"))
}
