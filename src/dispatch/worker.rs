//! A sandbox that holds a function.

use std::{sync::Arc, time::Duration};

use super::{
    lifecycle::{Event, State},
    memory,
};
use crate::{
    functions::Function,
    sandbox::{Link, Process, uids::Uid},
};

/// What is known of a sandbox's start, for the first invocation's log.
#[derive(Debug)]
pub struct Loading {
    /// From the start of its process until the function was loaded.
    pub took: Duration,
    /// The version of its Node.js.
    pub node: String,
    /// What the function wrote while it was loaded.
    pub log: Vec<u8>,
}

/// A sandbox bound to one generation of one function.
#[derive(Debug)]
pub struct Worker {
    /// The gateway's ends.
    pub link: Link,
    /// The process at its head.
    pub process: Process,
    /// The function it holds.
    pub function: Arc<Function>,
    state: State,
    retire_at: Option<Duration>,
    loading: Option<Loading>,
    /// Whether an invocation is being written: who stops then leaves half a frame behind.
    pub writing: bool,
    /// When it was last given back, on the monotonic clock.
    pub idle_since: Duration,
    // Dropped last: the id is free again only when the process is gone.
    _uid: Option<Uid>,
}

impl Worker {
    /// A sandbox that has just loaded its function.
    pub fn loaded(
        link: Link,
        process: Process,
        uid: Option<Uid>,
        function: Arc<Function>,
        loading: Loading,
        now: Duration,
    ) -> Self {
        let mut worker = Self {
            link,
            process,
            function,
            state: State::Starting,
            retire_at: None,
            loading: Some(loading),
            writing: false,
            idle_since: now,
            _uid: uid,
        };
        worker.event(Event::Loaded);
        worker
    }

    /// The same, to be used until this time on the monotonic clock: what it was given ends.
    pub fn retiring_at(self, retire_at: Option<Duration>) -> Self {
        Self { retire_at, ..self }
    }

    /// Whether its time is over.
    pub fn is_outdated(&self, now: Duration) -> bool {
        self.retire_at.is_some_and(|end| now >= end)
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Notes what happened. An event that cannot happen here is a defect: the sandbox is not used again.
    pub fn event(&mut self, event: Event) {
        self.state = self.state.after(event).unwrap_or_else(|| {
            tracing::error!(state = ?self.state, ?event, "a sandbox was told what cannot be");
            State::Ended
        });
    }

    /// What is known of its start; at its first use alone.
    pub fn first_use(&mut self) -> Option<Loading> {
        self.loading.take()
    }

    /// The most memory its processes have used, in MiB.
    pub fn high_water_mb(&self) -> Option<u64> {
        memory::high_water_mb(self.process.id())
    }
}
