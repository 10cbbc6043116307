//! What is done now and then.

use std::{sync::Arc, time::Duration};

use crate::{
    base::clock::SharedClock,
    functions::Functions,
    iam::SessionPolicies,
    identity::{Identities, OpenIdKeys},
    revocation::Revocations,
    store::Feed,
    telemetry::Metrics,
};

/// How often idle sandboxes and unused state are looked at.
pub(super) const SWEEP: Duration = Duration::from_secs(5);
/// How often a part of what limits remember is looked at: all of it in half a minute.
pub(super) const SWEEP_LIMITS: Duration = Duration::from_millis(500);
/// How often what other processes changed is read.
const FOLLOW: Duration = Duration::from_secs(2);
/// How often packages and session policies that nothing refers to are removed.
const TIDY: Duration = Duration::from_secs(300);

pub(super) async fn every(period: Duration, mut chore: impl FnMut() + Send) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        chore();
    }
}

/// Reads what other processes over the same store have changed.
pub(super) async fn follow(feed: Arc<Feed>) {
    loop {
        tokio::time::sleep(FOLLOW).await;
        if let Err(cause) = feed.catch_up().await {
            tracing::error!(%cause, "changes in the store could not be read; what is in memory may be old");
        }
    }
}

/// Drops the policies of sessions that have ended.
pub(super) async fn forget(policies: Arc<SessionPolicies>, clock: SharedClock) {
    loop {
        tokio::time::sleep(TIDY).await;
        if let Err(cause) = policies.sweep(clock.now()).await {
            tracing::warn!(%cause, "policies of sessions that have ended could not be dropped");
        }
    }
}

pub(super) async fn tidy(functions: Arc<Functions>) {
    loop {
        tokio::time::sleep(TIDY).await;
        match functions.sweep(false).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "packages that nothing refers to were removed"),
            Err(cause) => tracing::warn!(%cause, "packages that nothing refers to could not be removed"),
        }
    }
}

/// Removes guests that were idle for too long.
pub(super) async fn expire(identities: Arc<Identities>, metrics: Arc<Metrics>) {
    loop {
        match identities.expire_guests().await {
            Ok(0) => {}
            Ok(expired) => {
                metrics.guests_expired(expired);
                tracing::info!(expired, "guests that were idle for too long were removed");
            }
            Err(cause) => tracing::warn!(%cause, "guests that were idle for too long could not be removed"),
        }
        tokio::time::sleep(TIDY).await;
    }
}

pub(super) async fn prune(revocations: Arc<Revocations>, open_id_keys: Arc<OpenIdKeys>) {
    loop {
        tokio::time::sleep(TIDY).await;
        if let Err(cause) = open_id_keys.turn().await {
            tracing::warn!(%cause, "the keys for open-id tokens could not be looked after");
        }
        if let Err(cause) = revocations.prune().await {
            tracing::warn!(%cause, "revocations that have ended could not be removed");
        }
    }
}
