//! ListUserTags.

use super::{input::of_user, reply, shapes::tag, spec, user_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListUserTags";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("UserName", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListUserTags {
    name: String,
    paging: Paging,
}

impl Operation for ListUserTags {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListUserTags")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, paging) = of_user(raw, Paging::read)?;
        Ok(Self { name, paging })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let user = state.existing_user(context.account()?, &self.name)?;
        let page = self.paging.cut(user.record.tags.iter(), |(key, _)| key)?;
        Ok(reply(NAME, context, |xml| {
            xml.list("Tags", &page.items, |xml, (key, value)| tag(xml, key, value));
            page.write(xml);
        }))
    }
}
