//! Tags in requests: their limits, and the resources they are for.

use std::{collections::BTreeMap, fmt::Write};

use super::errors::{parameter, user};
use crate::{
    api::ApiError,
    base::Arn,
    functions::{FunctionError, Named, name::Form, validation::Violations},
};

/// The characters of keys and values.
const PATTERN: &str = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)";

fn fits(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_alphanumeric() || c == ' ' || c.is_whitespace() && !c.is_control() || "_.:/=+-@".contains(c)
    })
}

/// Takes a request's `Tags`, noting their faults.
pub(super) fn read(
    tags: Vec<(String, String)>,
    violations: &mut Violations,
) -> Result<BTreeMap<String, String>, ApiError> {
    let key_fits = |key: &str| (1..=128).contains(&key.chars().count()) && fits(key);
    let value_fits = |value: &str| value.chars().count() <= 256 && fits(value);
    let keys_fit = tags.iter().all(|(key, _)| key_fits(key));
    if !keys_fit || !tags.iter().all(|(_, value)| value_fits(value)) {
        let (which, min, max) = if keys_fit { ("value", 0, 256) } else { ("keys", 1, 128) };
        violations.add(
            shown(&tags),
            "tags",
            format_args!(
                "Map {which} must satisfy constraint: [Member must have length less than or equal to {max}, Member must have \
                 length greater than or equal to {min}, Member must satisfy regular expression pattern: {PATTERN}, Member must \
                 not be null]"
            ),
        );
    }
    if tags.iter().any(|(key, _)| key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))) {
        return Err(parameter("Tag keys that begin with aws: are reserved."));
    }
    Ok(tags.into_iter().collect())
}

/// A map as AWS shows one.
fn shown(tags: &[(String, String)]) -> String {
    let mut text = "{".to_owned();
    for (at, (key, value)) in tags.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma}{key}={value}");
    }
    text.push('}');
    text
}

/// The function whose tags a request is about, from the ARN in its path.
pub(super) fn resource(text: &str) -> Result<Named, ApiError> {
    let arn: Option<Arn> = text.parse().ok();
    let kind_and_name = arn.as_ref().and_then(|arn| arn.resource.split_once(':'));
    let function = Named::read(text, None, Form::Plain).ok().filter(|named| named.account.is_some());
    match (kind_and_name, function) {
        (Some(("function", _)), Some(named)) if named.region.is_some() => match named.qualifier {
            None => Ok(named),
            Some(_) => Err(parameter(
                "Tags on function aliases and versions are not supported. Please specify a function ARN.",
            )),
        },
        (Some(("event-source-mapping", id)), _) if is_uuid(id) => Err(user(
            http::StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            format!("Event source mapping not found: {text}"),
        )),
        (Some(("code-signing-config" | "capacity-provider" | "network-connector", _)), _) => {
            Err(ApiError::unsupported("Tags on other resources than functions", "tag the function itself"))
        }
        _ => {
            let mut violations = Violations::default();
            violations.pattern(
                text,
                "resource",
                false,
                r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)",
            );
            Err(FunctionError::Invalid(violations).into())
        }
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::parse_str(text).is_ok()
}
