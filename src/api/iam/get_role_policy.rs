//! GetRolePolicy: an inline policy as it was put.

use super::{constraints::POLICY_NAME, input::of_role, reply, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::{Directory, roles::no_such_policy},
};

const NAME: &str = "GetRolePolicy";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("RoleName", Implemented), ("PolicyName", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct GetRolePolicy {
    name: String,
    policy: String,
}

impl Operation for GetRolePolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:GetRolePolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, policy) = of_role(raw, |fields| fields.text("PolicyName", &POLICY_NAME))?;
        Ok(Self { name, policy })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let role = state.existing_role(context.account()?, &self.name)?;
        let policies = &role.record.policies;
        let document = policies.get(&self.policy).ok_or_else(|| no_such_policy(&self.policy))?;
        Ok(reply(NAME, context, |xml| {
            xml.text("RoleName", &self.name);
            xml.text("PolicyName", &self.policy);
            xml.document("PolicyDocument", document);
        }))
    }
}
