//! `signal_all`: stops every process of a sandbox but its first, or has them go on.
//!
//! A function may wake its own processes while they are being stopped, so they are looked at afterwards and stopped again, up
//! to a limit.

use std::{fs, os::fd::OwnedFd, thread, time::Duration};

use rustix::process::{Signal, WaitOptions, getpid, set_parent_process_death_signal, waitpid};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Act, Namespaces};
use crate::sandbox::joiner::{ended_how, system, wire::Failure};

/// How often they are stopped before it is given up.
const PASSES_MAX: i32 = 8;
/// How often they are looked at after each stop, and how long is waited in between. A process that computes stops within
/// microseconds of the signal, one in a system call when that lets it.
const LOOKS_MAX: u32 = 50;
const PAUSE: Duration = Duration::from_micros(50);
/// Statuses of the child that does it, beside the number of passes.
const NEVER_STOPPED: i32 = 100;
const FAILED: i32 = 101;
/// How long that child may live.
const LIFE_SECONDS: u32 = 5;

/// Stops or continues all. The value is the number of passes it took.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct SignalAll {
    /// Whether they stop; otherwise they go on.
    pub stop: bool,
}

impl Act for SignalAll {
    fn act(&mut self, sandbox: &mut Namespaces, _handed: &mut Vec<OwnedFd>) -> Result<Value, Failure> {
        // The sandbox's own `/proc` names its processes as they are known inside.
        sandbox.join_mounts()?;
        sandbox.join_processes()?;
        let Some(child) = system::fork().map_err(Failure::at("fork"))? else {
            system::end_in(LIFE_SECONDS);
            let ready = set_parent_process_death_signal(Some(Signal::KILL));
            let status = if ready.is_err() { FAILED } else { signal(self.stop) };
            system::exit_now(status);
        };
        let status = waitpid(Some(child), WaitOptions::empty()).map_err(Failure::at("waitpid"))?;
        match status.and_then(|(_, status)| status.exit_status()) {
            Some(passes @ 0..=PASSES_MAX) => Ok(passes.into()),
            Some(NEVER_STOPPED) => {
                Err(Failure::new("stop its processes", "they were awake again each time they were looked at"))
            }
            _ => {
                let why =
                    status.map_or_else(|| "the helper is gone".to_owned(), |(_, status)| ended_how(status));
                Err(Failure::new("signal its processes", why))
            }
        }
    }
}

fn signal(stop: bool) -> i32 {
    if !stop {
        return if system::signal_others(Signal::CONT).is_ok() { 0 } else { FAILED };
    }
    for pass in 1..=PASSES_MAX {
        if system::signal_others(Signal::STOP).is_err() {
            return FAILED;
        }
        for _ in 0..LOOKS_MAX {
            match someone_runs() {
                Some(false) => return pass,
                Some(true) => thread::park_timeout(PAUSE),
                None => return FAILED,
            }
        }
    }
    NEVER_STOPPED
}

/// Whether any thread of the sandbox can still run; `None` if that cannot be told.
fn someone_runs() -> Option<bool> {
    let own = getpid().as_raw_pid();
    for entry in fs::read_dir("/proc").ok()? {
        let name = entry.ok()?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if pid == 1 || pid == own {
            continue;
        }
        // Who has ended meanwhile does not run.
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for thread in threads.flatten() {
            let stat = fs::read(thread.path().join("stat")).unwrap_or_default();
            if !is_still(&stat) {
                return Some(true);
            }
        }
    }
    Some(false)
}

/// Whether a thread does not run and cannot: stopped, ended, or in a system call that it leaves into the stop. (proc(5): the
/// state follows the name, which stands in parentheses and may hold any byte.)
fn is_still(stat: &[u8]) -> bool {
    let Some(end) = stat.iter().rposition(|byte| *byte == b')') else { return true };
    matches!(stat.get(end + 2), None | Some(b'T' | b't' | b'Z' | b'X' | b'x' | b'D' | b'I'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_after_the_name() {
        for (stat, still) in [
            (&b"7 (node) S 1"[..], false),
            (b"7 (a) T) R 1", false),
            (b"7 (a R b) T 1", true),
            (b"7 (x) Z 1", true),
            (b"7 (x) D 1", true),
            (b"", true),
        ] {
            assert_eq!(is_still(stat), still, "{}", String::from_utf8_lossy(stat));
        }
    }
}
