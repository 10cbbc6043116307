//! Where no control group limits memory: a thread that looks at what sandboxes take, and ends those that take too much.
//!
//! It looks a few times a second at a bounded number of them, so a sandbox can take more for a moment; what one process has for
//! itself is bounded at once by its own limit (`RLIMIT_DATA`). Memory that no process has mapped, such as files in `/tmp`, it
//! does not see: that has a limit of its own.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Signal, pidfd_send_signal};

use super::{joiner::Inside, processes};

/// How often it looks, and at how many sandboxes each time. Looking at one takes some 0.1 ms.
const PERIOD: Duration = Duration::from_millis(200);
const LOOKS_MAX: usize = 32;

/// The thread. It ends with this value.
#[derive(Debug, Default)]
pub struct Watch {
    watched: Mutex<Vec<Weak<Watched>>>,
}

/// One sandbox that is looked at, until this is dropped.
#[derive(Debug)]
pub struct Watched {
    monitor: u32,
    inside: Arc<Inside>,
    bytes_max: u64,
    still: AtomicBool,
    over: AtomicBool,
}

impl Watch {
    /// Starts the thread.
    pub fn start() -> io::Result<Arc<Self>> {
        let watch = Arc::new(Self::default());
        let weak = Arc::downgrade(&watch);
        thread::Builder::new().name("memory watch".to_owned()).spawn(move || {
            let mut from = 0;
            while let Some(watch) = weak.upgrade() {
                from = watch.look(from);
                drop(watch);
                thread::park_timeout(PERIOD);
            }
        })?;
        Ok(watch)
    }

    /// Has a sandbox looked at.
    pub fn add(&self, monitor: u32, inside: Arc<Inside>, bytes_max: u64) -> Arc<Watched> {
        let (still, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let watched = Arc::new(Watched { monitor, inside, bytes_max, still, over });
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&watched));
        watched
    }

    /// Looks at some, beginning with number `from`; returns where to go on.
    fn look(&self, from: usize) -> usize {
        let turn: Vec<Arc<Watched>> = {
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            watched.retain(|watched| watched.strong_count() > 0);
            let awake =
                watched.iter().filter_map(Weak::upgrade).filter(|one| !one.still.load(Ordering::Relaxed));
            awake.collect()
        };
        let from = if from < turn.len() { from } else { 0 };
        for watched in turn.iter().skip(from).take(LOOKS_MAX) {
            watched.look();
        }
        from + LOOKS_MAX
    }
}

impl Watched {
    fn look(&self) {
        let pids = processes::below(self.monitor);
        // The cheap figure is never the smaller one.
        if processes::resident(&pids) > self.bytes_max && processes::shared_out(&pids) > self.bytes_max {
            self.over.store(true, Ordering::Release);
            // With its first process the whole sandbox ends.
            let _ = pidfd_send_signal(&*self.inside, Signal::KILL);
        }
    }

    /// Says whether it stands still, and so need not be looked at.
    pub fn set_still(&self, still: bool) {
        self.still.store(still, Ordering::Relaxed);
    }

    /// Whether it was ended because it took too much.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}
