//! Cognito Identity (JSON 1.1, target `AWSCognitoIdentityService`), one file an operation.
//!
//! Pools are management; GetId, GetCredentialsForIdentity and GetOpenIdToken are public, as with AWS: an identity's id and
//! the tokens of its logins are all the proof there is.

pub mod create_identity_pool;
pub mod delete_identity_pool;
pub mod describe_identity_pool;
pub mod errors;
pub mod get_credentials_for_identity;
pub mod get_id;
pub mod get_identity_pool_roles;
pub mod get_open_id_token;
mod input;
pub mod list_identity_pools;
pub mod set_identity_pool_roles;
mod shapes;

use std::sync::Arc;

use http::StatusCode;

use super::{
    Access, Door, Perform, Resource, Route, Service, Spec,
    operation::{Bound, Context},
    support::Support,
};
use crate::{
    api::ApiError,
    identity::{Identities, Pools},
};

/// The largest body: ten logins of the longest tokens that are looked at, and some air.
const BODY_BYTES_MAX: usize = 128 * 1024;

/// An operation's name and its members, as they are supported.
pub type Members = (&'static str, &'static [(&'static str, Support)]);

/// Every operation, for the generated table.
pub const OPERATIONS: &[Members] = &[
    (create_identity_pool::NAME, create_identity_pool::MEMBERS),
    (delete_identity_pool::NAME, delete_identity_pool::MEMBERS),
    (describe_identity_pool::NAME, describe_identity_pool::MEMBERS),
    (get_credentials_for_identity::NAME, get_credentials_for_identity::MEMBERS),
    (get_id::NAME, get_id::MEMBERS),
    (get_identity_pool_roles::NAME, get_identity_pool_roles::MEMBERS),
    (get_open_id_token::NAME, get_open_id_token::MEMBERS),
    (list_identity_pools::NAME, list_identity_pools::MEMBERS),
    (set_identity_pool_roles::NAME, set_identity_pool_roles::MEMBERS),
];

/// Every operation, bound to its state.
pub fn operations(pools: &Arc<Pools>, identities: &Arc<Identities>) -> Vec<Arc<dyn Perform>> {
    vec![
        Bound::<create_identity_pool::CreateIdentityPool>::bind(pools.clone()),
        Bound::<delete_identity_pool::DeleteIdentityPool>::bind(pools.clone()),
        Bound::<describe_identity_pool::DescribeIdentityPool>::bind(pools.clone()),
        Bound::<get_credentials_for_identity::GetCredentialsForIdentity>::bind(identities.clone()),
        Bound::<get_id::GetId>::bind(identities.clone()),
        Bound::<get_identity_pool_roles::GetIdentityPoolRoles>::bind(pools.clone()),
        Bound::<get_open_id_token::GetOpenIdToken>::bind(identities.clone()),
        Bound::<list_identity_pools::ListIdentityPools>::bind(pools.clone()),
        Bound::<set_identity_pool_roles::SetIdentityPoolRoles>::bind(pools.clone()),
    ]
}

/// An operation that a developer signs.
fn management(name: &'static str, action: &'static str) -> Spec {
    spec(name, Door::Management, Access::Permitted { action })
}

/// An operation that anybody may call.
fn public(name: &'static str) -> Spec {
    spec(name, Door::Data, Access::Public)
}

fn spec(name: &'static str, door: Door, access: Access) -> Spec {
    Spec {
        service: Service::CognitoIdentity,
        name,
        route: Route::Json,
        door,
        access,
        body_bytes_max: BODY_BYTES_MAX,
    }
}

/// The pool as the caller named it: of the caller's own account, with its tags if it exists there.
fn pool_resource(pools: &Pools, context: &Context<'_>, id: &str) -> Result<Resource, ApiError> {
    let account = context.account()?;
    let tags = pools.get(account, id).ok().map(|pool| Arc::new(pool.settings.tags.clone()));
    let arn = format!("arn:aws:cognito-identity:{}:{account}:identitypool/{id}", context.region);
    Ok(Resource { tags, ..Resource::named(arn) })
}

fn reply(value: &serde_json::Value) -> Result<super::Reply, ApiError> {
    super::Reply::json(StatusCode::OK, value)
}

#[cfg(test)]
mod tests;
