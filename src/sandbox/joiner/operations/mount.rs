//! `mount`: a folder of the host appears in a running sandbox, read-only, without setuid and devices.
//!
//! The folder must have no mount below it: those of others are not copied by an ordinary user (the kernel says EINVAL).

use std::{
    collections::VecDeque,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
};

use rustix::{
    fs::CWD,
    mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree},
    net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair},
    process::{WaitOptions, waitpid},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Act, Namespaces};
use crate::sandbox::joiner::{system, wire, wire::Failure};

/// Mounts `source` at `target`.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// The host's folder.
    pub source: PathBuf,
    /// The sandbox's folder, which is there already.
    pub target: PathBuf,
    #[serde(skip)]
    tree: Option<OwnedFd>,
}

impl Mount {
    /// Mounts `source` at `target`.
    pub fn new(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        Self { source: source.into(), target: target.into(), tree: None }
    }

    /// A detached, read-only copy of the mount that the folder lies on, with the folder as its root.
    fn copy(&self) -> Result<OwnedFd, Failure> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let tree = open_tree(CWD, &self.source, flags)
            .map_err(Failure::at(format!("open_tree {}", self.source.display())))?;
        system::make_read_only(&tree).map_err(Failure::at("mount_setattr"))?;
        Ok(tree)
    }

    /// The same for who may not do so in the host's namespaces: a child makes its own, in which it may, and hands the copy
    /// over.
    fn copy_unprivileged(&self) -> Result<OwnedFd, Failure> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(Failure::at("socketpair"))?;
        let child = match system::fork().map_err(Failure::at("fork"))? {
            Some(child) => child,
            None => {
                let copied = system::own_user_and_mounts()
                    .map_err(Failure::at("unshare user and mounts"))
                    .and_then(|()| self.copy());
                let sent = match copied {
                    Ok(tree) => wire::send(&theirs, b"null", &[tree.as_fd()], SendFlags::empty()),
                    Err(failure) => serde_json::to_vec(&failure)
                        .map_err(Into::into)
                        .and_then(|failure| wire::send(&theirs, &failure, &[], SendFlags::empty())),
                };
                system::exit_now(i32::from(sent.is_err()));
            }
        };
        drop(theirs);
        let message = wire::receive(&ours).map_err(Failure::at("receive the copy of the mount"));
        // It has nothing left to do; not to have waited would leave a zombie until this process ends, which is soon.
        let _ = waitpid(Some(child), WaitOptions::empty());
        let none = || Failure::new("receive the copy of the mount", "its maker has ended");
        let message = message?.ok_or_else(none)?;
        match message.descriptors.into_iter().next() {
            Some(tree) => Ok(tree),
            None => Err(serde_json::from_slice(&message.bytes).unwrap_or_else(|_| none())),
        }
    }
}

impl Act for Mount {
    fn prepare(&mut self, _given: &mut VecDeque<OwnedFd>) -> Result<(), Failure> {
        let root = rustix::process::geteuid().is_root();
        self.tree = Some(if root { self.copy()? } else { self.copy_unprivileged()? });
        Ok(())
    }

    fn act(&mut self, sandbox: &mut Namespaces, _handed: &mut Vec<OwnedFd>) -> Result<Value, Failure> {
        let Some(tree) = self.tree.take() else { return Err(Failure::new("mount", "nothing was prepared")) };
        sandbox.join_mounts()?;
        move_mount(tree.as_fd(), "", CWD, &self.target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .map_err(Failure::at(format!("move_mount {}", self.target.display())))?;
        Ok(Value::Null)
    }
}
