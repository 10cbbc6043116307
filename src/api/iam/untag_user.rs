//! UntagUser.

use super::{constraints::TAG_KEY, done, input::of_user, spec, user_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "UntagUser";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("UserName", Implemented), ("TagKeys", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct UntagUser {
    name: String,
    keys: Vec<String>,
}

impl Operation for UntagUser {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:UntagUser")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, keys) = of_user(raw, |fields| fields.texts("TagKeys", &TAG_KEY))?;
        Ok(Self { name, keys })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.untag_user(context.account()?, &self.name, &self.keys).await?;
        Ok(done(NAME, context))
    }
}
