//! UpdateAccessKey: switches a key on or off, from the next call on.

use super::{
    constraints::{ACCESS_KEY_ID, ACTIVE, STATUS, USER_NAME},
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

const NAME: &str = "UpdateAccessKey";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("UserName", Implemented), ("AccessKeyId", Implemented), ("Status", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct UpdateAccessKey {
    name: Option<String>,
    id: String,
    active: bool,
}

impl Operation for UpdateAccessKey {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:UpdateAccessKey")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let name = fields.optional("UserName", &USER_NAME);
        let id = fields.text("AccessKeyId", &ACCESS_KEY_ID);
        let active = fields.text("Status", &STATUS) == ACTIVE;
        fields.finish()?;
        Ok(Self { name, id, active })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &key_owner(context, self.name.as_deref())?)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let owner = key_owner(context, self.name.as_deref())?;
        state.set_user_key(context.account()?, &owner, &self.id, self.active).await?;
        Ok(done(NAME, context))
    }
}
