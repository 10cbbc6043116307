//! The decision: an explicit Deny, else an Allow, else nothing.

use super::{
    action::{self, Folded},
    document::Document,
    keys::Keys,
    principal::{Grant, Requester},
    statement::Effect,
};

/// What is asked.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The action, for example `lambda:InvokeFunction`; its case does not matter.
    pub action: &'a str,
    /// The ARN of the resource, or `*` for actions that have none.
    pub resource: &'a str,
    /// Who asks, for documents that name principals; identity policies do not look at it.
    pub requester: Option<Requester<'a>>,
    /// The rest of the context.
    pub keys: &'a dyn Keys,
}

impl<'a> Request<'a> {
    /// A request for identity policies.
    pub fn new(action: &'a str, resource: &'a str, keys: &'a dyn Keys) -> Self {
        Self { action, resource, requester: None, keys }
    }

    /// A request for a role's trust policy: may `requester` do `action`, for example `sts:AssumeRoleWithWebIdentity`?
    pub fn to_assume(
        action: &'a str,
        role_arn: &'a str,
        requester: Requester<'a>,
        keys: &'a dyn Keys,
    ) -> Self {
        Self { action, resource: role_arn, requester: Some(requester), keys }
    }
}

/// The statement that decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct By {
    /// The document, counted from 0 in the order given.
    pub document: usize,
    /// The statement in it, counted from 0.
    pub statement: usize,
}

/// What documents say to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// A statement allows, and none denies.
    Allow {
        /// Which allows.
        by: By,
    },
    /// A statement denies.
    ExplicitDeny {
        /// Which denies.
        by: By,
    },
    /// No statement matches.
    ImplicitDeny,
}

impl Decision {
    /// Whether the request may go on.
    pub fn is_allow(self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}

/// Decides over all the documents together.
pub fn decide<D: AsRef<Document>>(request: &Request<'_>, documents: impl IntoIterator<Item = D>) -> Decision {
    action::fold(request.action, |action| decide_folded(request, action, documents))
}

fn decide_folded<D: AsRef<Document>>(
    request: &Request<'_>,
    action: &Folded<'_>,
    documents: impl IntoIterator<Item = D>,
) -> Decision {
    let mut allowed = None;
    for (position, document) in documents.into_iter().enumerate() {
        let document = document.as_ref();
        let by = |statement| By { document: position, statement };
        if let Some(by) = document.find(Effect::Deny, action, request).map(by) {
            return Decision::ExplicitDeny { by };
        }
        allowed = allowed.or_else(|| document.find(Effect::Allow, action, request).map(by));
    }
    allowed.map_or(Decision::ImplicitDeny, |by| Decision::Allow { by })
}

/// What a resource's policy says: the Allow that gives most, or nothing, or a Deny.
pub(super) fn granted(request: &Request<'_>, document: &Document) -> Result<Option<(By, Grant)>, By> {
    action::fold(request.action, |action| {
        let by = |statement| By { document: 0, statement };
        match document.find(Effect::Deny, action, request) {
            Some(statement) => Err(by(statement)),
            None => Ok(document.find_grant(action, request).map(|(statement, grant)| (by(statement), grant))),
        }
    })
}
