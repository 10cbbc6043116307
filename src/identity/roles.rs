//! The role that an identity gets.

use std::time::Duration;

use super::{IdentityError, Resolved, Result, SERVICE};
use crate::base::{AccountId, CallerIdentity};

/// Who wants to assume a role, as its trust policy sees it.
#[derive(Clone, Debug)]
pub struct WebIdentity<'a> {
    /// The federated principal: [`SERVICE`] for identity pools.
    pub provider: &'a str,
    /// `<provider>:aud`: the pool's id.
    pub audience: &'a str,
    /// `<provider>:sub`: the identity's id.
    pub subject: &'a str,
    /// `<provider>:amr`.
    pub amr: &'a [String],
}

/// A role that trusts the identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssumedRole {
    /// Whose it is.
    pub account: AccountId,
    /// Its name, without its path.
    pub name: String,
    /// `AROA…`
    pub id: String,
    /// The longest session it allows.
    pub session_max: Duration,
}

/// Why a role is not assumed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RoleRefused {
    /// There is no such role.
    #[error("there is no such role")]
    Unknown,
    /// Its trust policy does not allow `sts:AssumeRoleWithWebIdentity` to this identity.
    #[error("the role's trust policy does not allow it")]
    NotTrusted,
}

/// Where roles are known, and what they trust is decided. It reads memory alone.
pub trait RoleSource: Send + Sync {
    /// Assumes the role with this ARN for this identity.
    fn assume(
        &self,
        role_arn: &str,
        identity: &WebIdentity<'_>,
    ) -> std::result::Result<AssumedRole, RoleRefused>;
}

/// The role that the pool gives this identity.
pub(super) fn role_of(
    resolved: &Resolved,
    caller: &CallerIdentity,
    roles: &dyn RoleSource,
) -> Result<AssumedRole> {
    let named = &resolved.pool.roles;
    let arn = if caller.signed_in() { &named.authenticated } else { &named.unauthenticated };
    let arn = arn.as_deref().ok_or(IdentityError::Configuration)?;
    let identity = WebIdentity {
        provider: SERVICE,
        audience: &caller.pool_id,
        subject: &caller.identity_id,
        amr: &caller.amr,
    };
    match roles.assume(arn, &identity) {
        // A role elsewhere would let a pool's owner borrow another account's permissions.
        Ok(role) if role.account == resolved.pool.account => Ok(role),
        Ok(_) => Err(IdentityError::Configuration),
        Err(refused) => {
            tracing::info!(pool = caller.pool_id, role = arn, %refused, "the pool's role was not assumed");
            Err(IdentityError::Configuration)
        }
    }
}
