//! IAM (query, version 2010-05-08), one file an operation: users and their access keys, roles, policies, and OpenID Connect
//! providers.

pub mod add_client_id_to_open_id_connect_provider;
pub mod attach_role_policy;
pub mod attach_user_policy;
mod constraints;
pub mod create_access_key;
pub mod create_open_id_connect_provider;
pub mod create_policy;
pub mod create_policy_version;
pub mod create_role;
pub mod create_user;
pub mod delete_access_key;
pub mod delete_open_id_connect_provider;
pub mod delete_policy;
pub mod delete_policy_version;
pub mod delete_role;
pub mod delete_role_policy;
pub mod delete_user;
pub mod delete_user_policy;
pub mod detach_role_policy;
pub mod detach_user_policy;
pub mod errors;
pub mod get_open_id_connect_provider;
pub mod get_policy;
pub mod get_policy_version;
pub mod get_role;
pub mod get_role_policy;
pub mod get_user;
pub mod get_user_policy;
mod input;
pub mod list_access_keys;
pub mod list_attached_role_policies;
pub mod list_attached_user_policies;
pub mod list_entities_for_policy;
pub mod list_groups_for_user;
pub mod list_instance_profiles_for_role;
pub mod list_open_id_connect_provider_tags;
pub mod list_open_id_connect_providers;
pub mod list_policies;
pub mod list_policy_tags;
pub mod list_policy_versions;
pub mod list_role_policies;
pub mod list_role_tags;
pub mod list_roles;
pub mod list_user_policies;
pub mod list_user_tags;
pub mod list_users;
pub mod put_role_policy;
pub mod put_user_policy;
pub mod remove_client_id_from_open_id_connect_provider;
pub mod set_default_policy_version;
mod shapes;
pub mod simulate_principal_policy;
pub mod tag_open_id_connect_provider;
pub mod tag_policy;
pub mod tag_role;
pub mod tag_user;
pub mod untag_open_id_connect_provider;
pub mod untag_policy;
pub mod untag_role;
pub mod untag_user;
pub mod update_access_key;
pub mod update_assume_role_policy;
pub mod update_open_id_connect_provider_thumbprint;
pub mod update_role;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Access, ApiError, Context, Door, Reply, Resource, Route, Service, Spec,
    operation::operations,
    query::{self, Paging, Xml, validation},
};
use crate::{
    base::Principal,
    iam::{Directory, role, user},
};

/// The largest body, in bytes: the longest policy document of the model (131,072 characters), percent-encoded, and some air.
const BODY_BYTES_MAX: usize = 512 * 1024;

operations! {
    directory: Directory => {
        add_client_id_to_open_id_connect_provider::AddClientIdToOpenIdConnectProvider,
        attach_role_policy::AttachRolePolicy,
        attach_user_policy::AttachUserPolicy,
        create_access_key::CreateAccessKey,
        create_open_id_connect_provider::CreateOpenIdConnectProvider,
        create_policy::CreatePolicy,
        create_policy_version::CreatePolicyVersion,
        create_role::CreateRole,
        create_user::CreateUser,
        delete_access_key::DeleteAccessKey,
        delete_open_id_connect_provider::DeleteOpenIdConnectProvider,
        delete_policy::DeletePolicy,
        delete_policy_version::DeletePolicyVersion,
        delete_role::DeleteRole,
        delete_role_policy::DeleteRolePolicy,
        delete_user::DeleteUser,
        delete_user_policy::DeleteUserPolicy,
        detach_role_policy::DetachRolePolicy,
        detach_user_policy::DetachUserPolicy,
        get_open_id_connect_provider::GetOpenIdConnectProvider,
        get_policy::GetPolicy,
        get_policy_version::GetPolicyVersion,
        get_role::GetRole,
        get_role_policy::GetRolePolicy,
        get_user::GetUser,
        get_user_policy::GetUserPolicy,
        list_access_keys::ListAccessKeys,
        list_attached_role_policies::ListAttachedRolePolicies,
        list_attached_user_policies::ListAttachedUserPolicies,
        list_entities_for_policy::ListEntitiesForPolicy,
        list_groups_for_user::ListGroupsForUser,
        list_instance_profiles_for_role::ListInstanceProfilesForRole,
        list_open_id_connect_provider_tags::ListOpenIdConnectProviderTags,
        list_open_id_connect_providers::ListOpenIdConnectProviders,
        list_policies::ListPolicies,
        list_policy_tags::ListPolicyTags,
        list_policy_versions::ListPolicyVersions,
        list_role_policies::ListRolePolicies,
        list_role_tags::ListRoleTags,
        list_roles::ListRoles,
        list_user_policies::ListUserPolicies,
        list_user_tags::ListUserTags,
        list_users::ListUsers,
        put_role_policy::PutRolePolicy,
        put_user_policy::PutUserPolicy,
        remove_client_id_from_open_id_connect_provider::RemoveClientIdFromOpenIdConnectProvider,
        set_default_policy_version::SetDefaultPolicyVersion,
        simulate_principal_policy::SimulatePrincipalPolicy,
        tag_open_id_connect_provider::TagOpenIdConnectProvider,
        tag_policy::TagPolicy,
        tag_role::TagRole,
        tag_user::TagUser,
        untag_open_id_connect_provider::UntagOpenIdConnectProvider,
        untag_policy::UntagPolicy,
        untag_role::UntagRole,
        untag_user::UntagUser,
        update_access_key::UpdateAccessKey,
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

/// The user of this name in the caller's account, as [`role_resource`].
fn user_resource(directory: &Directory, context: &Context<'_>, name: &str) -> Result<Resource, ApiError> {
    let account = context.account()?;
    Ok(match directory.user(account, name) {
        Some(user) => Resource { tags: Some(user.tags.clone()), ..Resource::named(user.arn.clone()) },
        None => Resource::named(user::user_arn(account, "/", name)),
    })
}

/// The name of the user that is meant: the caller, where none is named; `None` if that is the root.
fn named_user(context: &Context<'_>, name: Option<&str>) -> Result<Option<String>, ApiError> {
    match (name, &context.caller()?.principal) {
        (Some(name), _) => Ok(Some(name.to_owned())),
        (None, Principal::User { name, .. }) => Ok(Some(name.to_string())),
        (None, Principal::Root) => Ok(None),
        (None, Principal::AssumedRole { .. }) => {
            Err(validation("Must specify userName when calling with non-User credentials"))
        }
    }
}

/// The user whose access keys are meant. The root's own is set by the operator alone.
fn key_owner(context: &Context<'_>, name: Option<&str>) -> Result<String, ApiError> {
    named_user(context, name)?.ok_or_else(|| {
        validation("The root's access key is set where the gateway is started: name a user with UserName.")
    })
}

/// The policy of this ARN.
fn policy_resource(directory: &Directory, arn: &str) -> Resource {
    let tags = directory.policy_by_arn(arn).map(|policy| policy.tags.clone());
    Resource { tags, ..Resource::named(arn) }
}

/// A role or user to which a policy is attached or from which it is detached: `iam:PolicyARN`.
fn policy_key(mut resource: Resource, policy_arn: &str) -> Resource {
    resource.keys.push(("iam:policyarn", policy_arn.to_owned()));
    resource
}

/// What is made with tags needs the permission to tag as well: whoever may make a thing may not for that reason choose its
/// tags, which conditions rest on.
fn tagged(made: Resource, tags: &BTreeMap<String, String>, tagging: &'static str) -> Vec<Resource> {
    if tags.is_empty() {
        return vec![made];
    }
    let made = Resource { request_tags: Some(tags.clone()), ..made };
    vec![made.clone(), Resource { action: Some(tagging), ..made }]
}

/// The answer with the policies attached to a role or user.
fn attached(
    name: &str,
    context: &Context<'_>,
    directory: &Directory,
    attached: &BTreeSet<String>,
    prefix: &str,
    paging: &Paging,
) -> Result<Reply, ApiError> {
    let policies = directory.policies(context.account()?);
    let held = attached.iter().filter_map(|name| policies.get(name));
    let page =
        paging.cut(held.filter(|policy| policy.record.path.starts_with(prefix)), |policy| policy.name())?;
    Ok(reply(name, context, |xml| {
        xml.list("AttachedPolicies", &page.items, |xml, policy| {
            xml.text("PolicyName", policy.name());
            xml.text("PolicyArn", &policy.arn);
        });
        page.write(xml);
    }))
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
