//! What a user's or role's policies say to an action, without doing it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Directory, IamError, Result,
    permissions::{Room, check_policy},
};
use crate::{
    base::AccountId,
    policy::{By, Decision, Document, Keys, Kind, Request, Values, decide},
};

/// The policies that are asked, each with what it is called.
#[derive(Debug)]
pub struct Simulation {
    documents: Vec<Arc<Document>>,
    names: Vec<String>,
    context: Context,
}

/// The condition keys of the simulated request, in lower case.
#[derive(Debug)]
struct Context(BTreeMap<String, Vec<String>>);

impl Keys for Context {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        match self.0.get(key)?.as_slice() {
            [one] => Some(Values::one(one)),
            several => Some(Values::many(several)),
        }
    }
}

/// What the policies say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Simulated<'a> {
    /// `allowed`, `explicitDeny` or `implicitDeny`, as IAM's model has it.
    pub decision: &'static str,
    /// The policy whose statement decided.
    pub by: Option<&'a str>,
}

impl Directory {
    /// The policies of the user or role with this ARN, and further ones that are only asked here.
    pub fn simulation(
        &self,
        account: AccountId,
        source_arn: &str,
        further: &[String],
        context: BTreeMap<String, Vec<String>>,
    ) -> Result<Simulation> {
        let user = self.user_by_arn(source_arn).filter(|user| user.record.account == account);
        let role = self.role_by_arn(source_arn).filter(|role| role.record.account == account);
        let (mut documents, inline, attached) = match (&user, &role) {
            (Some(user), _) => (user.policies.clone(), &user.record.policies, &user.record.attached),
            (None, Some(role)) => (role.policies.clone(), &role.record.policies, &role.record.attached),
            (None, None) => {
                return Err(IamError::NoSuchEntity(format!("The entity {source_arn} cannot be found.")));
            }
        };
        // In the order in which they were compiled.
        let mut names: Vec<String> = inline.keys().chain(attached).cloned().collect();
        for (index, text) in further.iter().enumerate() {
            check_policy(text, Room::Managed)
                .map_err(|error| IamError::InvalidInput(format!("PolicyInputList: {error}")))?;
            let document = Document::parse(text, Kind::Identity);
            documents.push(Arc::new(document.map_err(|error| IamError::InvalidInput(error.to_string()))?));
            names.push(format!("PolicyInputList.{}", index + 1));
        }
        let context = context.into_iter().map(|(key, values)| (key.to_ascii_lowercase(), values));
        Ok(Simulation { documents, names, context: Context(context.collect()) })
    }
}

impl Simulation {
    /// What they say to this action on this resource.
    pub fn ask(&self, action: &str, resource: &str) -> Simulated<'_> {
        let name = |by: By| self.names.get(by.document).map(String::as_str);
        let decision = decide(&Request::new(action, resource, &self.context), &self.documents);
        match decision {
            Decision::Allow { by } => Simulated { decision: "allowed", by: name(by) },
            Decision::ExplicitDeny { by } => Simulated { decision: "explicitDeny", by: name(by) },
            Decision::ImplicitDeny => Simulated { decision: "implicitDeny", by: None },
        }
    }
}
