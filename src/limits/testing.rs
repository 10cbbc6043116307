//! Limits over a store, for tests.

use std::sync::Arc;

use super::Limits;
use crate::{
    base::clock::SharedClock,
    quota::{Quota, QuotaConfig},
    store::{Feed, sqlite::SqliteStore},
};

/// The limits in this store beside the default ones, with what they follow.
pub(crate) async fn over(store: &SqliteStore, clock: SharedClock) -> (Arc<Limits>, Arc<Feed>, Arc<Quota>) {
    let quota = Arc::new(Quota::new(QuotaConfig::default(), clock.clone()));
    let store = Arc::new(store.clone());
    let feed = Feed::new(store.clone());
    let limits = Limits::new(store, feed.clone(), quota.clone(), clock);
    feed.start(vec![limits.clone()]).await.unwrap();
    (limits, feed, quota)
}
