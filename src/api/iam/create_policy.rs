//! CreatePolicy: a managed policy, whose document is its version v1.

use super::{
    constraints::{DOCUMENT, PATH, POLICY_DESCRIPTION, POLICY_NAME, TAG_KEY, TAG_VALUE},
    reply,
    shapes::{self, Detail},
    spec, tagged,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Stored},
        },
        query::{Fields, Form},
    },
    iam::{Directory, NewPolicy, user::policy_arn},
};

const NAME: &str = "CreatePolicy";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("PolicyName", Implemented),
        ("Path", Implemented),
        ("PolicyDocument", Implemented),
        ("Description", Stored),
        ("Tags", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct CreatePolicy {
    policy: NewPolicy,
}

impl Operation for CreatePolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:CreatePolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let policy = NewPolicy {
            name: fields.text("PolicyName", &POLICY_NAME),
            path: fields.optional("Path", &PATH).unwrap_or_else(|| "/".to_owned()),
            document: fields.text("PolicyDocument", &DOCUMENT),
            description: fields.optional("Description", &POLICY_DESCRIPTION),
            tags: fields.tags("Tags", &TAG_KEY, &TAG_VALUE),
        };
        fields.finish()?;
        Ok(Self { policy })
    }

    fn resources(&self, _state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let arn = policy_arn(context.account()?, &self.policy.path, &self.policy.name);
        Ok(tagged(Resource::named(arn), &self.policy.tags, "iam:TagPolicy"))
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let policy = state.create_policy(context.account()?, self.policy).await?;
        Ok(reply(NAME, context, |xml| {
            xml.nested("Policy", |xml| shapes::policy(xml, &policy, 0, Detail::Made))
        }))
    }
}
