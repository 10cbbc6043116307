//! As which host user a sandbox runs: the level of isolation that a gateway gives, and what there must be for it.

use std::{io, os::fd::OwnedFd, sync::Arc};

use super::{
    process,
    subordinate::{self, NoSubordinate},
    uids::{Uid, Uids},
};

/// What a sandbox's host user is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// One that no other sandbox has.
    SeparateUsers,
    /// The gateway's own, for all of them: namespaces and the filter of system calls are all that is between them.
    SharedUser,
}

/// Gives sandboxes their host users.
#[derive(Clone, Debug)]
pub enum Users {
    /// The gateway is root, and gives each one of these.
    Own(Arc<Uids>),
    /// The gateway is not, and has users that are subordinate to its own.
    Subordinate(Arc<Subordinate>),
    /// All run as the gateway's own user.
    Shared,
}

/// A user namespace in which the gateway's user is root, and the ids of users in it that sandboxes may have.
#[derive(Debug)]
pub struct Subordinate {
    namespace: OwnedFd,
    uids: Arc<Uids>,
}

/// Why there are no users for this level. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NoUsers {
    /// They cannot be separate.
    #[error(
        "sandboxes cannot run as users of their own: {0}; or run the gateway as root; or, for accounts that trust each other, \
         let all sandboxes share the gateway's user with [sandbox] isolation = \"shared-user\""
    )]
    NotSeparate(#[from] NoSubordinate),
}

/// The host user of one sandbox. It is another's only after this is dropped.
#[derive(Debug)]
pub struct HostUser {
    users: Users,
    uid: Option<Uid>,
}

impl Users {
    /// Those of this level. A gateway that is root always has separate ones: `base` and `count` are theirs. Subordinate ones
    /// are looked for in `/etc/subuid`.
    pub fn find(level: Level, base: u32, count: u32) -> Result<Self, NoUsers> {
        if rustix::process::geteuid().is_root() {
            return Ok(Self::Own(Uids::new(base, count)));
        }
        match level {
            Level::SeparateUsers => {
                let (namespace, count) = subordinate::namespace()?;
                // Inside, 0 is the gateway's own user; the subordinate ones follow.
                Ok(Self::Subordinate(Arc::new(Subordinate { namespace, uids: Uids::new(1, count) })))
            }
            Level::SharedUser => Ok(Self::Shared),
        }
    }

    /// Takes one; `None` if all are in use.
    pub fn take(&self) -> Option<HostUser> {
        let uid = match self {
            Self::Own(uids) => Some(uids.take()?),
            Self::Subordinate(subordinate) => Some(subordinate.uids.take()?),
            Self::Shared => None,
        };
        Some(HostUser { users: self.clone(), uid })
    }
}

impl HostUser {
    /// Its id, in the namespace of [`HostUser::enter`] if there is one; `None` for the gateway's own.
    pub fn id(&self) -> Option<u32> {
        self.uid.as_ref().map(Uid::get)
    }

    /// Its id on the host, if that is one that only root can take on.
    pub fn host_id(&self) -> Option<u32> {
        self.id().filter(|_| matches!(self.users, Users::Own(_)))
    }

    /// A copy of the user namespace that is to be joined before the id is taken on.
    pub fn namespace(&self) -> io::Result<Option<OwnedFd>> {
        match &self.users {
            Users::Subordinate(subordinate) => Ok(Some(process::above_places(&subordinate.namespace)?)),
            Users::Own(_) | Users::Shared => Ok(None),
        }
    }
}
