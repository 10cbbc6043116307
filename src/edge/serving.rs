//! The threads that serve, each with an event loop of its own.
//!
//! A connection is given to one of them and stays there: what a call waits for, its client, its sandbox, its timers, is
//! watched by the thread that runs it, so no call hands over between threads. Connections are dealt out in turn. (The
//! system's own way of sharing them out, `SO_REUSEPORT`, deals by a hash: of a few connections, all may fall to one thread.)

use std::{
    future::Future,
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

use crate::base::home;

/// Threads that serve until this is dropped; what they have not ended by then is cut off.
#[derive(Debug)]
pub struct Serving {
    threads: Vec<Thread>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Thread {
    events: Handle,
    // The thread ends when this is dropped.
    _until: oneshot::Sender<()>,
}

impl Thread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let events = runtime.handle().clone();
        let (until, dropped) = oneshot::channel::<()>();
        std::thread::Builder::new().name(format!("serving-{number}")).spawn(move || {
            home::enter(number);
            let _ = runtime.block_on(dropped);
            // What was cut off must not hold up the end.
            runtime.shutdown_background();
        })?;
        Ok(Self { events, _until: until })
    }
}

impl Serving {
    /// Starts so many threads, at least one.
    pub fn start(threads: usize) -> io::Result<Self> {
        let threads = (0..threads.max(1)).map(Thread::start).collect::<io::Result<_>>()?;
        Ok(Self { threads, next: AtomicUsize::new(0) })
    }

    /// Has the next thread in turn run this.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.threads.len();
        if let Some(thread) = self.threads.get(turn) {
            thread.events.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn threads_take_turns_and_end_with_their_owner() {
        let serving = Serving::start(2).unwrap();
        let (sender, homes) = mpsc::channel();
        for _ in 0..4 {
            let sender = sender.clone();
            serving.spawn(async move { sender.send(home::current()).unwrap() });
        }
        let mut seen: Vec<usize> = homes.iter().take(4).collect();
        seen.sort_unstable();
        assert_eq!(seen, [0, 0, 1, 1]);
        // This one would never end.
        serving.spawn(async move {
            std::future::pending::<()>().await;
            drop(sender);
        });
        drop(serving);
        // Both threads are gone, and what they ran with them.
        assert!(homes.recv().is_err());
    }
}
