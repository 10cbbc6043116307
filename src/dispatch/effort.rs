//! What an invocation takes by itself, whatever else the machine does meanwhile.
//!
//! How long an answer was waited for tells little under load: with more processes than processors, each is slow because the
//! others run. What the system counts of the sandbox's own thread tells the two apart: its time on a processor, and how
//! often it slept. (`/proc/<pid>/schedstat` and `/proc/<pid>/status`, proc(5).)

use std::{fs, time::Duration};

/// What a sandbox's first thread has done so far.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    on_processor: Duration,
    sleeps: u64,
}

/// What one invocation took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alone {
    /// It computed, for so long.
    Computed(Duration),
    /// It waited for something of its own.
    Waited,
}

impl Effort {
    /// Of the process with this id.
    pub fn of(process: u32) -> Option<Self> {
        let schedule = fs::read_to_string(format!("/proc/{process}/schedstat")).ok()?;
        let nanoseconds = schedule.split_ascii_whitespace().next()?.parse().ok()?;
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let sleeps = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        Some(Self { on_processor: Duration::from_nanos(nanoseconds), sleeps: sleeps.trim().parse().ok()? })
    }

    /// What an invocation took that began at `before`. Each sleeps once for itself: until it comes.
    pub fn since(self, before: Self) -> Alone {
        match self.sleeps.saturating_sub(before.sleeps) {
            0 | 1 => Alone::Computed(self.on_processor.saturating_sub(before.on_processor)),
            _ => Alone::Waited,
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

    /// A shell that does one thing for each line it gets, and what it took by itself.
    fn took(does: &str) -> Alone {
        let script = format!("while read -r line; do {does}; echo; done");
        let mut shell = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut give, mut take) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        let mut turn = || {
            give.write_all(b"\n").unwrap();
            take.read_exact(&mut [0]).unwrap();
        };
        turn();
        let before = Effort::of(shell.id()).unwrap();
        turn();
        let took = Effort::of(shell.id()).unwrap().since(before);
        drop(give);
        shell.wait().unwrap();
        took
    }

    #[test]
    fn computing_is_told_from_waiting() {
        assert!(matches!(took(":"), Alone::Computed(_)));
        assert_eq!(took("sleep 0; sleep 0; sleep 0"), Alone::Waited);
        assert_eq!(Effort::of(u32::MAX).map(|effort| effort.sleeps), None);
    }
}
