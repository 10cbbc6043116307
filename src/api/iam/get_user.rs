//! GetUser. Without a name it is the caller.

use super::{
    constraints::USER_NAME,
    named_user, reply,
    shapes::{self, Detail},
    spec, user_resource,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::{Fields, Form},
    },
    iam::Directory,
};

const NAME: &str = "GetUser";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("UserName", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct GetUser {
    name: Option<String>,
}

impl Operation for GetUser {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:GetUser")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let name = fields.optional("UserName", &USER_NAME);
        fields.finish()?;
        Ok(Self { name })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        match named_user(context, self.name.as_deref())? {
            Some(name) => Ok(vec![user_resource(state, context, &name)?]),
            None => Ok(vec![Resource::named(context.caller()?.principal.arn(context.account()?))]),
        }
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let Some(name) = named_user(context, self.name.as_deref())? else {
            let account = context.account()?;
            // AWS answers the root with its account's number as a name and an id.
            return Ok(reply(NAME, context, |xml| {
                xml.nested("User", |xml| {
                    xml.text("UserId", account.as_str());
                    xml.text("Arn", &format!("arn:aws:iam::{account}:root"));
                });
            }));
        };
        let user = state.existing_user(context.account()?, &name)?;
        Ok(reply(NAME, context, |xml| xml.nested("User", |xml| shapes::user(xml, &user, Detail::Whole))))
    }
}
