//! TagUser.

use std::collections::BTreeMap;

use super::{
    constraints::{TAG_KEY, TAG_VALUE},
    done,
    input::of_user,
    spec, user_resource,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "TagUser";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("UserName", Implemented), ("Tags", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct TagUser {
    name: String,
    tags: BTreeMap<String, String>,
}

impl Operation for TagUser {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:TagUser")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, tags) = of_user(raw, |fields| fields.tags("Tags", &TAG_KEY, &TAG_VALUE))?;
        Ok(Self { name, tags })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let user = user_resource(state, context, &self.name)?;
        Ok(vec![Resource { request_tags: Some(self.tags.clone()), ..user }])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.tag_user(context.account()?, &self.name, self.tags).await?;
        Ok(done(NAME, context))
    }
}
