//! ListPolicyVersions, newest first, without their documents.

use super::{input::of_policy, policy_resource, reply, shapes, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::Paging,
    },
    iam::Directory,
};

const NAME: &str = "ListPolicyVersions";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("PolicyArn", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListPolicyVersions {
    arn: String,
    paging: Paging,
}

impl Operation for ListPolicyVersions {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListPolicyVersions")
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
        // A page is cut by names in ascending order; five versions at most fit one page unless a smaller one is asked for.
        let mut versions: Vec<_> = policy.record.versions.iter().map(|(n, v)| (order(*n), *n, v)).collect();
        versions.sort_by(|one, other| one.0.cmp(&other.0));
        let page = self.paging.cut(versions.iter(), |version| &version.0)?;
        Ok(reply(NAME, context, |xml| {
            xml.list("Versions", &page.items, |xml, (_, number, version)| {
                shapes::policy_version(xml, &policy, *number, version);
            });
            page.write(xml);
        }))
    }
}

/// A text by which higher numbers come first.
fn order(number: u32) -> String {
    format!("{:010}", u32::MAX - number)
}
