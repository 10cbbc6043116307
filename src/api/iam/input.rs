//! Inputs that name a role or a provider, and something more about it.

use super::constraints::{ARN, ROLE_NAME};
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
