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
    Access, Door, Resource, Route, Service, Spec,
    operation::{Context, operations},
};
use crate::{
    api::ApiError,
    identity::{Identities, Pools},
};

/// The largest body: ten logins of the longest tokens that are looked at, and some air.
const BODY_BYTES_MAX: usize = 128 * 1024;

operations! {
    pools: Pools => {
        create_identity_pool::CreateIdentityPool,
        delete_identity_pool::DeleteIdentityPool,
        describe_identity_pool::DescribeIdentityPool,
        get_identity_pool_roles::GetIdentityPoolRoles,
        list_identity_pools::ListIdentityPools,
        set_identity_pool_roles::SetIdentityPoolRoles,
    }
    identities: Identities => {
        get_credentials_for_identity::GetCredentialsForIdentity,
        get_id::GetId,
        get_open_id_token::GetOpenIdToken,
    }
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
