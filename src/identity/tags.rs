//! Principal tags: claims of a login's token that policies may ask for as `aws:PrincipalTag/…` (Cognito developer guide,
//! "Using attributes for access control").

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{IdentityError, Result, VerifiedLogin, logins::provider_arn};
use crate::store::identity::{PoolRecord, TagMap};

/// The claim in which an open-id token carries session tags (STS, "Passing session tags using AssumeRoleWithWebIdentity").
const CLAIM: &str = "https://aws.amazon.com/tags";
/// How many session tags STS takes.
pub const TAGS_MAX: usize = 50;
/// The longest value of a session tag.
const VALUE_CHARS_MAX: usize = 256;

/// A map of a pool under the provider's name or its ARN.
pub(super) fn by_provider<'a, T>(
    pool: &PoolRecord,
    maps: &'a BTreeMap<String, T>,
    login: &VerifiedLogin,
) -> Option<&'a T> {
    let provider = &login.login.provider;
    maps.get(&format!("{provider}:{}", login.client_id))
        .or_else(|| maps.get(provider))
        .or_else(|| maps.get(&provider_arn(pool.account, provider)))
}

/// The principal tags that these logins give. Of two that give the same tag, the first one's value counts.
pub(super) fn of_logins(pool: &PoolRecord, logins: &[VerifiedLogin]) -> Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for login in logins {
        for (tag, value) in carried(&login.claims).into_iter().filter(|_| login.made_for.is_some()) {
            tags.entry(tag).or_insert(value);
        }
        let Some(map) = by_provider(pool, &pool.tag_maps, login) else { continue };
        for (tag, claim) in claims_of(map) {
            if let Some(value) = value_of(login.claims.get(claim), claim)? {
                tags.entry(tag.to_owned()).or_insert(value);
            }
        }
    }
    if tags.len() > TAGS_MAX {
        return Err(IdentityError::TooManyTags);
    }
    Ok(tags)
}

/// By tag, the claim.
fn claims_of(map: &TagMap) -> Vec<(&str, &str)> {
    if map.use_defaults {
        return vec![("username", "sub"), ("client", "aud")];
    }
    map.tags.iter().map(|(tag, claim)| (tag.as_str(), claim.as_str())).collect()
}

/// A claim as a tag's value; none if it is not there. One that cannot be a tag is refused, for a policy that denies by it must
/// not be without it.
fn value_of(claim: Option<&Value>, name: &str) -> Result<Option<String>> {
    let refused = || IdentityError::TagValue(name.to_owned());
    let text = match claim {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        // An audience of one may stand in a list.
        Some(Value::Array(list)) => match list.as_slice() {
            [Value::String(text)] => text.clone(),
            _ => return Err(refused()),
        },
        Some(Value::Object(_)) => return Err(refused()),
    };
    if text.chars().count() > VALUE_CHARS_MAX || !text.chars().all(is_allowed) {
        return Err(refused());
    }
    Ok(Some(text))
}

/// What STS allows in session tags: letters, blanks, numbers and `_.:/=+-@`.
pub fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}

/// Adds session tags to a token's claims, in the form that STS reads.
pub(super) fn into_claims(tags: &BTreeMap<String, String>, claims: &mut Value) {
    if tags.is_empty() {
        return;
    }
    let tags: Map<String, Value> = tags.iter().map(|(tag, value)| (tag.clone(), json!([value]))).collect();
    claims[CLAIM] = json!({ "principal_tags": tags });
}

/// The session tags that a token of this gateway carries.
pub(super) fn carried(claims: &Map<String, Value>) -> BTreeMap<String, String> {
    let tags = claims.get(CLAIM).and_then(|claim| claim.get("principal_tags")).and_then(Value::as_object);
    tags.into_iter()
        .flatten()
        .filter_map(|(tag, value)| Some((tag.clone(), value.get(0)?.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_a_tag_is_one_and_what_cannot_is_refused() {
        let value = |claim: Value| value_of(Some(&claim), "c").map_err(|error| error.to_string());
        for (claim, tag) in [
            (json!("gold"), Some("gold")),
            (json!("Ünï a_.:/=+-@1"), Some("Ünï a_.:/=+-@1")),
            (json!(true), Some("true")),
            (json!(7), Some("7")),
            (json!(["one"]), Some("one")),
            (json!(null), None),
        ] {
            assert_eq!(value(claim.clone()).unwrap().as_deref(), tag, "{claim}");
        }
        for claim in
            [json!("a*b"), json!("x".repeat(257)), json!(["a", "b"]), json!([1]), json!({}), json!("\n")]
        {
            assert!(value(claim.clone()).unwrap_err().contains("claim c"), "{claim}");
        }
        assert_eq!(value_of(None, "c").unwrap(), None);
    }

    #[test]
    fn tags_survive_the_way_through_a_token() {
        let tags = BTreeMap::from([("tier".to_owned(), "gold".to_owned()), ("a".to_owned(), String::new())]);
        let mut claims = json!({"sub": "x"});
        into_claims(&tags, &mut claims);
        assert_eq!(carried(claims.as_object().unwrap()), tags);
        let mut without = json!({});
        into_claims(&BTreeMap::new(), &mut without);
        assert_eq!(without, json!({}));
        assert_eq!(carried(&Map::new()), BTreeMap::new());
    }
}
