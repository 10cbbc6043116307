//! Which limit a request was over: what its refusal says of it.

use std::{sync::Arc, time::Duration};

/// A limit that is used up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OverLimit {
    /// Its name: ASCII letters, digits, `_`, `-` and `.`.
    pub name: Arc<str>,
    /// How much there is of it when nothing is used.
    pub quota: u64,
    /// In what time that much comes back; `None` for what is had at the same time and given back.
    pub window: Option<Duration>,
    /// When it may be tried again.
    pub retry_after: Duration,
}

impl OverLimit {
    /// A limit on what is had at the same time. When somebody gives some back nobody knows: it says one second.
    pub fn at_once(name: impl Into<Arc<str>>, quota: u64) -> Self {
        Self { name: name.into(), quota, window: None, retry_after: Duration::from_secs(1) }
    }

    /// When it may be tried again, in whole seconds, rounded up, at least one: what `Retry-After` can say.
    pub fn retry_seconds(&self) -> u64 {
        whole_seconds(self.retry_after)
    }

    /// The window in whole seconds, rounded up, at least one.
    pub fn window_seconds(&self) -> Option<u64> {
        self.window.map(whole_seconds)
    }
}

/// Seconds, rounded up, at least one.
fn whole_seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}
