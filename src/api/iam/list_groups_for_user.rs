//! ListGroupsForUser: always none. Groups are not there, but tools ask before they delete a user.

use super::{input::of_user, reply, spec, user_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListGroupsForUser";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("UserName", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListGroupsForUser {
    name: String,
    paging: Paging,
}

impl Operation for ListGroupsForUser {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListGroupsForUser")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, paging) = of_user(raw, Paging::read)?;
        Ok(Self { name, paging })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.existing_user(context.account()?, &self.name)?;
        let page = self.paging.cut(std::iter::empty::<&str>(), |name| name)?;
        Ok(reply(NAME, context, |xml| {
            xml.texts("Groups", page.items.iter().copied());
            page.write(xml);
        }))
    }
}
