//! The gateway's own operations (**ours**): JSON under `/callgate/v1`, signed for service `callgate` and authorised by actions
//! `callgate:<Operation>`; and what apps that cannot sign may ask under `/callgate/public`.

pub mod create_invoke_token;
pub mod delete_limit;
pub mod explain_policy;
mod input;
pub mod limit_input;
pub mod list_limits;
pub mod list_revocations;
pub mod put_limit;
pub mod restore_identity;
pub mod revoke_sessions;

use std::sync::Arc;

use http::Method;

use super::{Access, ApiError, Context, Door, Resource, Route, Service, Spec, operation::operations};
use crate::{
    base::AccountId,
    iam::Directory,
    identity::{Identities, Pools},
    limits::Limits,
    revocation::{RevocationError, Revocations, Scope},
    store::identity::IdentityStore,
};

/// Requests name one thing and little more; a public one has at most ten logins.
const BODY_BYTES_MAX: usize = 128 * 1024;

operations! {
    operator: Operator => {
        delete_limit::DeleteLimit,
        explain_policy::ExplainPolicy,
        list_limits::ListLimits,
        list_revocations::ListRevocations,
        put_limit::PutLimit,
        restore_identity::RestoreIdentity,
        revoke_sessions::RevokeSessions,
    }
    identities: Identities => {
        create_invoke_token::CreateInvokeToken,
    }
}

/// What the operator's operations work on.
pub struct Operator {
    /// What is revoked.
    pub revocations: Arc<Revocations>,
    /// The pools.
    pub pools: Arc<Pools>,
    /// The identities.
    pub identities: Arc<dyn IdentityStore>,
    /// Access keys.
    pub directory: Arc<Directory>,
    /// Limits.
    pub limits: Arc<Limits>,
    /// What is decided, and what was.
    pub explanations: Arc<dyn explain_policy::Explanations>,
}

impl Operator {
    /// Refuses a scope that is not the account's. Roles and users need not exist: sessions of deleted ones run on.
    pub async fn check_owned(&self, account: AccountId, scope: &Scope) -> Result<(), ApiError> {
        match scope {
            Scope::Pool { pool_id } | Scope::Provider { pool_id, .. } | Scope::GuestIds { pool_id } => {
                self.pools.get(account, pool_id)?;
            }
            Scope::Identity { identity_id } => {
                let identity = self.identities.identity(identity_id).await?;
                let pool = identity.and_then(|identity| self.pools.find(&identity.pool_id));
                if pool.is_none_or(|pool| pool.account != account) {
                    return Err(not_found(format!("Identity '{identity_id}' not found.")));
                }
            }
            Scope::AccessKey { id } => {
                use crate::authn::KeyStore;
                // Of a session's key, or of one that was deleted, only its holder knows the id.
                if self.directory.access_key(id).is_some_and(|key| key.caller.account != account) {
                    return Err(not_found(format!("The access key {id} was not found.")));
                }
            }
            Scope::Role { account: owner, .. } | Scope::User { account: owner, .. } => {
                debug_assert_eq!(*owner, account);
            }
        }
        Ok(())
    }
}

fn not_found(message: String) -> ApiError {
    ApiError::new(http::StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
}

fn management(name: &'static str, method: Method, path: &'static str, action: &'static str) -> Spec {
    Spec {
        service: Service::Callgate,
        name,
        route: Route::Rest { method, path },
        door: Door::Management,
        access: Access::Permitted { action },
        body_bytes_max: BODY_BYTES_MAX,
    }
}

/// What the operations on revocations are permitted on: all of an account's sessions.
fn sessions(context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
    let account = context.account()?;
    Ok(vec![Resource::named(format!("arn:aws:callgate:{}:{account}:sessions", context.region))])
}

impl From<RevocationError> for ApiError {
    fn from(error: RevocationError) -> Self {
        match &error {
            RevocationError::Full => Self::bad_request("LimitExceededException", error.to_string()),
            RevocationError::IdentityNotFound(_) => not_found(error.to_string()),
            RevocationError::Store(_) => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests;
