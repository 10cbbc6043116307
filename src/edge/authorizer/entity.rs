//! The user or role that a caller acts as, as it is now.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    base::{Caller, Principal},
    iam::{Directory, Role, User},
    policy::Document,
};

/// A caller's user or role.
pub(super) enum Entity {
    /// Root; or a user or role that was deleted after the session began: nothing allows any more.
    None,
    User(Arc<User>),
    Role(Arc<Role>),
}

impl Entity {
    /// Whoever has the name now. Another one of the same name has not given this session.
    pub(super) fn of(caller: &Caller, directory: &Directory) -> Self {
        match &caller.principal {
            Principal::Root => Self::None,
            Principal::User { name, id, .. } => directory
                .user(caller.account, name)
                .filter(|user| user.id() == &**id)
                .map_or(Self::None, Self::User),
            Principal::AssumedRole { role, role_id, .. } => directory
                .role(caller.account, role)
                .filter(|role| role.id() == &**role_id)
                .map_or(Self::None, Self::Role),
        }
    }

    /// What it may do and may not.
    pub(super) fn policies(&self) -> &[Arc<Document>] {
        match self {
            Self::None => &[],
            Self::User(user) => &user.policies,
            Self::Role(role) => &role.policies,
        }
    }

    /// Its tags.
    pub(super) fn tags(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::None => None,
            Self::User(user) => Some(&user.tags),
            Self::Role(role) => Some(&role.tags),
        }
    }

    /// Its ARN, with its path.
    pub(super) fn arn(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::User(user) => Some(&user.arn),
            Self::Role(role) => Some(&role.arn),
        }
    }
}
