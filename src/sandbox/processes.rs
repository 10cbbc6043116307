//! A sandbox's processes, as the host sees them, and how much memory they take.

use std::fs;

/// How many processes are looked at; more than these count as none.
const PROCESSES_MAX: usize = 2_048;

/// All processes below `top`, without itself. Processes that come and go meanwhile may be missing.
pub fn below(top: u32) -> Vec<u32> {
    let mut found = children(top);
    let mut at = 0;
    while at < found.len() && found.len() < PROCESSES_MAX {
        found.extend(children(found[at]));
        at += 1;
    }
    found
}

/// Its children by all of its threads.
fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .flat_map(|thread| {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
        })
        .collect()
}

/// Pages that each of these has in memory, shared ones counted each time, in bytes: never less than [`shared_out`], and cheap.
pub fn resident(pids: &[u32]) -> u64 {
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4_096);
    let pages = |pid: &u32| -> Option<u64> {
        fs::read_to_string(format!("/proc/{pid}/statm")).ok()?.split(' ').nth(1)?.parse().ok()
    };
    pids.iter().filter_map(pages).sum::<u64>() * page
}

/// The memory that these take together, shared pages by their shares (Pss), in bytes. The kernel walks all their pages.
pub fn shared_out(pids: &[u32]) -> u64 {
    let kib = |pid: &u32| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    };
    pids.iter().filter_map(kib).sum::<u64>() << 10
}
