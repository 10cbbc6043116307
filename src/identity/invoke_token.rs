//! Invoke tokens (**ours**): what an app that cannot sign shows to call functions, where its pool allows it.

use super::{Identities, IdentityError, Logins, Result, credentials::SESSION_NAME, roles::role_of};
use crate::{
    authn::invoke_tokens::LIFETIME,
    base::{SessionClaims, SessionRole, Timestamp},
    store::identity::PoolRecord,
};

/// The tag of a pool that allows them.
pub const TAG: (&str, &str) = ("callgate:bearer", "allow");

/// A token and whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvokeToken {
    /// The identity.
    pub identity_id: String,
    /// The token; it prints, so it is not to be logged.
    pub token: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// Whether a pool's identities may call by bearer tokens.
pub fn allows_bearer(pool: &PoolRecord) -> bool {
    pool.settings.tags.get(TAG.0).is_some_and(|value| value == TAG.1)
}

impl Identities {
    /// A token by which the identity calls functions as the role that its pool gives it now.
    pub async fn invoke_token(
        &self,
        issuer: &str,
        identity_id: &str,
        logins: &Logins,
    ) -> Result<InvokeToken> {
        // Before anything is checked: what is revoked after this moment takes this token along.
        let issued = self.parts.clock.now();
        let resolved = self.resolve(identity_id, logins).await?;
        if !allows_bearer(&resolved.pool) {
            return Err(IdentityError::BearerOff);
        }
        let caller = resolved.caller();
        let role = role_of(&resolved, &caller, None, self.parts.roles.as_ref())?;
        let role = SessionRole { account: role.account, name: &role.name, id: &role.id };
        let expires = issued.plus(LIFETIME);
        let claims = SessionClaims::of_identity(role, SESSION_NAME, caller, issued, expires);
        let token = self.parts.invoke_tokens.make(issuer, &claims)?;
        Ok(InvokeToken { identity_id: resolved.id, token, expires })
    }
}
