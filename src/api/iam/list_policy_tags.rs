//! ListPolicyTags.

use super::{input::of_policy, policy_resource, reply, shapes::tag, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListPolicyTags";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("PolicyArn", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListPolicyTags {
    arn: String,
    paging: Paging,
}

impl Operation for ListPolicyTags {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListPolicyTags")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (arn, paging) = of_policy(raw, Paging::read)?;
        Ok(Self { arn, paging })
    }

    fn resources(&self, state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![policy_resource(state, &self.arn)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let policy = state.existing_policy(context.account()?, &self.arn)?;
        let page = self.paging.cut(policy.record.tags.iter(), |(key, _)| key)?;
        Ok(reply(NAME, context, |xml| {
            xml.list("Tags", &page.items, |xml, (key, value)| tag(xml, key, value));
            page.write(xml);
        }))
    }
}
