//! ListRoleTags, in the order of their keys.

use super::{input::of_role, reply, role_resource, shapes, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListRoleTags";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("RoleName", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListRoleTags {
    name: String,
    paging: Paging,
}

impl Operation for ListRoleTags {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListRoleTags")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, paging) = of_role(raw, Paging::read)?;
        Ok(Self { name, paging })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let role = state.existing_role(context.account()?, &self.name)?;
        let page = self.paging.cut(role.tags.iter(), |(key, _)| key)?;
        Ok(reply(NAME, context, |xml| {
            xml.list("Tags", &page.items, |xml, (key, value)| shapes::tag(xml, key, value));
            page.write(xml);
        }))
    }
}
