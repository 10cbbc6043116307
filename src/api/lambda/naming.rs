//! From the name in a request to the function and to what policy is asked about.

use crate::{
    api::{ApiError, Context, Raw, Resource},
    functions::{FunctionError, FunctionRef, Functions, Named, name::Form, validation::Violations},
};

/// `FunctionName` of the path and `Qualifier` of the query.
pub(super) fn read(raw: &Raw<'_>, form: Form) -> Result<Named, ApiError> {
    Ok(Named::read(raw.path("FunctionName"), raw.query("Qualifier"), form)?)
}

/// The function that a caller means.
pub(super) fn locate(named: &Named, context: &Context<'_>) -> Result<FunctionRef, ApiError> {
    Ok(named.within(context.account()?, context.region)?)
}

/// What policy is asked about: the ARN as it was named, with the tags of the function if there is one.
pub(super) fn resource(
    named: &Named,
    functions: &Functions,
    context: &Context<'_>,
) -> Result<Resource, ApiError> {
    let reference = locate(named, context)?;
    let function = functions.find(reference.account, &reference.name);
    let policy =
        function.as_ref().and_then(|function| function.policy_of(reference.qualifier.as_deref())).cloned();
    let tags = function.map(|function| function.tags.clone());
    Ok(Resource { tags, policy, ..Resource::named(reference.arn()) })
}

/// What policy is asked about where a role is handed to a function.
pub(super) fn pass_role(role_arn: &str) -> Resource {
    Resource {
        action: Some("iam:PassRole"),
        keys: vec![("iam:passedtoservice", "lambda.amazonaws.com".to_owned())],
        ..Resource::named(role_arn)
    }
}

/// Refuses a version or alias where only a function itself can be changed.
pub(super) fn check_unqualified(named: &Named) -> Result<(), ApiError> {
    match &named.qualifier {
        Some(qualifier) if qualifier != crate::functions::name::LATEST => {
            Err(FunctionError::Parameter(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. \
                 Please specify either a function name or an unqualified function ARN."
                    .to_owned(),
            )
            .into())
        }
        _ => Ok(()),
    }
}

/// The function, version or alias that `ResourceArn` of a path names in full.
pub(super) fn resource_arn(raw: &Raw<'_>) -> Result<Named, ApiError> {
    let text = raw.path("ResourceArn");
    let named = Named::read(text, None, Form::Plain).ok();
    let full = |named: &Named| text.starts_with("arn:") && named.region.is_some() && named.account.is_some();
    if let Some(named) = named.filter(full) {
        return Ok(named);
    }
    let mut violations = Violations::default();
    violations.pattern(
        text,
        "resourceArn",
        false,
        r"arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_])+)?|runtime/[a-zA-Z0-9-_./]+)",
    );
    Err(violations.into())
}
