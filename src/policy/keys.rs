//! Condition keys: what a request can be asked about.

use std::borrow::Cow;

/// The context of a request, asked for one key at a time and only for keys that a statement in question names, so that
/// nothing is computed which no policy looks at.
pub trait Keys {
    /// The value of `key`, whose letters are all lower case (`aws:principaltag/team`): keys are not case-sensitive, and
    /// neither are the names of tags in them. `None` if the request has no such key.
    fn get(&self, key: &str) -> Option<Values<'_>>;
}

/// What a key holds. A key is either single-valued or multi-valued by its nature, whatever it holds at the moment:
/// only single-valued keys can stand in for a policy variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Values<'a> {
    /// A single-valued key.
    One(Cow<'a, str>),
    /// A multi-valued key; empty is the same as absent.
    Many(Cow<'a, [String]>),
}

impl<'a> Values<'a> {
    /// A single value that is borrowed.
    pub fn one(value: &'a str) -> Self {
        Self::One(Cow::Borrowed(value))
    }

    /// A single value that was made for the question.
    pub fn owned(value: String) -> Self {
        Self::One(Cow::Owned(value))
    }

    /// The values of a multi-valued key.
    pub fn many(values: &'a [String]) -> Self {
        Self::Many(Cow::Borrowed(values))
    }

    /// Whether there is no value at all.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Many(values) if values.is_empty())
    }

    /// Whether there is nothing but the empty text, which set operators take for no value at all.
    pub(super) fn is_null(&self) -> bool {
        !self.any(|value| !value.is_empty())
    }

    /// Whether `test` holds for any value.
    pub(super) fn any(&self, mut test: impl FnMut(&str) -> bool) -> bool {
        match self {
            Self::One(value) => test(value),
            Self::Many(values) => values.iter().any(|value| test(value)),
        }
    }
}

/// A request without any context.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoKeys;

impl Keys for NoKeys {
    fn get(&self, _key: &str) -> Option<Values<'_>> {
        None
    }
}
