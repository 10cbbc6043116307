//! The sandboxes of a gateway, as the machine shows them.

use std::{fs, io, path::Path};

/// The processes at the heads of a gateway's sandboxes.
pub fn of(gateway: u32) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for thread in fs::read_dir(format!("/proc/{gateway}/task"))? {
        found.extend(listed(&thread?.path().join("children"))?);
    }
    found.retain(|process| {
        fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.trim() == "bwrap")
    });
    Ok(found)
}

/// Private dirty memory of all their processes, in bytes.
pub fn dirty(gateway: u32) -> io::Result<u64> {
    let mut next = of(gateway)?;
    let mut kib = 0;
    while let Some(process) = next.pop() {
        let map = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let line = map.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap_or_default();
        kib += line.trim().trim_end_matches(" kB").parse::<u64>().map_err(io::Error::other)?;
        next.extend(listed(Path::new(&format!("/proc/{process}/task/{process}/children")))?);
    }
    Ok(kib * 1024)
}

fn listed(file: &Path) -> io::Result<Vec<u32>> {
    Ok(fs::read_to_string(file)?
        .split_ascii_whitespace()
        .filter_map(|process| process.parse().ok())
        .collect())
}
