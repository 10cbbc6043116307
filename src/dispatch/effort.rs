//! What an invocation takes by itself, whatever else the machine does meanwhile.
//!
//! How long an answer was waited for tells little under load: with more processes than processors, each is slow because the
//! others run. What the system counts of the sandbox's own thread tells the two apart: its time on a processor, and the time
//! that it was ready to run and waited for one. (`/proc/<pid>/schedstat`: Documentation/scheduler/sched-stats.rst.)

use std::{fs, time::Duration};

/// What a sandbox's first thread has done so far, and the calling thread, which is to hear its answer.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    sandbox: Thread,
    hearer: Thread,
}

#[derive(Clone, Copy, Debug)]
struct Thread {
    on_processor: Duration,
    /// Ready to run, without a processor.
    ready: Duration,
}

/// What one invocation took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alone {
    /// It computed, for so long.
    Computed(Duration),
    /// It waited for something of its own.
    Waited,
}

/// What is neither the sandbox's computing, nor the time in which the gateway was busy otherwise and could not hear its
/// answer, is waiting; but for what waking up takes.
const WAKING_MAX: Duration = Duration::from_millis(2);

impl Thread {
    fn read(schedstat: &str) -> Option<Self> {
        let schedule = fs::read_to_string(schedstat).ok()?;
        let mut fields =
            schedule.split_ascii_whitespace().map(|field| field.parse().map(Duration::from_nanos));
        Some(Self { on_processor: fields.next()?.ok()?, ready: fields.next()?.ok()? })
    }

    /// How long it was busy since `before`.
    fn busy_since(self, before: Self) -> Duration {
        self.on_processor.saturating_sub(before.on_processor) + self.ready.saturating_sub(before.ready)
    }
}

impl Effort {
    /// Of the process with this id.
    pub fn of(process: u32) -> Option<Self> {
        Some(Self {
            sandbox: Thread::read(&format!("/proc/{process}/schedstat"))?,
            hearer: Thread::read("/proc/thread-self/schedstat")?,
        })
    }

    /// What an invocation took by itself that began at `before` and was waited for so long.
    pub fn since(self, before: Self, waited_for: Duration) -> Alone {
        let busy = self.sandbox.busy_since(before.sandbox) + self.hearer.busy_since(before.hearer);
        if waited_for.saturating_sub(busy) > WAKING_MAX {
            Alone::Waited
        } else {
            Alone::Computed(self.sandbox.on_processor.saturating_sub(before.sandbox.on_processor))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        process::{Command, Stdio},
    };

    use super::*;
    use crate::base::{Clock, SystemClock};

    /// A shell that does one thing for each line it gets; what it took by itself, and how long it was waited for.
    fn took(does: &str) -> (Alone, Duration) {
        let script = format!("while read -r line; do {does}; echo; done");
        let mut shell = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut give, mut take) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        let clock = SystemClock::new();
        let mut turn = || {
            give.write_all(b"\n").unwrap();
            take.read_exact(&mut [0]).unwrap();
        };
        turn();
        let (before, began) = (Effort::of(shell.id()).unwrap(), clock.monotonic());
        turn();
        let waited_for = clock.monotonic().saturating_sub(began);
        let alone = Effort::of(shell.id()).unwrap().since(before, waited_for);
        drop(give);
        shell.wait().unwrap();
        (alone, waited_for)
    }

    #[test]
    fn computing_is_told_from_waiting() {
        let (alone, waited_for) = took("i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done");
        assert!(matches!(alone, Alone::Computed(time) if time <= waited_for), "{alone:?} of {waited_for:?}");
        assert_eq!(took("sleep 0.1").0, Alone::Waited);
    }

    #[test]
    fn of_a_process_that_is_gone_nothing_is_known() {
        assert!(Effort::of(u32::MAX).is_none());
    }
}
