//! The Lambda API, version 2015-03-31: one file an operation.
//!
//! All of them work on [`Functions`]. [`operations`] binds them for the route table; [`members`] says which members of their
//! inputs are implemented, for the documentation.

mod body;
pub mod client_context;
pub mod create_function;
pub mod delete_function;
pub mod errors;
pub mod get_function;
pub mod get_function_configuration;
pub mod invoke;
pub mod list_functions;
pub mod list_tags;
pub mod members;
mod naming;
pub mod payload;
pub mod shapes;
pub mod tag_resource;
mod tags;
pub mod untag_resource;
pub mod update_function_code;
pub mod update_function_configuration;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::Method;

pub use create_function::CreateFunction;
pub use delete_function::DeleteFunction;
pub use get_function::GetFunction;
pub use get_function_configuration::GetFunctionConfiguration;
pub use list_functions::ListFunctions;
pub use list_tags::ListTags;
pub use tag_resource::TagResource;
pub use untag_resource::UntagResource;
pub use update_function_code::UpdateFunctionCode;
pub use update_function_configuration::UpdateFunctionConfiguration;

use self::members::Members;
use super::{Access, Door, Perform, Route, Service, Spec, operation::Bound};
use crate::functions::Functions;

/// Every operation of this folder, bound to the functions.
pub fn operations(functions: &Arc<Functions>) -> Vec<Arc<dyn Perform>> {
    vec![
        Bound::<CreateFunction>::bind(functions.clone()),
        Bound::<DeleteFunction>::bind(functions.clone()),
        Bound::<GetFunction>::bind(functions.clone()),
        Bound::<GetFunctionConfiguration>::bind(functions.clone()),
        Bound::<ListFunctions>::bind(functions.clone()),
        Bound::<ListTags>::bind(functions.clone()),
        Bound::<TagResource>::bind(functions.clone()),
        Bound::<UntagResource>::bind(functions.clone()),
        Bound::<UpdateFunctionCode>::bind(functions.clone()),
        Bound::<UpdateFunctionConfiguration>::bind(functions.clone()),
    ]
}

/// The members of every operation's input.
pub fn members() -> [&'static Members; 10] {
    [
        &create_function::MEMBERS,
        &delete_function::MEMBERS,
        &get_function::MEMBERS,
        &get_function_configuration::MEMBERS,
        &list_functions::MEMBERS,
        &list_tags::MEMBERS,
        &tag_resource::MEMBERS,
        &untag_resource::MEMBERS,
        &update_function_code::MEMBERS,
        &update_function_configuration::MEMBERS,
    ]
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
