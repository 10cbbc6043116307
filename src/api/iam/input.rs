//! Inputs that name a role, a user, a policy or a provider, and something more about it.

use super::constraints::{ARN, ROLE_NAME, USER_NAME, VERSION_ID};
use crate::api::{
    ApiError, Raw,
    query::{Fields, Form},
};

/// `RoleName`, and whatever else is read.
pub(super) fn of_role<T>(
    raw: &Raw<'_>,
    more: impl FnOnce(&mut Fields<'_>) -> T,
) -> Result<(String, T), ApiError> {
    let form = Form::read(raw)?;
    let mut fields = Fields::of(&form);
    let name = fields.text("RoleName", &ROLE_NAME);
    let more = more(&mut fields);
    fields.finish()?;
    Ok((name, more))
}

/// `UserName`, and whatever else is read.
pub(super) fn of_user<T>(
    raw: &Raw<'_>,
    more: impl FnOnce(&mut Fields<'_>) -> T,
) -> Result<(String, T), ApiError> {
    let form = Form::read(raw)?;
    let mut fields = Fields::of(&form);
    let name = fields.text("UserName", &USER_NAME);
    let more = more(&mut fields);
    fields.finish()?;
    Ok((name, more))
}

/// `PolicyArn`, and whatever else is read.
pub(super) fn of_policy<T>(
    raw: &Raw<'_>,
    more: impl FnOnce(&mut Fields<'_>) -> T,
) -> Result<(String, T), ApiError> {
    let form = Form::read(raw)?;
    let mut fields = Fields::of(&form);
    let arn = fields.text("PolicyArn", &ARN);
    let more = more(&mut fields);
    fields.finish()?;
    Ok((arn, more))
}

/// `PolicyArn` and `VersionId`, whose number is given. One that is too high for any version stands for none.
pub(super) fn of_policy_version(raw: &Raw<'_>) -> Result<(String, u32), ApiError> {
    let (arn, id) = of_policy(raw, |fields| fields.text("VersionId", &VERSION_ID))?;
    Ok((arn, id.trim_start_matches('v').parse().unwrap_or(0)))
}

/// `OpenIDConnectProviderArn`, and whatever else is read.
pub(super) fn of_provider<T>(
    raw: &Raw<'_>,
    more: impl FnOnce(&mut Fields<'_>) -> T,
) -> Result<(String, T), ApiError> {
    let form = Form::read(raw)?;
    let mut fields = Fields::of(&form);
    let arn = fields.text("OpenIDConnectProviderArn", &ARN);
    let more = more(&mut fields);
    fields.finish()?;
    Ok((arn, more))
}
