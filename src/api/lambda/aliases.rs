//! What the operations on aliases share.

use serde::Serialize;

use super::{body::Body, naming};
use crate::{
    api::{ApiError, Context, Raw, Resource},
    functions::{
        AliasChange, FunctionRef, Functions, Named,
        name::{Form, LATEST, is_alias},
        validation::Violations,
    },
    store::functions::AliasRecord,
};

/// What to do instead of weights.
pub(super) const INSTEAD_OF_WEIGHTS: &str = "point the alias at one version";

/// An alias, as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Answer<'a> {
    alias_arn: String,
    /// Its name.
    pub(super) name: &'a str,
    /// The version it means.
    pub(super) function_version: String,
    description: &'a str,
    revision_id: &'a str,
}

impl<'a> Answer<'a> {
    /// The alias of a function.
    pub(super) fn of(function: &FunctionRef, name: &'a str, alias: &'a AliasRecord) -> Self {
        Self {
            alias_arn: format!("{}:{name}", function.function_arn()),
            name,
            function_version: match alias.version {
                0 => LATEST.to_owned(),
                number => number.to_string(),
            },
            description: &alias.description,
            revision_id: &alias.revision,
        }
    }
}

/// The function and the alias that a path names.
pub(super) fn named(raw: &Raw<'_>) -> Result<(Named, String), ApiError> {
    let name = raw.path("Name").to_owned();
    let mut violations = Violations::default();
    check_name(&name, &mut violations);
    Named::check(raw.path("FunctionName"), None, Form::Plain, &mut violations);
    violations.into_result()?;
    let named = naming::read(raw, Form::Plain)?;
    naming::check_unqualified(&named)?;
    Ok((named, name))
}

/// What policy is asked about: the function, as AWS has it for operations on aliases.
pub(super) fn resources(
    named: &Named,
    _name: &str,
    functions: &Functions,
    context: &Context<'_>,
) -> Result<Vec<Resource>, ApiError> {
    Ok(vec![naming::resource(named, functions, context)?])
}

/// Reads what a body sets of an alias. An empty `RoutingConfig` says nothing.
pub(super) fn read(
    body: &Body<'_>,
    required: bool,
    violations: &mut Violations,
) -> Result<AliasChange, ApiError> {
    let change = AliasChange {
        version: body.text("FunctionVersion")?,
        description: body.text("Description")?,
        revision: None,
    };
    match &change.version {
        Some(version) => check_version(version, violations),
        None if required => violations.missing("functionVersion"),
        None => {}
    }
    if let Some(description) = &change.description {
        violations.length(description, "description", 0, 256);
    }
    Ok(change)
}

/// Checks the name of an alias.
pub(super) fn check_name(name: &str, violations: &mut Violations) {
    violations.length(name, "name", 1, 128);
    violations.pattern(name, "name", is_alias(name), "(?!^[0-9]+$)([a-zA-Z0-9-_]+)");
}

/// Checks the version that an alias is to mean.
pub(super) fn check_version(version: &str, violations: &mut Violations) {
    let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    violations.length(version, "functionVersion", 1, 1_024);
    violations.pattern(
        version,
        "functionVersion",
        digits || version == LATEST,
        r"(\$LATEST(\.PUBLISHED)?|[0-9]+)",
    );
}
