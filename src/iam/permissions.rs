//! What roles and users have in common: inline policies within their room, attached policies, tags.

use std::collections::{BTreeMap, BTreeSet};

use super::{IamError, Result};
use crate::policy::{Document, Kind, ParseError, TEXT_BYTES_MAX};

/// How many managed policies a role or user has attached at most (IAM's quota).
pub const ATTACHED_MAX: usize = 10;
/// How many tags one thing has at most (IAM's quota).
pub const TAGS_MAX: usize = 50;

/// What a policy's text must fit into.
#[derive(Clone, Copy, Debug)]
pub(super) enum Room<'a> {
    /// A role's trust policy.
    Trust,
    /// The inline policies of the role of this name, all together.
    Role(&'a str),
    /// The inline policies of the user of this name, all together.
    User(&'a str),
    /// A version of a managed policy.
    Managed,
}

impl Room<'_> {
    /// The most characters without white space (IAM's quotas).
    fn max(self) -> usize {
        match self {
            Self::Trust => Kind::Trust.size_max(),
            Self::Role(_) => 10_240,
            Self::User(_) => 2_048,
            Self::Managed => 6_144,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Trust => Kind::Trust,
            Self::Role(_) | Self::User(_) | Self::Managed => Kind::Identity,
        }
    }

    fn exceeded(self) -> IamError {
        let max = self.max();
        IamError::LimitExceeded(match self {
            Self::Trust => format!("Cannot exceed quota for ACLSizePerRole: {max}"),
            Self::Role(name) => format!("Maximum policy size of {max} bytes exceeded for role {name}"),
            Self::User(name) => format!("Maximum policy size of {max} bytes exceeded for user {name}"),
            Self::Managed => format!("Cannot exceed quota for PolicySize: {max}"),
        })
    }
}

/// Compiles a policy to see whether it is one, and how much of its room it takes.
pub(super) fn check_policy(text: &str, room: Room<'_>) -> Result<usize> {
    // What AWS answers for a text that is not even JSON; the parser's own word would name a position.
    if text.len() <= TEXT_BYTES_MAX && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return Err(IamError::MalformedPolicyDocument("This policy contains invalid Json".to_owned()));
    }
    match Document::parse(text, room.kind()) {
        Ok(document) if document.size() <= room.max() => Ok(document.size()),
        Ok(_) | Err(ParseError::TooLong { .. }) => Err(room.exceeded()),
        Err(error @ ParseError::Malformed { .. }) => {
            Err(IamError::MalformedPolicyDocument(error.to_string()))
        }
    }
}

/// Puts an inline policy in place of the one of its name, if all of them together still have room.
pub(super) fn put_inline(
    policies: &mut BTreeMap<String, String>,
    name: &str,
    text: String,
    room: Room<'_>,
) -> Result<()> {
    let others = policies.iter().filter(|(other, _)| *other != name);
    let others = others.map(|(_, text)| check_policy(text, room)).sum::<Result<usize>>()?;
    if others + check_policy(&text, room)? > room.max() {
        return Err(room.exceeded());
    }
    policies.insert(name.to_owned(), text);
    Ok(())
}

/// Attaches a policy; one that is attached already stays so.
pub(super) fn attach(attached: &mut BTreeSet<String>, policy: &str, what: &str) -> Result<()> {
    attached.insert(policy.to_owned());
    if attached.len() > ATTACHED_MAX {
        return Err(IamError::LimitExceeded(format!(
            "Cannot exceed quota for PoliciesPer{what}: {ATTACHED_MAX}"
        )));
    }
    Ok(())
}

/// Sets tags. A key in another case is the same key, as it is now written.
pub(super) fn tag(
    known: &mut BTreeMap<String, String>,
    new: BTreeMap<String, String>,
    what: &str,
) -> Result<()> {
    known.retain(|key, _| !new.keys().any(|new| new.eq_ignore_ascii_case(key)));
    known.extend(new);
    check_tags(known, what)
}

/// Takes tags away; those that are not there are passed over.
pub(super) fn untag(known: &mut BTreeMap<String, String>, keys: &[String]) {
    known.retain(|known, _| !keys.iter().any(|key| key.eq_ignore_ascii_case(known)));
}

/// That there are not too many tags on one thing.
pub(super) fn check_tags(tags: &BTreeMap<String, String>, what: &str) -> Result<()> {
    if tags.len() > TAGS_MAX {
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for TagsPer{what}: {TAGS_MAX}")));
    }
    Ok(())
}
