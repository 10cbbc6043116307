//! Which members of each operation's input are implemented, only stored, or refused.
//!
//! The tables are what operations refuse by, and what `docs/operations.md` is made of, so that the two cannot differ. Members
//! that the model does not have are passed over, as AWS does.

use serde_json::Value;

/// What becomes of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// It does what it does on AWS.
    Implemented,
    /// It is kept and answered, and changes nothing.
    Stored,
    /// It is refused by name, unless it says nothing (null, false, empty); the text says what to do instead.
    Refused(&'static str),
}

/// An operation's members. Those of structures stand behind a dot, as in `Code.ZipFile`; a value that is refused of a member
/// that is not stands behind it and a blank, as in `PackageType Image`.
#[derive(Clone, Copy, Debug)]
pub struct Members {
    /// The operation's name.
    pub operation: &'static str,
    /// Each member, as the model calls it.
    pub members: &'static [(&'static str, Support)],
}

impl Members {
    /// What becomes of a member; `None` for one that is not known.
    pub fn support(&self, member: &str) -> Option<Support> {
        self.members.iter().find(|(name, _)| *name == member).map(|(_, support)| *support)
    }

    /// The first member that is refused and yet given, and what to do instead.
    pub fn refused(&self, given: impl Fn(&str) -> bool) -> Option<(&'static str, &'static str)> {
        self.members.iter().find_map(|(name, support)| match support {
            Support::Refused(instead) if given(name) => Some((*name, *instead)),
            _ => None,
        })
    }
}

/// Whether a value asks for nothing: null, false, empty, or a structure of such. Some clients send such values for what
/// they leave out.
pub fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.values().all(says_nothing),
    }
}
