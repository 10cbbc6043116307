//! The Lambda API, version 2015-03-31: one file an operation.
//!
//! All but one of them work on [`Functions`] alone; [`operations`] binds them for the route table. [`invoke`] is not among them: its steps
//! are the pipeline's own.

pub mod add_permission;
mod aliases;
mod body;
pub mod cancel_invocation;
pub mod client_context;
pub mod concurrency;
pub mod create_alias;
pub mod create_function;
pub mod delete_alias;
pub mod delete_function;
pub mod delete_function_concurrency;
pub mod delete_resource_policy;
pub mod errors;
pub mod get_account_settings;
pub mod get_alias;
pub mod get_function;
pub mod get_function_concurrency;
pub mod get_function_configuration;
pub mod get_policy;
pub mod get_resource_policy;
mod instead;
pub mod invoke;
pub mod list_aliases;
pub mod list_functions;
pub mod list_tags;
pub mod list_versions_by_function;
mod naming;
mod paging;
pub mod payload;
pub mod publish_version;
pub mod put_function_concurrency;
pub mod put_resource_policy;
pub mod remove_permission;
pub mod shapes;
pub mod tag_resource;
mod tags;
pub mod untag_resource;
pub mod update_alias;
pub mod update_function_code;
pub mod update_function_configuration;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use http::Method;

pub use add_permission::AddPermission;
pub use cancel_invocation::{Calls, CancelInvocation};
pub use create_alias::CreateAlias;
pub use create_function::CreateFunction;
pub use delete_alias::DeleteAlias;
pub use delete_function::DeleteFunction;
pub use delete_function_concurrency::DeleteFunctionConcurrency;
pub use delete_resource_policy::DeleteResourcePolicy;
pub use get_account_settings::GetAccountSettings;
pub use get_alias::GetAlias;
pub use get_function::GetFunction;
pub use get_function_concurrency::GetFunctionConcurrency;
pub use get_function_configuration::GetFunctionConfiguration;
pub use get_policy::GetPolicy;
pub use get_resource_policy::GetResourcePolicy;
pub use list_aliases::ListAliases;
pub use list_functions::ListFunctions;
pub use list_tags::ListTags;
pub use list_versions_by_function::ListVersionsByFunction;
pub use publish_version::PublishVersion;
pub use put_function_concurrency::PutFunctionConcurrency;
pub use put_resource_policy::PutResourcePolicy;
pub use remove_permission::RemovePermission;
pub use tag_resource::TagResource;
pub use untag_resource::UntagResource;
pub use update_alias::UpdateAlias;
pub use update_function_code::UpdateFunctionCode;
pub use update_function_configuration::UpdateFunctionConfiguration;

use self::concurrency::Concurrency;
use super::{Access, Door, Route, Service, Spec, operation::operations};
use crate::functions::Functions;

operations! {
    functions: Functions => {
        add_permission::AddPermission,
        create_alias::CreateAlias,
        create_function::CreateFunction,
        delete_alias::DeleteAlias,
        delete_function::DeleteFunction,
        delete_resource_policy::DeleteResourcePolicy,
        get_alias::GetAlias,
        get_function_configuration::GetFunctionConfiguration,
        get_policy::GetPolicy,
        get_resource_policy::GetResourcePolicy,
        list_aliases::ListAliases,
        list_functions::ListFunctions,
        list_tags::ListTags,
        list_versions_by_function::ListVersionsByFunction,
        publish_version::PublishVersion,
        put_resource_policy::PutResourcePolicy,
        remove_permission::RemovePermission,
        tag_resource::TagResource,
        untag_resource::UntagResource,
        update_alias::UpdateAlias,
        update_function_code::UpdateFunctionCode,
        update_function_configuration::UpdateFunctionConfiguration,
    }
    calls: Calls => {
        cancel_invocation::CancelInvocation,
    }
    concurrency: Concurrency => {
        delete_function_concurrency::DeleteFunctionConcurrency,
        get_account_settings::GetAccountSettings,
        get_function::GetFunction,
        get_function_concurrency::GetFunctionConcurrency,
        put_function_concurrency::PutFunctionConcurrency,
    }
}

/// The largest body of an operation that carries a package. AWS takes 70,167,211 bytes; what is a little larger is still
/// read, because it is answered with the size that the package, or the request, must not have.
const PACKAGE_BODY_BYTES_MAX: usize = 80 * 1024 * 1024;
/// The largest request with a package that is taken.
const PACKAGE_REQUEST_BYTES_MAX: usize = 70_167_211;
/// The largest body of any other operation.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The spec of a management operation.
fn spec(
    name: &'static str,
    method: Method,
    path: &'static str,
    action: &'static str,
    body_bytes_max: usize,
) -> Spec {
    Spec {
        service: Service::Lambda,
        name,
        route: Route::Rest { method, path },
        door: Door::Management,
        access: Access::Permitted { action },
        body_bytes_max,
    }
}
