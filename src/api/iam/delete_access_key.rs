//! DeleteAccessKey, from the next call on.

use super::{
    constraints::{ACCESS_KEY_ID, USER_NAME},
    done, key_owner, spec, user_resource,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::{Fields, Form},
    },
    iam::Directory,
};

const NAME: &str = "DeleteAccessKey";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("UserName", Implemented), ("AccessKeyId", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DeleteAccessKey {
    name: Option<String>,
    id: String,
}

impl Operation for DeleteAccessKey {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:DeleteAccessKey")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let name = fields.optional("UserName", &USER_NAME);
        let id = fields.text("AccessKeyId", &ACCESS_KEY_ID);
        fields.finish()?;
        Ok(Self { name, id })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &key_owner(context, self.name.as_deref())?)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let owner = key_owner(context, self.name.as_deref())?;
        state.delete_user_key(context.account()?, &owner, &self.id).await?;
        Ok(done(NAME, context))
    }
}
