//! CreateUser.

use super::{
    constraints::{PATH, TAG_KEY, TAG_VALUE, USER_NAME},
    errors::unsupported,
    reply,
    shapes::{self, Detail},
    spec, tagged,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
        query::{Fields, Form},
    },
    iam::{Directory, NewUser, user::user_arn},
};

const NAME: &str = "CreateUser";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("Path", Implemented),
        ("UserName", Implemented),
        ("PermissionsBoundary", Refused("write the boundary as Deny statements of the user's policies")),
        ("Tags", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct CreateUser {
    user: NewUser,
}

impl Operation for CreateUser {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:CreateUser")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        if let Some((member, instead)) = MEMBERS.refused(|name| form.get(name).is_some()) {
            return Err(unsupported(member, instead));
        }
        let user = NewUser {
            name: fields.text("UserName", &USER_NAME),
            path: fields.optional("Path", &PATH).unwrap_or_else(|| "/".to_owned()),
            tags: fields.tags("Tags", &TAG_KEY, &TAG_VALUE),
        };
        fields.finish()?;
        Ok(Self { user })
    }

    fn resources(&self, _state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let arn = user_arn(context.account()?, &self.user.path, &self.user.name);
        Ok(tagged(Resource::named(arn), &self.user.tags, "iam:TagUser"))
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let user = state.create_user(context.account()?, self.user).await?;
        Ok(reply(NAME, context, |xml| xml.nested("User", |xml| shapes::user(xml, &user, Detail::Made))))
    }
}
