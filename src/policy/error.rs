//! Why a text is not a policy. The sentences are for whoever put the policy; they name statement and element.

use std::fmt;

/// Why a policy was refused. Its display form is one sentence or two, fit for a client.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseError {
    /// The policy is over its size limit (IAM answers `LimitExceeded`).
    #[error("The policy has {size} {unit}; the limit for a {kind} is {limit}.", unit = unit(kind))]
    TooLong {
        /// Which kind of policy, in words.
        kind: &'static str,
        /// Characters without white space, which IAM does not count; of a resource's policy, bytes.
        size: usize,
        /// The limit in the same unit.
        limit: usize,
    },
    /// The policy is not well-formed, or says something that is not understood (IAM answers `MalformedPolicyDocument`).
    #[error("{place}{problem}")]
    Malformed {
        /// Where.
        place: Place,
        /// What is wrong, as a sentence.
        problem: String,
    },
}

/// What the size of such a policy is counted in.
fn unit(kind: &str) -> &'static str {
    if kind == RESOURCE { "bytes" } else { "characters without white space" }
}

/// A resource's policy, in words.
pub(super) const RESOURCE: &str = "resource's policy";

/// Where in a policy something stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The statement, counted from 1.
    pub statement: Option<usize>,
    /// The statement's Sid, if it has one.
    pub sid: Option<String>,
    /// The element, for example `Action` or `Condition.StringEquals`.
    pub field: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.statement, &self.sid, &self.field) {
            (Some(number), Some(sid), Some(field)) => write!(f, "Statement {number} (\"{sid}\"), {field}: "),
            (Some(number), Some(sid), None) => write!(f, "Statement {number} (\"{sid}\"): "),
            (Some(number), None, Some(field)) => write!(f, "Statement {number}, {field}: "),
            (Some(number), None, None) => write!(f, "Statement {number}: "),
            (None, _, Some(field)) => write!(f, "{field}: "),
            (None, _, None) => Ok(()),
        }
    }
}

/// A problem inside a statement before the statement's number is known.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Problem {
    pub(super) field: Option<String>,
    pub(super) text: String,
}

impl Problem {
    /// A problem with an element.
    pub(super) fn at(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: Some(field.into()), text: text.into() }
    }

    /// A problem with the statement or the document as a whole.
    pub(super) fn whole(text: impl Into<String>) -> Self {
        Self { field: None, text: text.into() }
    }

    /// Places the problem in a statement.
    pub(super) fn in_statement(self, index: usize, sid: Option<&str>) -> ParseError {
        let sid = sid.map(str::to_owned);
        ParseError::Malformed {
            place: Place { statement: Some(index + 1), sid, field: self.field },
            problem: self.text,
        }
    }

    /// Places the problem in the document, outside the statements.
    pub(super) fn in_document(self) -> ParseError {
        ParseError::Malformed {
            place: Place { statement: None, sid: None, field: self.field },
            problem: self.text,
        }
    }
}
