//! Role mappings: which role a login's token chooses (Cognito developer guide, "Using role-based access control").

use serde_json::{Map, Value};

use super::{IdentityError, Resolved, Result, tags::by_provider};
use crate::store::identity::{Ambiguous, Chosen, MappingRule, MatchType, RoleMapping};

/// The ARN of the role that the logins choose, or that the request names out of those that they could choose; `None` if the
/// pool's own role is to be given.
pub(super) fn chosen(resolved: &Resolved, custom: Option<&str>) -> Result<Option<String>> {
    let mappings = &resolved.pool.roles.mappings;
    let found = resolved
        .logins
        .iter()
        .find_map(|login| Some((by_provider(&resolved.pool, mappings, login)?, &login.claims)));
    let own = match resolved.logins.is_empty() {
        true => &resolved.pool.roles.unauthenticated,
        false => &resolved.pool.roles.authenticated,
    };
    match (found, custom) {
        (Some((mapping, claims)), None) => by_mapping(mapping, claims),
        (Some((mapping, claims)), Some(custom)) => {
            let could = offered(mapping, claims);
            if could.iter().any(|role| role == custom) {
                Ok(Some(custom.to_owned()))
            } else {
                Err(IdentityError::CustomRole)
            }
        }
        (None, Some(custom)) if own.as_deref() != Some(custom) => Err(IdentityError::CustomRole),
        (None, _) => Ok(None),
    }
}

/// Every role that a token may choose from.
fn offered(mapping: &RoleMapping, claims: &Map<String, Value>) -> Vec<String> {
    match &mapping.chosen {
        Chosen::ByToken => roles_claim(claims).into_iter().chain(preferred(claims)).collect(),
        Chosen::ByRules(rules) => {
            rules.iter().filter(|rule| matches(rule, claims)).map(|rule| rule.role.clone()).collect()
        }
    }
}

fn by_mapping(mapping: &RoleMapping, claims: &Map<String, Value>) -> Result<Option<String>> {
    let role = match &mapping.chosen {
        Chosen::ByToken => preferred(claims).or_else(|| match roles_claim(claims).as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }),
        Chosen::ByRules(rules) => {
            rules.iter().find(|rule| matches(rule, claims)).map(|rule| rule.role.clone())
        }
    };
    match (role, mapping.ambiguous) {
        (Some(role), _) => Ok(Some(role)),
        (None, Ambiguous::AuthenticatedRole) => Ok(None),
        (None, Ambiguous::Deny) => Err(IdentityError::AmbiguousRole),
    }
}

fn preferred(claims: &Map<String, Value>) -> Option<String> {
    Some(claims.get("cognito:preferred_role")?.as_str()?.to_owned())
}

fn roles_claim(claims: &Map<String, Value>) -> Vec<String> {
    let roles = claims.get("cognito:roles").and_then(Value::as_array);
    roles.into_iter().flatten().filter_map(|role| Some(role.as_str()?.to_owned())).collect()
}

/// Whether a rule is for a token with these claims. A claim that is not there matches no rule. Of a list, any element may match,
/// and for `NotEqual` all must differ.
fn matches(rule: &MappingRule, claims: &Map<String, Value>) -> bool {
    let Some(claim) = claims.get(&rule.claim) else { return false };
    let values: Vec<String> = match claim {
        Value::Array(list) => list.iter().filter_map(text).collect(),
        other => text(other).into_iter().collect(),
    };
    if values.is_empty() {
        return false;
    }
    let wanted = rule.value.as_str();
    match rule.matches {
        MatchType::Equals => values.iter().any(|value| value == wanted),
        MatchType::Contains => values.iter().any(|value| value.contains(wanted)),
        MatchType::StartsWith => values.iter().any(|value| value.starts_with(wanted)),
        MatchType::NotEqual => values.iter().all(|value| value != wanted),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(matches: MatchType, value: &str) -> MappingRule {
        let (claim, value) = ("c".to_owned(), value.to_owned());
        MappingRule { claim, matches, value, role: format!("{matches:?}") }
    }

    #[test]
    fn rules_compare_as_their_names_say() {
        use MatchType::{Contains, Equals, NotEqual, StartsWith};
        let rows = [
            (json!("paid"), "paid", vec![Equals, Contains, StartsWith]),
            (json!("paid-up"), "paid", vec![Contains, StartsWith, NotEqual]),
            (json!("unpaid"), "paid", vec![Contains, NotEqual]),
            (json!("free"), "paid", vec![NotEqual]),
            (json!(true), "true", vec![Equals, Contains, StartsWith]),
            (json!(12), "1", vec![Contains, StartsWith, NotEqual]),
            (json!(["free", "paid"]), "paid", vec![Equals, Contains, StartsWith]),
            (json!(["free"]), "paid", vec![NotEqual]),
            (json!([]), "paid", vec![]),
            (json!(null), "paid", vec![]),
            (json!({"paid": 1}), "paid", vec![]),
        ];
        for (claim, value, expected) in rows {
            let claims = Map::from_iter([("c".to_owned(), claim.clone())]);
            let all = [Equals, Contains, StartsWith, NotEqual];
            let matching: Vec<_> =
                all.into_iter().filter(|kind| matches(&rule(*kind, value), &claims)).collect();
            assert_eq!(matching, expected, "{claim} {value}");
        }
        assert!(!matches(&rule(NotEqual, "paid"), &Map::new()), "a claim that is not there");
    }

    #[test]
    fn the_token_says_which_role_it_prefers_or_has_only_one() {
        let by_token = |ambiguous: Ambiguous| RoleMapping { chosen: Chosen::ByToken, ambiguous };
        let chosen = |claims: Value, ambiguous: Ambiguous| match by_mapping(
            &by_token(ambiguous),
            claims.as_object().unwrap(),
        ) {
            Ok(role) => role.unwrap_or_else(|| "the pool's".to_owned()),
            Err(error) => format!("{error:?}"),
        };
        let rows = [
            (json!({"cognito:preferred_role": "a", "cognito:roles": ["a", "b"]}), "a", "a"),
            (json!({"cognito:roles": ["b"]}), "b", "b"),
            (json!({"cognito:roles": ["a", "b"]}), "the pool's", "AmbiguousRole"),
            (json!({"cognito:roles": "a"}), "the pool's", "AmbiguousRole"),
            (json!({}), "the pool's", "AmbiguousRole"),
        ];
        for (claims, lenient, strict) in rows {
            assert_eq!(chosen(claims.clone(), Ambiguous::AuthenticatedRole), lenient, "{claims}");
            assert_eq!(chosen(claims.clone(), Ambiguous::Deny), strict, "{claims}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_gives_the_role_and_a_request_may_choose_another() {
        let rules = vec![rule(MatchType::StartsWith, "pa"), rule(MatchType::Equals, "paid")];
        let mapping = RoleMapping { chosen: Chosen::ByRules(rules), ambiguous: Ambiguous::Deny };
        let claims = |value: &str| Map::from_iter([("c".to_owned(), json!(value))]);
        assert_eq!(by_mapping(&mapping, &claims("paid")).unwrap().as_deref(), Some("StartsWith"));
        assert_eq!(offered(&mapping, &claims("paid")), ["StartsWith", "Equals"]);
        assert_eq!(offered(&mapping, &claims("park")), ["StartsWith"]);
        assert!(matches!(by_mapping(&mapping, &claims("free")), Err(IdentityError::AmbiguousRole)));
    }
}
