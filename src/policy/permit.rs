//! Permits: the proof that a caller may do one thing. Nothing outside this module can make one.

use std::{fmt, sync::Arc};

use super::{
    decide::{By, Decision, Request, decide},
    document::Document,
};
use crate::base::{AccountId, Caller, Principal};

/// The proof that a caller may perform one action on one resource. It cannot be made but by [`permit`] and
/// [`permit_root`], and not be cloned: one question, one answer, one use.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    account: AccountId,
    action: Box<str>,
    resource: Box<str>,
}

impl Permit {
    /// The account of the caller.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The action, as the request named it.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The resource's ARN, as the request named it.
    pub fn resource(&self) -> &str {
        &self.resource
    }
}

/// Why a caller may not. The text is AWS's, which says the kind of policy and nothing else of what it contains.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("User: {principal} is not authorized to perform: {action} on resource: {resource} {}", .reason.text(.action))]
pub struct Denial {
    /// The caller's ARN.
    pub principal: String,
    /// What was asked.
    pub action: String,
    /// On what.
    pub resource: String,
    /// What stands against it.
    pub reason: Reason,
}

impl Denial {
    /// Whether a statement says no, as against no statement saying yes.
    pub fn explicit(&self) -> bool {
        matches!(self.reason, Reason::IdentityDenies(_) | Reason::SessionDenies(_))
    }
}

/// What stands against a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// A statement of an identity policy denies it. (For operators; clients are not told which.)
    IdentityDenies(By),
    /// No identity policy allows it.
    IdentityAllowsNot,
    /// A statement of a session policy denies it.
    SessionDenies(By),
    /// No session policy allows it.
    SessionAllowsNot,
    /// The resource is another account's, and that account has not allowed it.
    ResourceAllowsNot,
}

impl Reason {
    /// The end of AWS's sentence (IAM User Guide, "Troubleshoot access denied error messages").
    fn text(&self, action: &str) -> impl fmt::Display {
        let policy = match self {
            Self::IdentityDenies(_) => return "with an explicit deny in an identity-based policy".to_owned(),
            Self::SessionDenies(_) => return "with an explicit deny in a session policy".to_owned(),
            Self::IdentityAllowsNot => "identity-based policy",
            Self::SessionAllowsNot => "session policy",
            Self::ResourceAllowsNot => "resource-based policy",
        };
        format!("because no {policy} allows the {action} action")
    }
}

/// Decides whether `caller` may, by its identity policies and, if it has any, by its session policies, which must allow
/// it as well. The account's root may do everything in its own account; see [`permit_root`].
pub fn permit<D: AsRef<Document>>(
    caller: &Caller,
    request: &Request<'_>,
    policies: impl IntoIterator<Item = D>,
    session: Option<&[Arc<Document>]>,
) -> Result<Permit, Denial> {
    if caller.principal == Principal::Root {
        return permit_root(caller, request.action, request.resource);
    }
    let identity = decide(request, policies);
    let session = session.map(|documents| decide(request, documents));
    // A Deny of either kind comes before an Allow that is missing: that is the order of AWS's evaluation.
    let reason = match (identity, session) {
        (Decision::ExplicitDeny { by }, _) => Reason::IdentityDenies(by),
        (_, Some(Decision::ExplicitDeny { by })) => Reason::SessionDenies(by),
        (Decision::ImplicitDeny, _) => Reason::IdentityAllowsNot,
        (Decision::Allow { .. }, Some(Decision::ImplicitDeny)) => Reason::SessionAllowsNot,
        (Decision::Allow { .. }, None | Some(Decision::Allow { .. })) => {
            return grant(caller, request.action, request.resource);
        }
    };
    Err(denial(caller, request.action, request.resource, reason))
}

/// Gives the root of an account what it asks in its own account, without a look at any policy.
pub fn permit_root(caller: &Caller, action: &str, resource: &str) -> Result<Permit, Denial> {
    if caller.principal == Principal::Root {
        grant(caller, action, resource)
    } else {
        Err(denial(caller, action, resource, Reason::IdentityAllowsNot))
    }
}

/// The last step: another account's resource needs that account's word as well, which a resource policy would give.
fn grant(caller: &Caller, action: &str, resource: &str) -> Result<Permit, Denial> {
    let owner = resource.split(':').nth(4).unwrap_or_default();
    if !owner.is_empty() && owner != caller.account.as_str() {
        return Err(denial(caller, action, resource, Reason::ResourceAllowsNot));
    }
    Ok(Permit { account: caller.account, action: action.into(), resource: resource.into() })
}

fn denial(caller: &Caller, action: &str, resource: &str, reason: Reason) -> Denial {
    Denial {
        principal: caller.principal.arn(caller.account),
        action: action.to_owned(),
        resource: resource.to_owned(),
        reason,
    }
}
