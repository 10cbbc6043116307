//! How much memory a sandbox's processes have used, read only when a report is wanted.

use std::fs;

/// How many processes are looked at; a function may have more, and then the figure is a lower bound.
const PROCESSES_MAX: usize = 64;

/// The sum of the highest resident sizes of all processes below `monitor`, in MiB, rounded up; `None` once they are gone.
pub fn high_water_mb(monitor: u32) -> Option<u64> {
    let mut found = children(monitor);
    let mut at = 0;
    while at < found.len() && found.len() < PROCESSES_MAX {
        found.extend(children(found[at]));
        at += 1;
    }
    let kib: u64 = found.iter().filter_map(|pid| high_water_kib(*pid)).sum();
    (kib > 0).then(|| kib.div_ceil(1024))
}

/// The processes that a process has started, as far as they live.
pub fn children(pid: u32) -> Vec<u32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

fn high_water_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
