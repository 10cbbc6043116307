//! GetPolicyVersion.

use super::{input::of_policy_version, policy_resource, reply, shapes, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::{Directory, policies::no_such_version},
};

const NAME: &str = "GetPolicyVersion";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("PolicyArn", Implemented), ("VersionId", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct GetPolicyVersion {
    arn: String,
    version: u32,
}

impl Operation for GetPolicyVersion {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:GetPolicyVersion")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, version) = of_policy_version(raw)?;
        Ok(Self { arn, version })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![policy_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let policy = state.existing_policy(context.account()?, &self.arn)?;
        let version = policy.record.versions.get(&self.version);
        let version = version.ok_or_else(|| no_such_version(&self.arn, self.version))?;
        Ok(reply(NAME, context, |xml| {
            xml.nested("PolicyVersion", |xml| {
                xml.document("Document", &version.document);
                shapes::policy_version(xml, &policy, self.version, version);
            });
        }))
    }
}
