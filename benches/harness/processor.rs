//! Processor time, as the scheduler counts it.

use std::{collections::HashMap, fs, io};

/// What a process and all that descend from it have spent so far, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    pub own_us: f64,
    pub children_us: f64,
}

impl Time {
    /// Of a process that runs.
    pub fn of(process: u32) -> io::Result<Self> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for entry in fs::read_dir("/proc")? {
            let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if let Some(parent) = parent(id) {
                children.entry(parent).or_default().push(id);
            }
        }
        let mut time = Self { own_us: spent_us(process), children_us: 0.0 };
        let mut next = children.remove(&process).unwrap_or_default();
        while let Some(id) = next.pop() {
            time.children_us += spent_us(id);
            next.extend(children.remove(&id).unwrap_or_default());
        }
        Ok(time)
    }

    /// What was spent since `before`.
    pub fn since(self, before: Self) -> Self {
        Self { own_us: self.own_us - before.own_us, children_us: self.children_us - before.children_us }
    }
}

fn parent(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// All threads of a process together; nothing for one that has ended meanwhile.
fn spent_us(process: u32) -> f64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return 0.0 };
    let spent_ns = |thread: fs::DirEntry| -> Option<f64> {
        let figures = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        figures.split_ascii_whitespace().next()?.parse().ok()
    };
    threads.flatten().filter_map(spent_ns).sum::<f64>() / 1e3
}
