//! Why, and why not: each statement with what of it fits a request and what does not. Slow and thorough, for operators; a
//! decision never comes from here.

use serde::Serialize;

use super::{
    action,
    decide::Request,
    document::Document,
    keys::Values,
    principal::Grant,
    statement::{Effect, Statement},
};

/// What one statement has to do with a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Explained {
    /// The document, counted from 0 in the order given.
    pub document: usize,
    /// The statement in it, counted from 0.
    pub statement: usize,
    /// Its Sid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// `Allow` or `Deny`.
    pub effect: &'static str,
    /// What does not fit; empty if the statement matches.
    pub mismatches: Vec<Mismatch>,
    /// For an Allow that matches and names the account alone: an identity policy must allow it as well.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delegates: bool,
}

/// What of a statement does not fit a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "Element", rename_all = "PascalCase")]
pub enum Mismatch {
    /// The action is none of its actions.
    Action,
    /// The one who asks is none of its principals.
    Principal,
    /// The resource is none of its resources.
    Resource,
    /// A condition is not met.
    #[serde(rename_all = "PascalCase")]
    Condition {
        /// The operator, with prefix and suffix.
        operator: String,
        /// The key as the policy writes it.
        key: String,
        /// What the policy lists.
        wanted: Vec<String>,
        /// What the request has; `None` if it has no such key.
        found: Option<Vec<String>>,
    },
}

impl Explained {
    /// Whether the statement matches.
    pub fn matches(&self) -> bool {
        self.mismatches.is_empty()
    }

    /// Whether all but one thing fits.
    pub fn nearly(&self) -> bool {
        self.mismatches.len() == 1
    }
}

/// Explains every statement of the documents, in their order.
pub fn explain<D: AsRef<Document>>(
    request: &Request<'_>,
    documents: impl IntoIterator<Item = D>,
) -> Vec<Explained> {
    action::fold(request.action, |action| {
        let mut explained = Vec::new();
        for (position, document) in documents.into_iter().enumerate() {
            let document = document.as_ref();
            let (allows, denies) =
                (document.about(Effect::Allow, action), document.about(Effect::Deny, action));
            for (index, statement) in document.compiled().iter().enumerate() {
                let (effect, about) = match statement.effect {
                    Effect::Allow => ("Allow", allows.contains(&index)),
                    Effect::Deny => ("Deny", denies.contains(&index)),
                };
                let mismatches = mismatches(statement, about, request);
                let delegates = mismatches.is_empty()
                    && statement.effect == Effect::Allow
                    && statement.whom(request) == Some(Grant::Delegated);
                explained.push(Explained {
                    document: position,
                    statement: index,
                    sid: statement.sid.as_deref().filter(|sid| !sid.is_empty()).map(str::to_owned),
                    effect,
                    mismatches,
                    delegates,
                });
            }
        }
        explained
    })
}

fn mismatches(statement: &Statement, about: bool, request: &Request<'_>) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    if !about {
        mismatches.push(Mismatch::Action);
    }
    if statement.whom(request).is_none() {
        mismatches.push(Mismatch::Principal);
    }
    if !statement.resources.include(request) {
        mismatches.push(Mismatch::Resource);
    }
    for condition in statement.conditions.iter().filter(|condition| !condition.holds(request.keys)) {
        let said = condition.said();
        mismatches.push(Mismatch::Condition {
            operator: said.operator.to_string(),
            key: said.key.to_string(),
            wanted: said.values.to_vec(),
            found: condition.held(request.keys).map(|values| match values {
                Values::One(value) => vec![value.into_owned()],
                Values::Many(values) => values.into_owned(),
            }),
        });
    }
    mismatches
}
