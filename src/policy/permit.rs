//! Permits: the proof that a caller may do one thing. Nothing outside this module can make one.

use std::{fmt, sync::Arc};

use super::{
    decide::{By, Decision, Request, decide, granted},
    document::Document,
    principal::{Grant, Requester},
};
use crate::base::{AccountId, Caller, Principal};

/// The proof that a caller may perform one action on one resource. It cannot be made but by [`permit`] and
/// its kin, and not be cloned: one question, one answer, one use.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    account: AccountId,
    action: Box<str>,
    resource: Box<str>,
}

impl Permit {
    /// The account of the caller; for a service, the account that owns the resource.
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
        matches!(
            self.reason,
            Reason::IdentityDenies(_) | Reason::SessionDenies(_) | Reason::ResourceDenies(_)
        )
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
    /// A statement of the resource's policy denies it.
    ResourceDenies(By),
    /// The resource is another account's, or the caller is a service, and the resource's policy does not allow it.
    ResourceAllowsNot,
}

/// What lets a caller do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Because {
    /// It is the account's root.
    Root,
    /// A statement of an identity policy, in the caller's own account.
    Identity(By),
    /// A statement of the resource's policy; the document is always 0.
    Resource(By),
    /// Both accounts: an identity policy of the caller's (none for a root), and the resource's policy.
    Both {
        /// The statement of the identity policy.
        identity: Option<By>,
        /// The statement of the resource's policy.
        resource: By,
    },
}

/// A resource's policy, and who asks it. The role of a session is named with its path, as policies name it.
#[derive(Clone, Copy, Debug)]
pub struct OnResource<'a> {
    /// The policy.
    pub document: &'a Document,
    /// Who asks.
    pub requester: Requester<'a>,
}

impl Reason {
    /// The end of AWS's sentence (IAM User Guide, "Troubleshoot access denied error messages").
    fn text(&self, action: &str) -> impl fmt::Display {
        let policy = match self {
            Self::IdentityDenies(_) => return "with an explicit deny in an identity-based policy".to_owned(),
            Self::SessionDenies(_) => return "with an explicit deny in a session policy".to_owned(),
            Self::ResourceDenies(_) => return "with an explicit deny in a resource-based policy".to_owned(),
            Self::IdentityAllowsNot => "identity-based policy",
            Self::SessionAllowsNot => "session policy",
            Self::ResourceAllowsNot => "resource-based policy",
        };
        format!("because no {policy} allows the {action} action")
    }
}

/// Decides whether `caller` may, by its identity policies and, if it has any, by its session policies, which must allow
/// it as well. The account's root may do everything in its own account.
pub fn permit<D: AsRef<Document>>(
    caller: &Caller,
    request: &Request<'_>,
    policies: impl IntoIterator<Item = D>,
    session: Option<&[Arc<Document>]>,
) -> Result<Permit, Denial> {
    permit_on(caller, request, policies, session, None)
}

/// As [`permit`], with the policy of the resource if it has one.
pub fn permit_on<D: AsRef<Document>>(
    caller: &Caller,
    request: &Request<'_>,
    policies: impl IntoIterator<Item = D>,
    session: Option<&[Arc<Document>]>,
    resource: Option<OnResource<'_>>,
) -> Result<Permit, Denial> {
    match weigh(caller, request, policies, session, resource) {
        Ok(_) => Ok(Permit {
            account: caller.account,
            action: request.action.into(),
            resource: request.resource.into(),
        }),
        Err(reason) => Err(denial(caller.principal.arn(caller.account), request, reason)),
    }
}

/// Decides whether a service may, which has no policies of its own: the resource's policy alone says so. `owner` is the
/// account that owns the resource.
pub fn permit_service(
    owner: AccountId,
    service: &str,
    request: &Request<'_>,
    resource: Option<&Document>,
) -> Result<Permit, Denial> {
    let request = Request { requester: Some(Requester::Service(service)), ..*request };
    let reason = match resource.map_or(Ok(None), |document| granted(&request, document)) {
        Ok(Some(_)) => {
            return Ok(Permit {
                account: owner,
                action: request.action.into(),
                resource: request.resource.into(),
            });
        }
        Ok(None) => Reason::ResourceAllowsNot,
        Err(by) => Reason::ResourceDenies(by),
    };
    Err(denial(service.to_owned(), &request, reason))
}

/// Gives the root of an account what it asks in its own account, without a look at any policy.
pub fn permit_root(caller: &Caller, action: &str, resource: &str) -> Result<Permit, Denial> {
    let request = Request::new(action, resource, &super::NoKeys);
    permit_on(caller, &request, std::iter::empty::<&Document>(), None, None)
}

/// The decision itself, as a value that knows its reason (IAM User Guide, "Policy evaluation logic"):
///
/// 1. A Deny anywhere is the end of it.
/// 2. In the caller's own account the identity policies or the resource's policy must allow it; what a session policy does
///    not allow is not allowed, unless the resource's policy gives it to the session itself. See [`Grant`].
/// 3. On another account's resource both must allow it, and session policies too.
pub fn weigh<D: AsRef<Document>>(
    caller: &Caller,
    request: &Request<'_>,
    policies: impl IntoIterator<Item = D>,
    session: Option<&[Arc<Document>]>,
    resource: Option<OnResource<'_>>,
) -> Result<Because, Reason> {
    let root = caller.principal == Principal::Root;
    let identity = if root { Decision::ImplicitDeny } else { decide(request, policies) };
    let session = session.map(|documents| decide(request, documents));
    let resource = resource.map(|OnResource { document, requester }| {
        granted(&Request { requester: Some(requester), ..*request }, document)
    });
    // A Deny of any kind comes before an Allow that is missing: that is the order of AWS's evaluation.
    let granted = match (identity, session, resource) {
        (Decision::ExplicitDeny { by }, ..) => return Err(Reason::IdentityDenies(by)),
        (_, Some(Decision::ExplicitDeny { by }), _) => return Err(Reason::SessionDenies(by)),
        (_, _, Some(Err(by))) => return Err(Reason::ResourceDenies(by)),
        (_, _, Some(Ok(granted))) => granted,
        (_, _, None) => None,
    };
    let limited = session == Some(Decision::ImplicitDeny);
    let own = is_own(caller.account, request.resource);
    if own && let Some((by, grant)) = granted {
        match grant {
            Grant::Direct => return Ok(Because::Resource(by)),
            Grant::Limited if !limited => return Ok(Because::Resource(by)),
            Grant::Limited => return Err(Reason::SessionAllowsNot),
            Grant::Delegated => {}
        }
    }
    let identity = match identity {
        Decision::Allow { by } => Some(by),
        _ if root => None,
        _ => return Err(Reason::IdentityAllowsNot),
    };
    if limited {
        return Err(Reason::SessionAllowsNot);
    }
    match (own, granted, identity) {
        (true, _, Some(by)) => Ok(Because::Identity(by)),
        (true, _, None) => Ok(Because::Root),
        (false, Some((resource, _)), identity) => Ok(Because::Both { identity, resource }),
        (false, None, _) => Err(Reason::ResourceAllowsNot),
    }
}

/// Whether the resource is in the caller's account, or in none: actions without a resource, and resources whose ARN has no
/// account, are the caller's own affair.
fn is_own(account: AccountId, resource: &str) -> bool {
    resource.split(':').nth(4).is_none_or(|owner| owner.is_empty() || owner == account.as_str())
}

fn denial(principal: String, request: &Request<'_>, reason: Reason) -> Denial {
    Denial { principal, action: request.action.to_owned(), resource: request.resource.to_owned(), reason }
}
