//! One invocation on one sandbox: the frame in, the frame out.

use std::time::Duration;

use bytes::Bytes;

use super::{invocation, invocation::Invocation, logs::Log, worker::Worker};
use crate::{
    base::Timestamp,
    sandbox::{
        Exit, LinkError,
        link::Event,
        protocol::{self, Frame, Invoke, Status},
    },
};

/// How an invocation ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// The function said so itself.
    Answered {
        /// Value or error.
        status: Status,
        /// Its JSON.
        json: Bytes,
        /// Whether the sandbox cannot be used again.
        spent: bool,
    },
    /// It took longer than it may.
    TimedOut,
    /// The process ended, or closed its socket.
    Exited(Option<Exit>),
    /// The sandbox broke the protocol, or could not be spoken to.
    Violated,
    /// It was told to stop.
    Cancelled {
        /// Whether the sandbox cannot be used again: the function did not stop in time, or ended in another way than by an
        /// answer.
        spent: bool,
    },
}

/// Why an invocation has not begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotBegun {
    /// The sandbox has ended. Nobody has run the invocation: without the whole frame nothing begins.
    SandboxEnded,
    /// It could not be written; another sandbox would make no difference.
    Unwritable,
}

/// Writes the invocation. `slept` is how long the sandbox stood still before it.
pub async fn begin(
    worker: &mut Worker,
    invocation: &Invocation,
    deadline: Timestamp,
    slept: Option<Duration>,
) -> Result<(), NotBegun> {
    let meta = invocation::meta(invocation);
    let head = protocol::invoke(&Invoke {
        id: invocation.id.as_bytes(),
        deadline_ms: u64::try_from(deadline.millis()).unwrap_or(0),
        // Zero says that it did not sleep.
        frozen_ms: slept.map_or(0, |slept| u32::try_from(slept.as_millis().max(1)).unwrap_or(u32::MAX)),
        meta: &meta,
        payload_length: invocation.payload.len(),
    });
    // The edge holds payloads and contexts to smaller limits than the frame has.
    let Some(head) = head else { return Err(NotBegun::Unwritable) };
    worker.writing = true;
    let written = worker.link.write(&head, &invocation.payload).await;
    worker.writing = false;
    written.map_err(|error| match error {
        LinkError::Closed => NotBegun::SandboxEnded,
        error => {
            failed(worker, &error);
            NotBegun::Unwritable
        }
    })
}

/// Tells the sandbox that its invocation is to stop. An error says that it could not be told.
pub async fn cancel(worker: &mut Worker, id: &[u8; 16]) -> Result<(), LinkError> {
    worker.writing = true;
    let written = worker.link.write(&protocol::cancel(id), &[]).await;
    worker.writing = false;
    written
}

/// Waits for the answer that is owed.
pub async fn answer(worker: &mut Worker, id: &[u8; 16], log: &mut Log) -> End {
    loop {
        match worker.link.event().await {
            Ok(Event::Frame(Frame::Result { id: answered, status, json, spent })) if answered == *id => {
                if log.is_wanted() {
                    // What was written before the answer stands in the pipe by now, whether or not it was announced.
                    worker.link.output_now(|output| log.output(output));
                }
                return End::Answered { status, json, spent };
            }
            Ok(Event::Frame(Frame::Log(text))) => {
                log.event(&text);
            }
            Ok(Event::Output(output)) => {
                log.output(&output);
            }
            Ok(Event::Frame(_)) => return End::Violated,
            Err(error) => return failed(worker, &error),
        }
    }
}

fn failed(worker: &Worker, error: &LinkError) -> End {
    match error {
        LinkError::Violation(violation) => {
            tracing::warn!(function = &*worker.function.arn, %violation, "a sandbox broke the protocol");
            End::Violated
        }
        LinkError::Closed => End::Exited(None),
        LinkError::Io(error) => {
            tracing::warn!(function = &*worker.function.arn, %error, "a sandbox's socket failed");
            End::Exited(None)
        }
    }
}
