//! Principal tags, as operations take them.

use std::collections::BTreeMap;

use super::{errors::invalid, input};
use crate::{
    api::ApiError,
    identity::tags::{TAGS_MAX, is_allowed},
};

/// How many providers of a pool may have a map of their own.
pub(super) const MAPS_MAX: usize = 60;

/// `IdentityProviderName`.
pub(super) fn provider(value: Option<String>) -> Result<String, ApiError> {
    input::text(input::required(value, "identityProviderName")?, "identityProviderName", 128, "", |_| true)
}

/// By tag, the claim that gives its value.
pub(super) fn claims(tags: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ApiError> {
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("A session can have at most {TAGS_MAX} tags.")));
    }
    for (tag, claim) in &tags {
        input::text(tag.clone(), "principalTags", 128, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", is_allowed)?;
        if tag.len() >= 4 && tag.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(invalid(format!("The tag {tag} begins with aws:, which is AWS's own.")));
        }
        input::text(claim.clone(), "principalTags", 256, "", |_| true)?;
    }
    Ok(tags)
}

/// By tag, its value.
pub(super) fn values(tags: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ApiError> {
    let tags = claims(tags)?;
    for value in tags.values() {
        input::text(value.clone(), "principalTags", 256, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", is_allowed)?;
    }
    Ok(tags)
}
