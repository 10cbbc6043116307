//! SimulatePrincipalPolicy: what a user's or role's policies say to actions, without doing them.

use std::collections::BTreeMap;

use super::{
    constraints::{
        ARN, CONTEXT_KEY, CONTEXT_TYPE, CONTEXT_VALUE, DOCUMENT, SIMULATED_ACTION, SIMULATED_RESOURCE,
    },
    errors::unsupported,
    reply, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
        query::{Fields, Form, Paging, validation},
    },
    iam::Directory,
};

const NAME: &str = "SimulatePrincipalPolicy";
const ONLY: &str = "identity policies are simulated, without it";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("PolicySourceArn", Implemented),
        ("PolicyInputList", Implemented),
        ("PermissionsBoundaryPolicyInputList", Refused(ONLY)),
        ("PolicyExclusionList", Refused(ONLY)),
        ("ActionNames", Implemented),
        ("ResourceArns", Implemented),
        ("ResourcePolicy", Refused(ONLY)),
        ("ResourceOwner", Refused(ONLY)),
        ("CallerArn", Refused(ONLY)),
        ("ContextEntries", Implemented),
        ("ResourceHandlingOption", Refused(ONLY)),
        ("MaxItems", Implemented),
        ("Marker", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct SimulatePrincipalPolicy {
    source: String,
    further: Vec<String>,
    actions: Vec<String>,
    resources: Vec<String>,
    context: BTreeMap<String, Vec<String>>,
    paging: Paging,
}

impl Operation for SimulatePrincipalPolicy {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:SimulatePrincipalPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let given = |name: &str| {
            form.get(name).is_some() || !form.list(name).is_empty() || !form.structures(name).is_empty()
        };
        if let Some((member, instead)) = MEMBERS.refused(given) {
            return Err(unsupported(member, instead));
        }
        let mut fields = Fields::of(&form);
        let source = fields.text("PolicySourceArn", &ARN);
        let further = fields.texts("PolicyInputList", &DOCUMENT);
        let actions = fields.texts("ActionNames", &SIMULATED_ACTION);
        let mut resources = fields.texts("ResourceArns", &SIMULATED_RESOURCE);
        if resources.is_empty() {
            resources.push("*".to_owned());
        }
        let keys = fields.list_of("ContextEntries", "ContextKeyName", &CONTEXT_KEY);
        fields.list_of("ContextEntries", "ContextKeyType", &CONTEXT_TYPE);
        let entries = form.structures("ContextEntries");
        let values = entries.iter().map(|entry| {
            let values = entry.iter().filter(|(name, _)| name.starts_with("ContextKeyValues.member."));
            values.map(|(_, value)| (*value).to_owned()).collect::<Vec<_>>()
        });
        let context: BTreeMap<String, Vec<String>> = keys.into_iter().zip(values).collect();
        let paging = Paging::read(&mut fields);
        fields.finish()?;
        if actions.is_empty() {
            return Err(validation("ActionNames must name an action."));
        }
        if context.values().flatten().any(|value| value.chars().count() > CONTEXT_VALUE) {
            return Err(validation(format!(
                "A value of a context key has at most {CONTEXT_VALUE} characters."
            )));
        }
        Ok(Self { source, further, actions, resources, context, paging })
    }

    fn resources(&self, _state: &Directory, _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![Resource::named(&self.source)])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        let simulation = state.simulation(account, &self.source, &self.further, self.context)?;
        // Only what the page holds is asked.
        let pairs = self.actions.iter().flat_map(|action| self.resources.iter().map(move |on| (action, on)));
        let numbered = pairs.enumerate().map(|(number, pair)| (format!("{number:08}"), pair));
        let page = self.paging.cut(numbered, |(number, _)| number)?;
        Ok(reply(NAME, context, |xml| {
            xml.list("EvaluationResults", &page.items, |xml, (_, (action, resource))| {
                let simulated = simulation.ask(action, resource);
                xml.text("EvalActionName", action);
                xml.text("EvalResourceName", resource);
                xml.text("EvalDecision", simulated.decision);
                xml.list("MatchedStatements", simulated.by, |xml, policy| {
                    xml.text("SourcePolicyId", policy);
                    xml.text("SourcePolicyType", "IAM Policy");
                });
                xml.list("MissingContextValues", std::iter::empty::<&str>(), |_, _| {});
            });
            page.write(xml);
        }))
    }
}
