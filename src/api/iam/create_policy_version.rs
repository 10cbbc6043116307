//! CreatePolicyVersion.

use super::{constraints::DOCUMENT, input::of_policy, policy_resource, reply, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "CreatePolicyVersion";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("PolicyArn", Implemented), ("PolicyDocument", Implemented), ("SetAsDefault", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct CreatePolicyVersion {
    arn: String,
    document: String,
    as_default: bool,
}

impl Operation for CreatePolicyVersion {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:CreatePolicyVersion")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, (document, as_default)) =
            of_policy(raw, |fields| (fields.text("PolicyDocument", &DOCUMENT), fields.flag("SetAsDefault")))?;
        Ok(Self { arn, document, as_default })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![policy_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let (account, is_default) = (context.account()?, self.as_default);
        let number = state.create_policy_version(account, &self.arn, self.document, is_default).await?;
        Ok(reply(NAME, context, |xml| {
            xml.nested("PolicyVersion", |xml| {
                xml.text("VersionId", &format!("v{number}"));
                xml.text("IsDefaultVersion", if is_default { "true" } else { "false" });
                xml.text("CreateDate", &context.now.iso8601_seconds());
            });
        }))
    }
}
