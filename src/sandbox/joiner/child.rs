//! The life of a joiner's child: one request.

use std::{
    collections::VecDeque,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    net::SendFlags,
    process::{Pid, Signal, getppid, set_parent_process_death_signal},
};

use super::{
    namespaces::Namespaces,
    operations::Act,
    system,
    wire::{self, Answer, Failure, Outcome, Request},
};

/// How long a child may live. The gateway has long stopped waiting then.
const LIFE_SECONDS: u32 = 30;

/// Does what the request asks for, answers it on `socket` and ends the process.
pub(super) fn run(request: Request, descriptors: Vec<OwnedFd>, socket: &OwnedFd, parent: Pid) -> ! {
    system::end_in(LIFE_SECONDS);
    // It goes with the joiner, also one that ended before this call.
    if set_parent_process_death_signal(Some(Signal::KILL)).is_err() || getppid() != Some(parent) {
        system::exit_now(1);
    }
    let id = request.id;
    let mut handed = Vec::new();
    let outcome = match act(request, descriptors, &mut handed) {
        Ok(values) => Outcome::Done(values),
        Err(failure) => {
            handed.clear();
            Outcome::Failed(failure)
        }
    };
    let handed: Vec<_> = handed.iter().map(AsFd::as_fd).collect();
    let sent = serde_json::to_vec(&Answer { id, outcome })
        .map_err(Into::into)
        .and_then(|answer| wire::send(socket, &answer, &handed, SendFlags::empty()));
    // The joiner answers for a child that could not.
    system::exit_now(i32::from(sent.is_err()));
}

fn act(
    request: Request,
    descriptors: Vec<OwnedFd>,
    handed: &mut Vec<OwnedFd>,
) -> Result<Vec<serde_json::Value>, Failure> {
    let mut given = VecDeque::from(descriptors);
    let pidfd = given.pop_front().ok_or_else(|| Failure::new("read the request", "no pidfd came with it"))?;
    let mut sandbox = Namespaces::of(request.pid, pidfd.as_fd())?;
    let mut operations = request.operations;
    for operation in &mut operations {
        operation.prepare(&mut given)?;
    }
    operations.iter_mut().map(|operation| operation.act(&mut sandbox, handed)).collect()
}
