//! CreateRole.

use super::{
    constraints::{
        DESCRIPTION, DOCUMENT, PATH, ROLE_NAME, SESSION_SECONDS, SESSION_SECONDS_DEFAULT, TAG_KEY, TAG_VALUE,
    },
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
            Support::{Implemented, Refused, Stored},
        },
        query::{Fields, Form},
    },
    iam::{Directory, NewRole, role},
};

const NAME: &str = "CreateRole";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("Path", Implemented),
        ("RoleName", Implemented),
        ("AssumeRolePolicyDocument", Implemented),
        ("Description", Stored),
        ("MaxSessionDuration", Implemented),
        ("PermissionsBoundary", Refused("write the boundary as Deny statements of the role's policies")),
        ("Tags", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct CreateRole {
    role: NewRole,
}

impl Operation for CreateRole {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:CreateRole")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        if let Some((member, instead)) = MEMBERS.refused(|name| form.get(name).is_some()) {
            return Err(unsupported(member, instead));
        }
        let role = NewRole {
            name: fields.text("RoleName", &ROLE_NAME),
            path: fields.optional("Path", &PATH).unwrap_or_else(|| "/".to_owned()),
            description: fields.optional("Description", &DESCRIPTION),
            trust: fields.text("AssumeRolePolicyDocument", &DOCUMENT),
            max_session_seconds: fields
                .number("MaxSessionDuration", SESSION_SECONDS.0, SESSION_SECONDS.1)
                .unwrap_or(SESSION_SECONDS_DEFAULT),
            tags: fields.tags("Tags", &TAG_KEY, &TAG_VALUE),
        };
        fields.finish()?;
        Ok(Self { role })
    }

    fn resources(&self, _state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let arn = role::arn(context.account()?, &self.role.path, &self.role.name);
        Ok(tagged(Resource::named(arn), &self.role.tags, "iam:TagRole"))
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let role = state.create_role(context.account()?, self.role).await?;
        Ok(reply(NAME, context, |xml| xml.nested("Role", |xml| shapes::role(xml, &role, Detail::Made))))
    }
}
