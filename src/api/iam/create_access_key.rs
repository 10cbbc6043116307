//! CreateAccessKey. Without a name it is for the calling user.

use super::{constraints::USER_NAME, key_owner, reply, spec, user_resource};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::{Fields, Form},
    },
    iam::Directory,
};

const NAME: &str = "CreateAccessKey";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("UserName", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct CreateAccessKey {
    name: Option<String>,
}

impl Operation for CreateAccessKey {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:CreateAccessKey")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let name = fields.optional("UserName", &USER_NAME);
        fields.finish()?;
        Ok(Self { name })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &key_owner(context, self.name.as_deref())?)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let owner = key_owner(context, self.name.as_deref())?;
        let key = state.create_user_key(context.account()?, &owner).await?;
        let secret =
            key.secret.expose_str().ok_or_else(|| ApiError::internal("a drawn secret is not text"))?;
        Ok(reply(NAME, context, |xml| {
            xml.nested("AccessKey", |xml| {
                xml.text("UserName", &owner);
                xml.text("AccessKeyId", &key.id);
                xml.text("Status", "Active");
                xml.text("SecretAccessKey", secret);
                xml.text("CreateDate", &context.now.iso8601_seconds());
            });
        }))
    }
}
