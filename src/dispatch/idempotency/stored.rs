//! Answers that were kept, wherever they are.

use std::sync::Arc;

use super::{Answer, key::Key, log::Place, segment};
use crate::base::KeyRing;

/// An answer that was kept.
#[derive(Debug)]
pub enum Stored {
    /// Here it is.
    Here(Arc<Answer>),
    /// It stands on disk.
    OnDisk(OnDisk),
}

/// Where an answer stands on disk.
#[derive(Debug)]
pub struct OnDisk {
    pub(super) key: Key,
    pub(super) place: Place,
    pub(super) ring: Arc<KeyRing>,
}

impl Stored {
    /// The answer; `None` if it cannot be read back.
    pub async fn read(self) -> Option<Arc<Answer>> {
        let on_disk = match self {
            Self::Here(answer) => return Some(answer),
            Self::OnDisk(on_disk) => on_disk,
        };
        let read = tokio::task::spawn_blocking(move || on_disk.read()).await.ok().flatten();
        if read.is_none() {
            tracing::error!("an answer that was kept with its idempotency key cannot be read any more");
        }
        read.map(Arc::new)
    }
}

impl OnDisk {
    fn read(&self) -> Option<Answer> {
        let bytes = self.place.read().ok()?;
        Answer::decode(&segment::answer(&bytes, &self.key, &self.ring)?)
    }
}
