//! A sandbox that holds a function.

use std::{io, sync::Arc, time::Duration};

use super::{
    effort::Effort,
    freezing,
    held_up::RunningSince,
    lifecycle::{Event, State},
    memory,
};
use crate::{
    base::{ColdStart, home},
    functions::Function,
    sandbox::{Control, Exit, FreezeError, HostUser, Link, Process, network::Attached, spawner::Started},
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
    /// Why the sandbox was made.
    pub cause: ColdStart,
}

/// A sandbox bound to one generation of one function.
#[derive(Debug)]
pub struct Worker {
    /// The gateway's ends.
    pub link: Link,
    /// The process at its head.
    pub process: Process,
    /// What acts on it from outside.
    pub control: Control,
    /// The function it holds.
    pub function: Arc<Function>,
    state: State,
    retire_at: Option<Duration>,
    loading: Option<Loading>,
    /// Whether an invocation is being written: who stops then leaves half a frame behind.
    pub writing: bool,
    // The process id of its Node.js, once that was looked for.
    node: Option<u32>,
    // Whose thread's event loop watches it.
    home: usize,
    // How long it is to be idle before it is frozen, at the least and the next time.
    freeze_delay: [Duration; 2],
    // Since when it stands still, on the monotonic clock.
    frozen_since: Duration,
    /// Whether it is being frozen or thawed: who stops then leaves it nobody knows how.
    pub settling: bool,
    /// Since when its invocation runs; its pool watches that.
    pub(super) running_since: RunningSince,
    /// When it was last given back, on the monotonic clock.
    pub idle_since: Duration,
    // Both dropped last: they are another's only when the process is gone.
    _attached: Option<Attached>,
    _user: HostUser,
}

impl Worker {
    /// A sandbox that has just loaded its function.
    pub fn loaded(
        started: Started,
        attached: Option<Attached>,
        state: State,
        function: Arc<Function>,
        loading: Loading,
        freeze_delay: Duration,
        now: Duration,
    ) -> Self {
        let Started { link, process, control, user } = started;
        let mut worker = Self {
            link,
            process,
            control,
            function,
            state,
            retire_at: None,
            freeze_delay: [freeze_delay; 2],
            frozen_since: now,
            settling: false,
            loading: Some(loading),
            writing: false,
            node: None,
            home: home::current(),
            running_since: RunningSince::unwatched(),
            idle_since: now,
            _attached: attached,
            _user: user,
        };
        worker.event(Event::Loaded);
        worker
    }

    /// Has the calling thread's event loop watch it, if another's does.
    pub fn come_home(mut self: Box<Self>) -> io::Result<Box<Self>> {
        let home = home::current();
        if self.home == home {
            return Ok(self);
        }
        self.home = home;
        let mut moved = *self;
        moved.link = moved.link.move_here()?;
        Ok(Box::new(moved))
    }

    /// The same, to be used until this time on the monotonic clock: what it was given ends.
    pub fn retiring_at(self, retire_at: Option<Duration>) -> Self {
        Self { retire_at, ..self }
    }

    /// Whether its time is over.
    pub fn is_outdated(&self, now: Duration) -> bool {
        self.retire_at.is_some_and(|end| now >= end)
    }

    /// When it is to be frozen, on the monotonic clock; `None` while it is not idle and awake.
    pub fn freeze_at(&self) -> Option<Duration> {
        (self.state == State::Idle).then(|| self.idle_since + self.freeze_delay[1])
    }

    /// Has everything in it stand still.
    pub async fn freeze(&mut self, now: Duration) -> Result<(), FreezeError> {
        self.event(Event::Rested);
        self.settling = true;
        self.control.freeze().await?;
        self.settling = false;
        self.frozen_since = now;
        self.event(Event::Froze);
        Ok(())
    }

    /// Has everything in it go on, if it stands still; says how long it did.
    pub async fn thaw(&mut self, now: Duration) -> Result<Option<Duration>, FreezeError> {
        if self.state != State::Frozen {
            return Ok(None);
        }
        self.settling = true;
        self.control.thaw().await?;
        self.settling = false;
        let slept = now.saturating_sub(self.frozen_since);
        let [least, delay] = self.freeze_delay;
        self.freeze_delay[1] = freezing::next_delay(delay, slept, least);
        self.event(Event::Thawed);
        Ok(Some(slept))
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

    /// What its Node.js has done so far: the child of the first process, which is the monitor's.
    pub fn effort(&mut self) -> Option<Effort> {
        if self.node.is_none() {
            let first = |parent| memory::children(parent).first().copied();
            self.node = first(self.process.id()).and_then(first);
        }
        Effort::of(self.node?)
    }

    /// How it ended, once it has closed its socket or is about to; `None` if it has not ended within `time`.
    pub async fn exit(&mut self, time: Duration) -> Option<Exit> {
        let exit = tokio::time::timeout(time, self.process.wait()).await.ok().and_then(Result::ok);
        if self.control.oom_killed() { Some(Exit::OutOfMemory) } else { exit }
    }

    /// The most memory its processes have used, in MiB.
    pub fn high_water_mb(&self) -> Option<u64> {
        memory::high_water_mb(self.process.id())
    }
}
