//! DescribeIdentity. Ours: the ids that were merged into the identity, and whom it was merged into.

use serde::Deserialize;

use super::{input, management, reply, shapes};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Identities,
};

const NAME: &str = "DescribeIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("IdentityId", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DescribeIdentity {
    identity: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_id: Option<String>,
}

impl Operation for DescribeIdentity {
    type State = Identities;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:DescribeIdentity")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        Ok(Self { identity: input::id(input.identity_id, "identityId")? })
    }

    fn resources(&self, _: &Identities, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![Resource::named("*")])
    }

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        let described = identities.describe(context.account()?, &self.identity).await?;
        let mut answer = shapes::identity(&described.identity);
        if !described.aliases.is_empty() {
            answer["MergedIdentityIds"] = described.aliases.into();
        }
        reply(&answer)
    }
}
