//! Host user ids, one for each sandbox, when the gateway runs as root.
//!
//! Bubblewrap maps the host's user to the sandbox's. Were it host root, the kernel would take the function for root where
//! it checks files by owner (for example `/proc/sys/kernel/core_pattern`); were it one user for all, sandboxes could signal
//! each other. So each has its own, and an id is used again only after its sandbox is gone.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// A range of user ids that belong to nobody on this machine.
#[derive(Debug)]
pub struct Uids {
    base: u32,
    count: u32,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    ids: HashSet<u32>,
    next: u32,
}

/// An id in use; free again when dropped.
#[derive(Debug)]
pub struct Uid {
    id: u32,
    uids: Arc<Uids>,
}

impl Uids {
    /// The ids `base` to `base + count - 1`.
    pub fn new(base: u32, count: u32) -> Arc<Self> {
        Arc::new(Self { base, count, taken: Mutex::default() })
    }

    /// Takes the id that was free for longest; `None` if all are in use.
    pub fn take(self: &Arc<Self>) -> Option<Uid> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..self.count {
            let id = self.base + taken.next;
            taken.next = (taken.next + 1) % self.count;
            if taken.ids.insert(id) {
                return Some(Uid { id, uids: self.clone() });
            }
        }
        None
    }
}

impl Uid {
    /// The id.
    pub fn get(&self) -> u32 {
        self.id
    }
}

impl Drop for Uid {
    fn drop(&mut self) {
        self.uids.taken.lock().unwrap_or_else(PoisonError::into_inner).ids.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_hold_the_same_id() {
        let uids = Uids::new(300_000, 3);
        let held: Vec<Uid> = std::iter::from_fn(|| uids.take()).collect();
        assert_eq!(held.iter().map(Uid::get).collect::<Vec<_>>(), [300_000, 300_001, 300_002]);
        drop(held);
        // The one that was freed is not the first to be used again.
        let first = uids.take().unwrap();
        drop(first);
        assert_eq!(uids.take().unwrap().get(), 300_001);
    }
}
