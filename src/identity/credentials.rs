//! Session credentials for an identity: Cognito's enhanced flow.

use std::time::Duration;

use super::{Identities, Logins, Result, roles::role_of};
use crate::{
    authn::sessions::Credentials,
    base::{SessionClaims, SessionRole},
};

/// How long credentials of the enhanced flow last.
pub const LIFETIME: Duration = Duration::from_secs(3600);
/// What Cognito calls the sessions of the enhanced flow.
pub(super) const SESSION_NAME: &str = "CognitoIdentityCredentials";

/// Credentials and whose they are.
#[derive(Clone, Debug)]
pub struct IdentityCredentials {
    /// The identity.
    pub identity_id: String,
    /// Its credentials.
    pub credentials: Credentials,
}

impl Identities {
    /// Credentials of the role that the identity's pool gives it, or of the one that is asked for out of several.
    pub async fn credentials(
        &self,
        identity_id: &str,
        logins: &Logins,
        custom_role: Option<&str>,
    ) -> Result<IdentityCredentials> {
        // Before anything is checked: what is revoked after this moment takes this session along.
        let issued = self.parts.clock.now();
        let resolved = self.resolve(identity_id, logins).await?;
        let caller = resolved.caller();
        let role = role_of(&resolved, &caller, custom_role, self.parts.roles.as_ref())?;
        let expires = issued.plus(LIFETIME.min(role.session_max));
        let role = SessionRole { account: role.account, name: &role.name, id: &role.id };
        let claims = SessionClaims::of_identity(role, SESSION_NAME, caller, issued, expires);
        let credentials = self.parts.sessions.mint(&claims)?;
        Ok(IdentityCredentials { identity_id: resolved.id, credentials })
    }
}
