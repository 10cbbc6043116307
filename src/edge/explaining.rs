//! Why was it refused, and what would be: explanations of decisions for the operator. Refusals are remembered for a while, with
//! the policies as they were, so that a client's request id is all that the operator needs.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};

use super::authorizer::{CallKeys, Entity, IamAuthorizer};
use crate::{
    api::{Context, Resource},
    base::{Caller, Principal, Region, RequestId, Timestamp},
    policy::{Document, Explained, Keys, OnResource, Request, Requester, Values, explain, weigh},
};

/// How many refusals are remembered; the oldest is forgotten first.
const REFUSALS_MAX: usize = 1_024;

/// A refusal, with what was decided on.
#[derive(Debug)]
struct Refused {
    request_id: RequestId,
    question: Question,
}

/// Who asked what, and the policies that were asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who asks.
    pub caller: Caller,
    /// Their user or role with its policies.
    pub entity: Entity,
    /// The policies of their session, if it has any.
    pub session: Option<Arc<[Arc<Document>]>>,
    /// The action.
    pub action: String,
    /// On what.
    pub resource: Resource,
    /// From where.
    pub source: IpAddr,
    /// Whether over TLS.
    pub secure: bool,
    /// When.
    pub at: Timestamp,
    /// What the client's software called itself.
    pub user_agent: Option<String>,
    /// The organization that every account belongs to.
    pub organization: Option<String>,
    /// Condition keys that are to be taken as given, in lower case.
    pub given: BTreeMap<String, Vec<String>>,
}

/// The refusals of a while, in memory.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<VecDeque<Refused>>);

impl Refusals {
    /// Remembers one.
    pub(super) fn note(&self, request_id: RequestId, question: Question) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() >= REFUSALS_MAX {
            ring.pop_front();
        }
        ring.push_back(Refused { request_id, question });
    }

    /// The refusals of a request, in order: an operation may ask policy more than once, but the first refusal ends it.
    fn of(&self, request_id: &str) -> Option<Question> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = ring.iter().rev().find(|refused| refused.request_id.to_string() == request_id)?;
        Some(found.question.clone())
    }
}

/// Keys that are given come before those of the call.
struct Given<'a> {
    given: &'a BTreeMap<String, Vec<String>>,
    call: CallKeys<'a>,
}

impl Keys for Given<'_> {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        match self.given.get(key).map(Vec::as_slice) {
            Some([one]) => Some(Values::one(one)),
            Some(_) => self.given.get(key).map(|values| Values::many(values)),
            None => self.call.get(key),
        }
    }
}

impl IamAuthorizer {
    /// Explains the refusal of a request; `None` if it is not remembered.
    pub fn explain_refusal(&self, request_id: &str, region: &Region) -> Option<Value> {
        let question = self.refusals().of(request_id)?;
        Some(self.explain(&question, region))
    }

    /// Explains what would be decided, and by which statements.
    pub fn explain(&self, question: &Question, region: &Region) -> Value {
        let Question { caller, entity, session, action, resource, .. } = question;
        let context = Context {
            caller: Some(caller),
            request_id: RequestId::from_bytes([0; 16]),
            source: question.source,
            secure: question.secure,
            region,
            now: question.at,
            user_agent: question.user_agent.as_deref(),
            organization: question.organization.as_deref(),
            public_url: "",
        };
        let call = CallKeys { context: &context, caller, entity, resource };
        let keys = Given { given: &question.given, call };
        let request = Request::new(action, &resource.arn, &keys);
        let arn = caller.principal.arn(caller.account);
        let requester =
            Requester::Aws { account: caller.account.as_str(), arn: &arn, role_arn: entity.role_arn() };
        let on = resource.policy.as_deref().map(|document| OnResource { document, requester });
        let policies: Vec<(String, &Document)> = entity
            .policy_names()
            .into_iter()
            .zip(entity.policies())
            .map(|(name, document)| (format!("identity policy {name}"), &**document))
            .collect();
        let documents = policies.iter().map(|(_, document)| *document);
        let (decision, reason) = match weigh(caller, &request, documents.clone(), session.as_deref(), on) {
            Ok(because) => ("Allowed", format!("{because:?}")),
            Err(reason) => ("Denied", format!("{reason:?}")),
        };
        let mut statements = named(explain(&request, documents), |document| {
            policies.get(document).map(|(name, _)| name.clone()).unwrap_or_default()
        });
        if let Some(session) = session {
            statements.extend(named(explain(&request, &**session), |_| "session policy".to_owned()));
        }
        if let Some(OnResource { document, requester }) = on {
            let request = Request { requester: Some(requester), ..request };
            statements.extend(named(explain(&request, [document]), |_| {
                format!("resource policy of {}", resource.arn)
            }));
        }
        json!({
            "Principal": arn,
            "Action": action,
            "Resource": resource.arn,
            "Decision": decision,
            "Reason": reason.split(['(', ' ']).next().unwrap_or_default(),
            "RootNeedsNoPolicy": caller.principal == Principal::Root,
            "Statements": statements,
        })
    }
}

/// Statements with the names of their policies: those that matched first, then those that nearly did, then the others.
pub(crate) fn named(mut explained: Vec<Explained>, name: impl Fn(usize) -> String) -> Vec<Value> {
    explained.sort_by_key(|one| one.mismatches.len());
    explained
        .into_iter()
        .map(|one| {
            let (policy, matched, nearly) = (name(one.document), one.matches(), one.nearly());
            // A structure of texts and numbers always becomes JSON.
            let mut value = serde_json::to_value(one).unwrap_or_default();
            value["Policy"] = policy.into();
            value["Matched"] = matched.into();
            value["Nearly"] = nearly.into();
            value
        })
        .collect()
}
