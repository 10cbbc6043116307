//! DeleteUser: keys and policies must have gone before.

use super::{done, input::of_user, spec, user_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "DeleteUser";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("UserName", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DeleteUser {
    name: String,
}

impl Operation for DeleteUser {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:DeleteUser")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, ()) = of_user(raw, |_| ())?;
        Ok(Self { name })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.delete_user(context.account()?, &self.name).await?;
        Ok(done(NAME, context))
    }
}
