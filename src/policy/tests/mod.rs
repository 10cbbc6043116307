//! Tests of the language as a whole: decision tables, refusals, a slow evaluator to agree with, permits.

mod access;
mod corpus;
mod documents;
mod explain;
mod fuzz;
mod lint;
mod permits;
mod random;
mod reference;
mod refusals;
mod tables;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Keys, Requester, Values};

/// Condition keys as a test has them.
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(transparent)]
struct Context(BTreeMap<String, Held>);

/// What a key holds: a text is a single-valued key, a list a multi-valued one.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
enum Held {
    One(String),
    Many(Vec<String>),
}

impl Context {
    /// The value of a key, whose case does not matter.
    fn held(&self, key: &str) -> Option<&Held> {
        self.0.iter().find(|(own, _)| own.to_lowercase() == key.to_lowercase()).map(|(_, held)| held)
    }
}

impl Keys for Context {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        assert_eq!(key, key.to_lowercase(), "keys are asked for in lower case");
        self.held(key).map(|held| match held {
            Held::One(value) => Values::one(value),
            Held::Many(values) => Values::many(values),
        })
    }
}

/// Who asks, as a test has it.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Asking {
    Aws { account: String, arn: String, role: Option<String> },
    Federated(String),
    Service(String),
}

impl Asking {
    fn requester(&self) -> Requester<'_> {
        match self {
            Self::Aws { account, arn, role } => Requester::Aws { account, arn, role_arn: role.as_deref() },
            Self::Federated(provider) => Requester::Federated(provider),
            Self::Service(service) => Requester::Service(service),
        }
    }
}
