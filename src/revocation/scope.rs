//! What can be revoked, and how it is written as a key.

use std::fmt;

use crate::{
    base::{AccountId, Origin},
    store::revocation::pool_scope,
};

/// What the key of a role or user begins with; its name in origins follows.
pub(super) const PRINCIPAL: &str = "principal/";

/// What can be revoked.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Scope {
    /// Everything that began in an identity pool.
    Pool {
        /// `region:uuid`.
        pool_id: String,
    },
    /// Everything that began with an identity.
    Identity {
        /// `region:uuid`.
        identity_id: String,
    },
    /// Every session that an access key began, a long-lived one or a session's own. The key itself goes on: a long-lived one is
    /// to be deactivated besides.
    AccessKey {
        /// `AKIA…` or `ASIA…`.
        id: String,
    },
    /// Everything that began with a login at a provider in a pool.
    Provider {
        /// The pool.
        pool_id: String,
        /// The provider, as `Logins` name it.
        provider: String,
    },
    /// Every session of a role, and those that these began.
    Role {
        /// Whose role.
        account: AccountId,
        /// Its name, without its path.
        name: String,
    },
    /// Every session that a user began.
    User {
        /// Whose user.
        account: AccountId,
        /// Its name, without its path.
        name: String,
    },
    /// The ids that the guests of a pool have by now: they open nothing any more.
    GuestIds {
        /// The pool.
        pool_id: String,
    },
}

impl fmt::Display for Scope {
    /// The key under which it is kept. Ids and names are the last part, so that no two scopes are written alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool { pool_id } => f.write_str(&pool_scope(pool_id)),
            Self::Identity { identity_id } => write!(f, "identity/{identity_id}"),
            Self::AccessKey { id } => write!(f, "access-key/{id}"),
            // A pool's id has no slash.
            Self::Provider { pool_id, provider } => write!(f, "provider/{pool_id}/{provider}"),
            Self::Role { account, name } => write!(f, "{PRINCIPAL}{}", Origin::role(*account, name)),
            Self::User { account, name } => write!(f, "{PRINCIPAL}{}", Origin::user(*account, name)),
            Self::GuestIds { pool_id } => write!(f, "guest-ids/{pool_id}"),
        }
    }
}

impl Scope {
    /// The pool with which the scope goes.
    pub fn pool_id(&self) -> Option<&str> {
        match self {
            Self::Pool { pool_id } | Self::Provider { pool_id, .. } | Self::GuestIds { pool_id } => {
                Some(pool_id)
            }
            Self::Identity { .. } | Self::AccessKey { .. } | Self::Role { .. } | Self::User { .. } => None,
        }
    }

    /// Whether it concerns nothing that outlasts sessions. Login tokens may last for ever, and so do the scopes that refuse
    /// them (for an identity, its hold does).
    pub(super) fn ends_with_sessions(&self) -> bool {
        self.pool_id().is_none()
    }
}
