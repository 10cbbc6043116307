//! What `callgate policy explain` asks.

use serde::{Deserialize, Serialize};

/// A refused request by its id, or a caller, an action and a resource.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainPolicy {
    /// The request id that a client was answered; then nothing else is looked at.
    pub request: Option<String>,
    /// The caller's account, 12 digits; the first account if left out.
    pub account: Option<String>,
    /// `root`, `role/<name>` or `role/<name>/<session>`.
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
    /// Further condition keys; a key that is given several times has several values.
    pub context: Vec<(String, String)>,
}
