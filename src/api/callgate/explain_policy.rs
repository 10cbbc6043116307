//! ExplainPolicy: what policy decides for a caller, or why a request was refused, over a limit too.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Operator, input, management};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    base::AccountId,
};

const NAME: &str = "ExplainPolicy";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("RequestId", Implemented),
        ("AccountId", Implemented),
        ("Caller", Implemented),
        ("Service", Implemented),
        ("SourceArn", Implemented),
        ("SourceAccount", Implemented),
        ("EventSourceToken", Implemented),
        ("Action", Implemented),
        ("Resource", Implemented),
        ("Context", Implemented),
    ],
};

/// The input: a refused request by its id, or a caller, an action and a resource.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ExplainPolicy {
    /// The request id that a client was answered; then nothing else is looked at.
    pub request_id: Option<String>,
    /// The caller's account, 12 digits; the first account if left out.
    pub account_id: Option<String>,
    /// `root`, `user/<name>`, `role/<name>` or `role/<name>/<session>`.
    pub caller: Option<String>,
    /// A service's principal, which calls as an event source.
    pub service: Option<String>,
    /// What set the event off.
    pub source_arn: Option<String>,
    /// The account of what set the event off.
    pub source_account: Option<String>,
    /// The token that the source shows.
    pub event_source_token: Option<String>,
    /// The action.
    pub action: Option<String>,
    /// The resource's ARN.
    pub resource: Option<String>,
    /// Further condition keys with their values.
    pub context: BTreeMap<String, Vec<String>>,
}

/// Who can explain: the running gateway, which knows what is decided and remembers what was refused.
pub trait Explanations: Send + Sync {
    /// The decision with its statements; the error is a sentence for whoever asked.
    fn explain(&self, asked: &ExplainPolicy) -> Result<Json, String>;
}

impl Operation for ExplainPolicy {
    type State = Operator;

    fn spec() -> Spec {
        management(NAME, Method::POST, "/callgate/v1/explain-policy", "callgate:ExplainPolicy")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        input::parse(raw)
    }

    fn resources(&self, _: &Operator, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let account = context.account()?;
        Ok(vec![Resource::named(format!("arn:aws:callgate:{}:{account}:policy", context.region))])
    }

    async fn run(self, operator: &Operator, context: &Context<'_>) -> Result<Reply, ApiError> {
        // An explanation shows policies and callers of whichever account was concerned.
        if context.account()? != AccountId::DEFAULT {
            return Err(ApiError::denied(format!(
                "Decisions are explained to account {} alone, whose operator sees every account.",
                AccountId::DEFAULT
            )));
        }
        let explained = operator.explanations.explain(&self).map_err(input::invalid)?;
        Reply::json(StatusCode::OK, &explained)
    }
}
