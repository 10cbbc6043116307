//! ListAttachedUserPolicies.

use super::{attached, constraints::PATH_PREFIX, input::of_user, spec, user_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListAttachedUserPolicies";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("UserName", Implemented),
        ("PathPrefix", Implemented),
        ("Marker", Implemented),
        ("MaxItems", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct ListAttachedUserPolicies {
    name: String,
    prefix: String,
    paging: Paging,
}

impl Operation for ListAttachedUserPolicies {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListAttachedUserPolicies")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, (prefix, paging)) = of_user(raw, |fields| {
            let prefix = fields.optional("PathPrefix", &PATH_PREFIX).unwrap_or_else(|| "/".to_owned());
            (prefix, Paging::read(fields))
        })?;
        Ok(Self { name, prefix, paging })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let user = state.existing_user(context.account()?, &self.name)?;
        attached(NAME, context, state, &user.record.attached, &self.prefix, &self.paging)
    }
}
