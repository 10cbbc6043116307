//! ListPolicies: those of the account. AWS's own are not there.

use super::{
    constraints::{PATH_PREFIX, POLICY_SCOPE, POLICY_USAGE},
    reply,
    shapes::{self, Detail},
    spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::{Fields, Form, Paging},
    },
    iam::Directory,
};

const NAME: &str = "ListPolicies";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("Scope", Implemented),
        ("OnlyAttached", Implemented),
        ("PathPrefix", Implemented),
        ("PolicyUsageFilter", Implemented),
        ("Marker", Implemented),
        ("MaxItems", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct ListPolicies {
    ours: bool,
    only_attached: bool,
    prefix: String,
    paging: Paging,
}

impl Operation for ListPolicies {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListPolicies")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let scope = fields.optional("Scope", &POLICY_SCOPE);
        let usage = fields.optional("PolicyUsageFilter", &POLICY_USAGE);
        // Policies of AWS and permissions boundaries are not there: their lists are empty.
        let ours = scope.as_deref() != Some("AWS") && usage.as_deref() != Some("PermissionsBoundary");
        let only_attached = fields.flag("OnlyAttached");
        let prefix = fields.optional("PathPrefix", &PATH_PREFIX).unwrap_or_else(|| "/".to_owned());
        let paging = Paging::read(&mut fields);
        fields.finish()?;
        Ok(Self { ours, only_attached, prefix, paging })
    }

    fn resources(&self, _state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![Resource::named(format!("arn:aws:iam::{}:policy{}", context.account()?, self.prefix))])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let policies = state.policies(context.account()?);
        let under =
            policies.values().filter(|policy| self.ours && policy.record.path.starts_with(&self.prefix));
        let counted = under.map(|policy| (policy, shapes::attachments(&state.entities_of(policy))));
        let wanted = counted.filter(|(_, attached)| *attached > 0 || !self.only_attached);
        let page = self.paging.cut(wanted, |(policy, _)| policy.name())?;
        Ok(reply(NAME, context, |xml| {
            xml.list("Policies", &page.items, |xml, (policy, attached)| {
                shapes::policy(xml, policy, *attached, Detail::Entry);
            });
            page.write(xml);
        }))
    }
}
