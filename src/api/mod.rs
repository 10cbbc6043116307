//! The operations: one folder an AWS service, one file an operation.
//!
//! An operation decodes its input, says which resources must be permitted, and runs on its service's state. The order
//! (decode, permit, run) is [`operation::Bound`]'s, the same for all, so that no operation can forget to ask.

pub mod callgate;
pub mod cognito_identity;
pub mod error;
pub mod iam;
pub mod lambda;
pub mod members;
pub mod operation;
pub mod query;
#[cfg(test)]
mod reference;
pub mod refused;
pub mod reply;
pub mod sts;

pub use error::ApiError;
pub use operation::{
    Access, Authorizer, Context, Door, Operation, Perform, Protocol, Raw, Resource, Route, Service, Spec,
};
pub use reply::Reply;

/// The IAM actions of all operations, and those that are asked for beside them, in order.
pub fn actions() -> Vec<&'static str> {
    let beside = [
        lambda::invoke::ACTION,
        "iam:PassRole",
        "lambda:InvokeFunctionUrl",
        "sts:AssumeRole",
        "sts:AssumeRoleWithWebIdentity",
    ];
    let listed = [lambda::OPERATIONS, cognito_identity::OPERATIONS, sts::OPERATIONS, iam::OPERATIONS];
    let of_operations = listed.into_iter().flatten().filter_map(|listed| match (listed.spec)().access {
        Access::Permitted { action } => Some(action),
        Access::Public | Access::Signed => None,
    });
    let actions: std::collections::BTreeSet<_> = of_operations.chain(beside).collect();
    actions.into_iter().collect()
}
