//! IAM (query, version 2010-05-08), one file an operation: what boto3 and its like call to make a role with its policies
//! and an OpenID Connect provider.

pub mod add_client_id_to_open_id_connect_provider;
mod constraints;
pub mod create_open_id_connect_provider;
pub mod create_role;
pub mod delete_open_id_connect_provider;
pub mod delete_role;
pub mod delete_role_policy;
pub mod errors;
pub mod get_open_id_connect_provider;
pub mod get_role;
pub mod get_role_policy;
mod input;
pub mod list_attached_role_policies;
pub mod list_instance_profiles_for_role;
pub mod list_open_id_connect_providers;
pub mod list_role_policies;
pub mod list_role_tags;
pub mod list_roles;
pub mod put_role_policy;
pub mod remove_client_id_from_open_id_connect_provider;
mod shapes;
pub mod tag_role;
pub mod untag_role;
pub mod update_assume_role_policy;
pub mod update_open_id_connect_provider_thumbprint;
pub mod update_role;

use super::{
    Access, ApiError, Context, Door, Reply, Resource, Route, Service, Spec,
    operation::operations,
    query::{self, Xml},
};
use crate::iam::{Directory, role};

/// The largest body, in bytes: the longest policy document of the model (131,072 characters), percent-encoded, and some air.
const BODY_BYTES_MAX: usize = 512 * 1024;

operations! {
    directory: Directory => {
        add_client_id_to_open_id_connect_provider::AddClientIdToOpenIdConnectProvider,
        create_open_id_connect_provider::CreateOpenIdConnectProvider,
        create_role::CreateRole,
        delete_open_id_connect_provider::DeleteOpenIdConnectProvider,
        delete_role::DeleteRole,
        delete_role_policy::DeleteRolePolicy,
        get_open_id_connect_provider::GetOpenIdConnectProvider,
        get_role::GetRole,
        get_role_policy::GetRolePolicy,
        list_attached_role_policies::ListAttachedRolePolicies,
        list_instance_profiles_for_role::ListInstanceProfilesForRole,
        list_open_id_connect_providers::ListOpenIdConnectProviders,
        list_role_policies::ListRolePolicies,
        list_role_tags::ListRoleTags,
        list_roles::ListRoles,
        put_role_policy::PutRolePolicy,
        remove_client_id_from_open_id_connect_provider::RemoveClientIdFromOpenIdConnectProvider,
        tag_role::TagRole,
        untag_role::UntagRole,
        update_assume_role_policy::UpdateAssumeRolePolicy,
        update_open_id_connect_provider_thumbprint::UpdateOpenIdConnectProviderThumbprint,
        update_role::UpdateRole,
    }
}

fn spec(name: &'static str, action: &'static str) -> Spec {
    Spec {
        service: Service::Iam,
        name,
        route: Route::Query,
        door: Door::Management,
        access: Access::Permitted { action },
        body_bytes_max: BODY_BYTES_MAX,
    }
}

/// The role of this name in the caller's account. One that is not there is asked about as if it stood at the root.
fn role_resource(directory: &Directory, context: &Context<'_>, name: &str) -> Result<Resource, ApiError> {
    let account = context.account()?;
    Ok(match directory.role(account, name) {
        Some(role) => Resource { tags: Some(role.tags.clone()), ..Resource::named(role.arn.clone()) },
        None => Resource::named(role::arn(account, "/", name)),
    })
}

/// The provider of this ARN.
fn provider_resource(directory: &Directory, arn: &str) -> Resource {
    let tags = directory.oidc_provider_by_arn(arn).map(|provider| provider.tags.clone());
    Resource { tags, ..Resource::named(arn) }
}

/// An answer with a result.
fn reply(name: &str, context: &Context<'_>, result: impl Fn(&mut Xml)) -> Reply {
    query::reply(Service::Iam, name, context, Some(&result))
}

/// The answer of an operation whose model has no result.
fn done(name: &str, context: &Context<'_>) -> Reply {
    query::reply(Service::Iam, name, context, None)
}

#[cfg(test)]
mod tests;
