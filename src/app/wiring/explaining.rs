//! From what ExplainPolicy and `callgate policy explain` ask to what the authorizer explains.

use std::{
    net::Ipv4Addr,
    sync::{Arc, OnceLock, Weak},
};

use serde_json::{Value, json};

use crate::{
    api::{
        Context, Resource,
        callgate::explain_policy::{ExplainPolicy, Explanations},
    },
    base::{AccountId, Caller, Principal, RequestId},
    edge::{Gate, explaining::named},
    functions::{EventSource, FunctionRef, Named, name::Form},
    iam::Directory,
};

/// What explains: the gate, once there is one. The operation is made before the gate that it asks.
pub(super) struct Explaining {
    directory: Arc<Directory>,
    gate: OnceLock<Weak<Gate>>,
}

impl Explaining {
    pub(super) fn new(directory: Arc<Directory>) -> Arc<Self> {
        Arc::new(Self { directory, gate: OnceLock::new() })
    }

    /// Names the gate whose decisions these are.
    pub(super) fn of(&self, gate: &Arc<Gate>) {
        self.gate.get_or_init(|| Arc::downgrade(gate));
    }
}

impl Explanations for Explaining {
    fn explain(&self, asked: &ExplainPolicy) -> Result<Value, String> {
        let gate = self.gate.get().and_then(Weak::upgrade);
        let gate = gate.ok_or("no gateway runs here, and only one that runs can explain")?;
        explain(&gate, &self.directory, asked)
    }
}

/// Explains; the error is a sentence for the operator.
fn explain(gate: &Gate, directory: &Directory, asked: &ExplainPolicy) -> Result<Value, String> {
    if let Some(id) = &asked.request_id {
        let denied = gate.authorizer.explain_refusal(id, &gate.region);
        return denied.or_else(|| gate.throttles.explain(id, &gate.quota)).ok_or_else(|| {
            format!(
                "no refusal of request {id} is remembered: the last 1,024 of policy are since the gateway started, and the last \
                 256 of each limit"
            )
        });
    }
    let resource =
        asked.resource.as_deref().ok_or("say which resource is meant, or which refused request")?;
    let action =
        asked.action.as_deref().ok_or("say which action is meant, for example lambda:InvokeFunction")?;
    let account = match &asked.account_id {
        Some(text) => text.parse().map_err(|_| format!("\"{text}\" is not an account's 12 digits"))?,
        None => AccountId::DEFAULT,
    };
    let function = Named::read(resource, None, Form::Namespaced)
        .ok()
        .filter(|_| resource.starts_with("arn:aws:lambda:"))
        .and_then(|function| function.within(account, &gate.region).ok());
    if let Some(service) = &asked.service {
        let function = function.ok_or("an event source invokes a function: name it by its ARN")?;
        return Ok(explain_source(gate, &function, service, asked));
    }
    let caller = caller(directory, account, asked.caller.as_deref().unwrap_or("root"))?;
    let found = function.as_ref().and_then(|function| gate.functions.find(function.account, &function.name));
    let policy = found
        .as_ref()
        .zip(function.as_ref())
        .and_then(|(found, function)| found.policy_of(function.qualifier.as_deref()).cloned());
    let resource =
        Resource { tags: found.map(|found| found.tags.clone()), policy, ..Resource::named(resource) };
    let context = Context {
        caller: Some(&caller),
        request_id: RequestId::from_bytes([0; 16]),
        source: Ipv4Addr::LOCALHOST.into(),
        secure: true,
        region: &gate.region,
        now: gate.clock.now(),
        user_agent: None,
        organization: gate.settings.organization.as_deref(),
        public_url: &gate.public_url,
    };
    let mut question = gate.authorizer.question(&context, &caller, action, &resource);
    for (key, values) in &asked.context {
        question.given.entry(key.to_lowercase()).or_default().extend(values.iter().cloned());
    }
    Ok(gate.authorizer.explain(&question, &gate.region))
}

fn explain_source(gate: &Gate, function: &FunctionRef, service: &str, asked: &ExplainPolicy) -> Value {
    let source = EventSource {
        service: service.to_owned(),
        arn: asked.source_arn.clone(),
        account: asked.source_account.clone(),
        token: asked.event_source_token.clone(),
    };
    let now = gate.clock.now();
    let (decision, reason) = match gate.functions.permit_source(function, &source, now) {
        Ok(_) => ("Allowed", "Resource".to_owned()),
        Err(denial) => ("Denied", format!("{:?}", denial.reason)),
    };
    let arn = function.arn();
    json!({
        "Principal": service,
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
        "Decision": decision,
        "Reason": reason.split(['(', ' ']).next().unwrap_or_default(),
        "Statements": named(gate.functions.explain_source(function, &source, now), |_| format!("resource policy of {arn}")),
    })
}

fn caller(directory: &Directory, account: AccountId, text: &str) -> Result<Caller, String> {
    let principal = match text.split('/').collect::<Vec<_>>().as_slice() {
        ["root"] => Principal::Root,
        ["role", name, session @ ..] if session.len() <= 1 => {
            let role = directory.role(account, name);
            let role = role.ok_or_else(|| format!("account {account} has no role {name}"))?;
            Principal::AssumedRole {
                role: role.name().into(),
                role_id: role.id().into(),
                session: session.first().copied().unwrap_or("session").into(),
            }
        }
        ["user", name] => {
            let user = directory.user(account, name);
            let user = user.ok_or_else(|| format!("account {account} has no user {name}"))?;
            Principal::User {
                name: user.name().into(),
                id: user.id().into(),
                path: user.record.path.as_str().into(),
            }
        }
        _ => {
            let forms = "root, user/<name>, role/<name> and role/<name>/<session>";
            return Err(format!("\"{text}\" is none of {forms}"));
        }
    };
    Ok(Caller { account, principal, access_key_id: "AKIAEXPLAINED".into(), identity: None, session: None })
}
