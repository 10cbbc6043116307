//! Who calls: what authentication found out, and nothing that a client merely claims.

use std::{collections::BTreeMap, sync::Arc};

use super::{AccountId, SessionClaims, Timestamp};

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account the caller acts in.
    pub account: AccountId,
    /// As whom.
    pub principal: Principal,
    /// The access key that signed.
    pub access_key_id: Arc<str>,
    /// The identity, when the credentials came straight from an identity pool; never after AssumeRole.
    pub identity: Option<Arc<CallerIdentity>>,
    /// The session; `None` for long-lived keys.
    pub session: Option<Arc<SessionClaims>>,
}

impl Caller {
    /// The caller that requests signed with a session's credentials have.
    pub fn of_session(claims: Arc<SessionClaims>, access_key_id: &str) -> Self {
        Self {
            account: claims.account,
            principal: claims.principal.clone(),
            access_key_id: access_key_id.into(),
            identity: claims.identity.clone(),
            session: Some(claims),
        }
    }

    /// When the session ends; `None` for long-lived keys.
    pub fn session_expires(&self) -> Option<Timestamp> {
        self.session.as_ref().map(|session| session.expires)
    }
}

/// As whom a caller acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Principal {
    /// The account itself: everything in it is allowed.
    Root,
    /// An IAM user.
    User {
        /// The user's name.
        name: Arc<str>,
        /// `AIDA…`
        id: Arc<str>,
        /// `/`, or `/a/b/`.
        path: Arc<str>,
    },
    /// A session of a role.
    AssumedRole {
        /// The role's name, without its path.
        role: Arc<str>,
        /// `AROA…`
        role_id: Arc<str>,
        /// The session's name, which whoever began the session chose.
        session: Arc<str>,
    },
}

/// A Cognito identity, as the gateway verified it when it gave out the credentials.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallerIdentity {
    /// `region:uuid` of the pool.
    pub pool_id: String,
    /// `region:uuid` of the identity.
    pub identity_id: String,
    /// The id that was presented, where it is another: of a guest that was merged into this identity. It attributes and never
    /// authorises: logs know it, nothing else does.
    pub merged_id: Option<String>,
    /// When the identity was made.
    pub born: Timestamp,
    /// The providers whose logins were presented and verified; empty for a guest.
    pub logins: Vec<String>,
    /// The authentication method references, as Cognito puts them into `amr`: `authenticated` or `unauthenticated`, the
    /// provider, and `provider:client:subject` forms.
    pub amr: Vec<String>,
    /// Principal tags mapped from claims.
    pub principal_tags: BTreeMap<String, String>,
}

impl CallerIdentity {
    /// Whether a login was presented.
    pub fn signed_in(&self) -> bool {
        !self.logins.is_empty()
    }
}

impl Principal {
    /// The principal's ARN as STS and the texts of refusals show it.
    pub fn arn(&self, account: AccountId) -> String {
        match self {
            Self::Root => format!("arn:aws:iam::{account}:root"),
            Self::User { name, path, .. } => format!("arn:aws:iam::{account}:user{path}{name}"),
            Self::AssumedRole { role, session, .. } => {
                format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
            }
        }
    }

    /// `aws:userid`: the account for root, `AIDA…` for a user, `AROA…:session` for a role's session.
    pub fn user_id(&self, account: AccountId) -> String {
        match self {
            Self::Root => account.to_string(),
            Self::User { id, .. } => id.to_string(),
            Self::AssumedRole { role_id, session, .. } => format!("{role_id}:{session}"),
        }
    }
}
