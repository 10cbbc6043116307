//! Cognito Identity (JSON 1.1, target `AWSCognitoIdentityService`), one file an operation.
//!
//! Pools are management; GetId, GetCredentialsForIdentity, GetOpenIdToken and UnlinkIdentity are public, as with AWS: an
//! identity's id and the tokens of its logins are all the proof there is. What a developer's own back end signs for its users
//! is on the data plane too.

pub mod create_identity_pool;
pub mod delete_identities;
pub mod delete_identity_pool;
pub mod describe_identity;
pub mod describe_identity_pool;
pub mod errors;
pub mod get_credentials_for_identity;
pub mod get_id;
pub mod get_identity_pool_roles;
pub mod get_open_id_token;
pub mod get_open_id_token_for_developer_identity;
pub mod get_principal_tag_attribute_map;
mod input;
pub mod list_identities;
pub mod list_identity_pools;
pub mod list_tags_for_resource;
pub mod lookup_developer_identity;
pub mod merge_developer_identities;
mod principal_tags;
mod role_mapping;
pub mod set_identity_pool_roles;
pub mod set_principal_tag_attribute_map;
mod settings;
mod shapes;
pub mod tag_resource;
pub mod unlink_developer_identity;
pub mod unlink_identity;
pub mod untag_resource;
pub mod update_identity_pool;

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
        get_principal_tag_attribute_map::GetPrincipalTagAttributeMap,
        list_identity_pools::ListIdentityPools,
        list_tags_for_resource::ListTagsForResource,
        set_identity_pool_roles::SetIdentityPoolRoles,
        set_principal_tag_attribute_map::SetPrincipalTagAttributeMap,
        tag_resource::TagResource,
        untag_resource::UntagResource,
        update_identity_pool::UpdateIdentityPool,
    }
    identities: Identities => {
        delete_identities::DeleteIdentities,
        describe_identity::DescribeIdentity,
        get_credentials_for_identity::GetCredentialsForIdentity,
        get_id::GetId,
        get_open_id_token::GetOpenIdToken,
        get_open_id_token_for_developer_identity::GetOpenIdTokenForDeveloperIdentity,
        list_identities::ListIdentities,
        lookup_developer_identity::LookupDeveloperIdentity,
        merge_developer_identities::MergeDeveloperIdentities,
        unlink_developer_identity::UnlinkDeveloperIdentity,
        unlink_identity::UnlinkIdentity,
    }
}

/// An operation that a developer signs.
fn management(name: &'static str, action: &'static str) -> Spec {
    spec(name, Door::Management, Access::Permitted { action })
}

/// An operation that a developer's own back end signs for its users.
fn signed(name: &'static str, action: &'static str) -> Spec {
    spec(name, Door::Data, Access::Permitted { action })
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
