//! `RoleMappings`, as SetIdentityPoolRoles takes them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{errors::invalid, input};
use crate::{
    api::ApiError,
    store::identity::{Ambiguous, Chosen, MappingRule, MatchType, RoleMapping},
};

/// How many providers may have a mapping.
const MAPPINGS_MAX: usize = 10;
/// How many rules a mapping may have.
const RULES_MAX: usize = 400;

/// `RoleMapping`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    r#type: Option<String>,
    ambiguous_role_resolution: Option<String>,
    rules_configuration: Option<RulesInput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RulesInput {
    rules: Option<Vec<RuleInput>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleInput {
    claim: Option<String>,
    match_type: Option<String>,
    value: Option<String>,
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
}

/// Reads and checks all of them.
pub(super) fn read(inputs: BTreeMap<String, Input>) -> Result<BTreeMap<String, RoleMapping>, ApiError> {
    if inputs.len() > MAPPINGS_MAX {
        return Err(invalid(format!("A pool can have at most {MAPPINGS_MAX} role mappings.")));
    }
    inputs
        .into_iter()
        .map(|(provider, input)| {
            let provider = input::text(provider, "roleMappings", 128, "", |_| true)?;
            let mapping = mapping(&provider, input)?;
            Ok((provider, mapping))
        })
        .collect()
}

fn mapping(provider: &str, input: Input) -> Result<RoleMapping, ApiError> {
    let at = |member: &str| format!("roleMappings.{provider}.member.{member}");
    let ambiguous = match input.ambiguous_role_resolution.as_deref() {
        Some("AuthenticatedRole") => Ambiguous::AuthenticatedRole,
        Some("Deny") => Ambiguous::Deny,
        Some(other) => {
            return Err(one_of(other, &at("ambiguousRoleResolution"), "[AuthenticatedRole, Deny]"));
        }
        None => {
            return Err(invalid(format!(
                "AmbiguousRoleResolution is required in the role mapping of {provider}."
            )));
        }
    };
    let rules = input.rules_configuration.and_then(|configuration| configuration.rules);
    let chosen = match (input::required(input.r#type, &at("type"))?.as_str(), rules) {
        ("Token", None) => Chosen::ByToken,
        ("Token", Some(_)) => {
            return Err(invalid(format!(
                "RulesConfiguration is for role mappings of type Rules; that of {provider} is of type Token."
            )));
        }
        ("Rules", None) => {
            return Err(invalid(format!(
                "RulesConfiguration is required in the role mapping of {provider}, whose type is Rules."
            )));
        }
        ("Rules", Some(rules)) if (1..=RULES_MAX).contains(&rules.len()) => {
            Chosen::ByRules(rules.into_iter().map(rule).collect::<Result<_, _>>()?)
        }
        ("Rules", Some(_)) => {
            return Err(invalid(format!(
                "The role mapping of {provider} must have at least 1 and at most {RULES_MAX} rules."
            )));
        }
        (other, _) => return Err(one_of(other, &at("type"), "[Token, Rules]")),
    };
    Ok(RoleMapping { chosen, ambiguous })
}

fn rule(input: RuleInput) -> Result<MappingRule, ApiError> {
    let matches = match input::required(input.match_type, "rules.matchType")?.as_str() {
        "Equals" => MatchType::Equals,
        "Contains" => MatchType::Contains,
        "StartsWith" => MatchType::StartsWith,
        "NotEqual" => MatchType::NotEqual,
        other => return Err(one_of(other, "rules.matchType", "[Equals, Contains, StartsWith, NotEqual]")),
    };
    let is_visible = |c: char| !c.is_whitespace() && !c.is_control();
    let pattern = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+";
    Ok(MappingRule {
        claim: input::text(
            input::required(input.claim, "rules.claim")?,
            "rules.claim",
            64,
            pattern,
            is_visible,
        )?,
        matches,
        value: input::text(input::required(input.value, "rules.value")?, "rules.value", 128, "", |_| true)?,
        role: input::role_arn(input::required(input.role_arn, "rules.roleARN")?, "rules.roleARN")?,
    })
}

fn one_of(value: &str, member: &str, words: &str) -> ApiError {
    input::violated(value, member, &format!("satisfy enum value set: {words}"))
}
