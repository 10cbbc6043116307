//! Reading and checking inputs, with AWS's own words for what is wrong with them.
//!
//! Members that the model does not have are passed over, as AWS does.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::errors::{invalid, unsupported};
use crate::{
    api::{
        ApiError, Raw,
        members::{Members, says_nothing},
    },
    base::Arn,
    identity::{IdentityError, Logins, identities::LOGINS_A_REQUEST_MAX},
};

/// Reads the body, and refuses what the table refuses. An empty body is an empty object, as some clients send for it.
pub(super) fn parse<T: DeserializeOwned>(raw: &Raw<'_>, table: &Members) -> Result<T, ApiError> {
    let broken = |error: serde_json::Error| {
        ApiError::bad_request(
            "SerializationException",
            format!("The request's body does not have the operation's form: {error}"),
        )
    };
    let body: &[u8] = if raw.body.is_empty() { b"{}" } else { raw.body };
    let members: Map<String, Value> = serde_json::from_slice(body).map_err(broken)?;
    let is_given = |name: &str| members.get(name).is_some_and(|value| !says_nothing(value));
    if let Some((member, instead)) = table.refused(is_given) {
        return Err(unsupported(member, instead));
    }
    T::deserialize(Value::Object(members)).map_err(broken)
}

/// The input of an operation that takes a pool's id alone.
pub(super) fn pool(raw: &Raw<'_>, table: &Members) -> Result<String, ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Input {
        identity_pool_id: Option<String>,
    }

    let input: Input = parse(raw, table)?;
    id(input.identity_pool_id, "identityPoolId")
}

/// The input of an operation that takes an identity and what proves that it is the caller's.
pub(super) fn identity(raw: &Raw<'_>, table: &Members) -> Result<(String, Logins), ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Input {
        identity_id: Option<String>,
        logins: Option<BTreeMap<String, String>>,
    }

    let input: Input = parse(raw, table)?;
    Ok((id(input.identity_id, "identityId")?, logins(input.logins)?))
}

/// `1 validation error detected: …`
pub(super) fn violated(value: &str, member: &str, constraint: &str) -> ApiError {
    let shown: String = value.chars().take(128).collect();
    invalid(format!(
        "1 validation error detected: Value '{shown}' at '{member}' failed to satisfy constraint: Member must \
         {constraint}"
    ))
}

/// A member that must be there.
pub(super) fn required<T>(value: Option<T>, member: &str) -> Result<T, ApiError> {
    value.ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not \
             be null"
        ))
    })
}

/// A text of at least one and at most `max` characters, all of which `allowed` takes.
pub(super) fn text(
    value: String,
    member: &str,
    max: usize,
    pattern: &str,
    allowed: impl Fn(char) -> bool,
) -> Result<String, ApiError> {
    if value.is_empty() {
        return Err(violated(&value, member, "have length greater than or equal to 1"));
    }
    if value.chars().count() > max {
        return Err(violated(&value, member, &format!("have length less than or equal to {max}")));
    }
    if !value.chars().all(allowed) {
        return Err(violated(&value, member, &format!("satisfy regular expression pattern: {pattern}")));
    }
    Ok(value)
}

/// A number within bounds.
pub(super) fn number(
    value: i64,
    member: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<i64, ApiError> {
    let shown = value.to_string();
    if value < *range.start() {
        let constraint = format!("have value greater than or equal to {}", range.start());
        return Err(violated(&shown, member, &constraint));
    }
    if value > *range.end() {
        let constraint = format!("have value less than or equal to {}", range.end());
        return Err(violated(&shown, member, &constraint));
    }
    Ok(value)
}

/// The id of a pool or an identity: `region:uuid`.
pub(super) fn id(value: Option<String>, member: &str) -> Result<String, ApiError> {
    const PATTERN: &str = r"[\w-]+:[0-9a-f-]+";
    let value = text(required(value, member)?, member, 55, PATTERN, |_| true)?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match value.split_once(':') {
        Some((region, uuid))
            if !region.is_empty()
                && !uuid.is_empty()
                && region.chars().all(is_word)
                && uuid.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f' | '-')) =>
        {
            Ok(value)
        }
        _ => Err(violated(&value, member, &format!("satisfy regular expression pattern: {PATTERN}"))),
    }
}

/// What a pool calls its developer's users.
pub(super) fn developer_provider(value: String) -> Result<String, ApiError> {
    text(value, "developerProviderName", 128, r"[\w._-]+", |c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// A developer's identifier of a user.
pub(super) fn developer_user(value: String, member: &str) -> Result<String, ApiError> {
    text(value, member, 1024, "", |_| true)
}

/// How many tags AWS lets a resource have.
pub(super) const TAGS_MAX: usize = 50;

/// Tags of a pool.
pub(super) fn tags(
    tags: BTreeMap<String, String>,
    member: &str,
) -> Result<BTreeMap<String, String>, ApiError> {
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("A pool can have at most {TAGS_MAX} tags.")));
    }
    for (key, value) in &tags {
        text(key.clone(), member, 128, "", |_| true)?;
        if value.chars().count() > 256 {
            return Err(invalid(format!("The value of the tag {key} is longer than 256 characters.")));
        }
    }
    Ok(tags)
}

/// The pool that the ARN of a resource names.
pub(super) fn pool_of_arn(value: Option<String>) -> Result<String, ApiError> {
    let value = arn(required(value, "resourceArn")?, "resourceArn")?;
    let parsed: Option<Arn> = value.parse().ok();
    parsed
        .filter(|arn| arn.service == "cognito-identity")
        .and_then(|arn| Some(arn.resource.strip_prefix("identitypool/")?.to_owned()))
        .ok_or_else(|| invalid(format!("{value} is not the ARN of an identity pool.")))
}

/// What a page begins after, from the token that the page before ended with: it is what that page ended at, tells nothing,
/// and any other is harmless.
pub(super) fn page(token: Option<String>) -> Result<Option<String>, ApiError> {
    let open = |token: String| {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        String::from_utf8(bytes).ok()
    };
    Ok(token.map(|token| open(token).ok_or(IdentityError::PageToken)).transpose()?)
}

/// The token of the page after one that ended at this.
pub(super) fn next_page(ended: &str) -> String {
    URL_SAFE_NO_PAD.encode(ended)
}

/// `MaxResults`: 1 to 60.
pub(super) fn page_size(value: i64) -> Result<u32, ApiError> {
    Ok(u32::try_from(number(value, "maxResults", 1..=60)?).unwrap_or(1))
}

/// An ARN, as far as its length goes.
pub(super) fn arn(value: String, member: &str) -> Result<String, ApiError> {
    if value.chars().count() < 20 {
        return Err(violated(&value, member, "have length greater than or equal to 20"));
    }
    if value.chars().count() > 2048 {
        return Err(violated(&value, member, "have length less than or equal to 2048"));
    }
    Ok(value)
}

/// The ARN of a role.
pub(super) fn role_arn(value: String, member: &str) -> Result<String, ApiError> {
    let value = arn(value, member)?;
    let is_role = |arn: &Arn| arn.service == "iam" && arn.resource.starts_with("role/");
    if value.parse().is_ok_and(|arn| is_role(&arn)) {
        return Ok(value);
    }
    Err(invalid(format!("{value} is not the ARN of a role.")))
}

/// `Logins`: by provider, its token. Tokens are never shown in a refusal.
pub(super) fn logins(value: Option<BTreeMap<String, String>>) -> Result<Logins, ApiError> {
    let logins = value.unwrap_or_default();
    if logins.len() > LOGINS_A_REQUEST_MAX {
        let message = format!("A request can have at most {LOGINS_A_REQUEST_MAX} logins.");
        return Err(invalid(message));
    }
    for (provider, token) in &logins {
        text(provider.clone(), "logins", 128, "", |_| true)?;
        if token.is_empty() {
            return Err(invalid(format!("Please provide a valid token for the login {provider}.")));
        }
    }
    Ok(logins.into())
}
