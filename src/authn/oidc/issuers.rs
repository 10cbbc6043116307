//! The keys of issuers: found by discovery, cached, fetched anew when needed and no more often than is decent.
//!
//! Each issuer has a state of its own, so that one that hangs makes nobody wait but its own users. Of each, one fetch
//! runs at a time, in a task of its own: a caller who leaves does not stop it for those who wait. While an issuer is down its
//! last keys go on serving, for a bounded time.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use openidconnect::{IssuerUrl, JsonWebKeySetUrl};
use serde::Deserialize;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{jwks::KeySet, signing::DISCOVERY_PATH};
use crate::{
    base::clock::SharedClock,
    outbound::{Outbound, OutboundError},
};

/// Keys younger than this are used without asking.
pub const FRESH: Duration = Duration::from_secs(3600);
/// Keys older than this are not used, however long the issuer is down.
pub const STALE_MAX: Duration = Duration::from_secs(24 * 3600);
/// An issuer is asked at most this often, whatever key ids tokens make up.
pub const INTERVAL_MIN: Duration = Duration::from_secs(10);
/// How many issuers are remembered.
const ISSUERS_MAX: u64 = 1000;

/// Why an issuer's keys could not be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IssuerError {
    /// A document could not be fetched.
    #[error("{document} of {issuer} could not be fetched: {cause}")]
    Fetch {
        /// Which document.
        document: &'static str,
        /// Whose.
        issuer: String,
        /// Why.
        cause: Arc<OutboundError>,
    },
    /// A document is not what it should be.
    #[error("{document} of {issuer} is not acceptable: {why}")]
    Document {
        /// Which document.
        document: &'static str,
        /// Whose.
        issuer: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It failed a moment ago, and is not asked again yet.
    #[error("{0} failed a moment ago and is not asked again yet")]
    Resting(String),
}

/// The issuers' keys.
pub struct Issuers {
    outbound: Outbound,
    clock: SharedClock,
    states: moka::sync::Cache<String, Arc<State>>,
}

struct State {
    issuer: String,
    keys: ArcSwapOption<Fetched>,
    /// Held by whoever fetches.
    attempts: Arc<Mutex<Attempts>>,
}

struct Fetched {
    keys: Arc<KeySet>,
    at: Duration,
}

#[derive(Default)]
struct Attempts {
    /// When the last began, on the monotonic clock.
    last: Option<Duration>,
}

impl Attempts {
    fn may_ask(&self, now: Duration) -> bool {
        self.last.is_none_or(|last| now.saturating_sub(last) >= INTERVAL_MIN)
    }
}

impl Issuers {
    /// Knows no issuer yet.
    pub fn new(outbound: Outbound, clock: SharedClock) -> Self {
        Self { outbound, clock, states: moka::sync::Cache::new(ISSUERS_MAX) }
    }

    /// What the issuers are asked by.
    pub(super) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// The keys of the issuer with this URL, fetched anew if none of them is called `key_id` and it may be asked now.
    pub async fn keys(&self, issuer: &str, key_id: Option<&str>) -> Result<Arc<KeySet>, IssuerError> {
        let state = self.states.get_with_by_ref(issuer, || {
            Arc::new(State {
                issuer: issuer.to_owned(),
                keys: ArcSwapOption::empty(),
                attempts: Arc::default(),
            })
        });
        match state.usable(self.clock.monotonic()) {
            Some((keys, age)) if keys.knows(key_id) => {
                if age >= FRESH {
                    // Good enough for this caller; the next ones find newer ones.
                    if let Ok(turn) = state.attempts.clone().try_lock_owned()
                        && turn.may_ask(self.clock.monotonic())
                    {
                        drop(self.fetch(&state, turn));
                    }
                }
                return Ok(keys);
            }
            _ => {}
        }
        let asked_at = self.clock.monotonic();
        let turn = state.attempts.clone().lock_owned().await;
        // By the time of this caller's wish: whoever waited for another's fetch is content with what that one brought.
        let failure = if turn.may_ask(asked_at) { self.fetch(&state, turn).await.ok() } else { None };
        // New, or old but still usable; if the wanted key is not among them, the token's verification says so.
        state.usable(self.clock.monotonic()).map(|(keys, _)| keys).ok_or_else(|| {
            failure.and_then(Result::err).unwrap_or_else(|| IssuerError::Resting(state.issuer.clone()))
        })
    }

    fn fetch(
        &self,
        state: &Arc<State>,
        mut turn: OwnedMutexGuard<Attempts>,
    ) -> tokio::task::JoinHandle<Result<(), IssuerError>> {
        let (state, outbound, clock) = (state.clone(), self.outbound.clone(), self.clock.clone());
        turn.last = Some(clock.monotonic());
        tokio::spawn(async move {
            let fetched = fetch(&outbound, &state.issuer).await;
            if let Err(error) = &fetched {
                tracing::warn!(issuer = %state.issuer, %error, "the issuer's keys could not be fetched");
            }
            let keys = Arc::new(fetched?);
            state.keys.store(Some(Arc::new(Fetched { keys, at: clock.monotonic() })));
            drop(turn);
            Ok(())
        })
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuers").field("known", &self.states.entry_count()).finish_non_exhaustive()
    }
}

impl State {
    /// Keys that are not too old, and their age.
    fn usable(&self, now: Duration) -> Option<(Arc<KeySet>, Duration)> {
        let fetched = self.keys.load_full()?;
        let age = now.saturating_sub(fetched.at);
        (age < STALE_MAX).then(|| (fetched.keys.clone(), age))
    }
}

/// Asks the issuer itself (OpenID Connect Discovery 1.0 §4).
async fn fetch(outbound: &Outbound, issuer: &str) -> Result<KeySet, IssuerError> {
    /// Of the metadata only what leads to the keys is read, so that issuers for workloads, which have no page to sign in
    /// at and leave the rest out, serve too.
    #[derive(Deserialize)]
    struct Metadata {
        issuer: IssuerUrl,
        jwks_uri: JsonWebKeySetUrl,
    }
    const DISCOVERY: &str = "the discovery document";
    const KEYS: &str = "the key set";
    let unacceptable = |document, why| IssuerError::Document { document, issuer: issuer.to_owned(), why };
    let failed = |document| {
        move |cause| IssuerError::Fetch { document, issuer: issuer.to_owned(), cause: Arc::new(cause) }
    };

    let url = IssuerUrl::new(issuer.to_owned())
        .and_then(|issuer| issuer.join(DISCOVERY_PATH.trim_start_matches('/')))
        .map_err(|_| unacceptable(DISCOVERY, "the issuer's name is no URL"))?;
    let metadata = outbound.get(url.as_str()).await.map_err(failed(DISCOVERY))?;
    let metadata: Metadata = serde_json::from_slice(&metadata)
        .map_err(|_| unacceptable(DISCOVERY, "issuer or jwks_uri is missing, or no URL"))?;
    if metadata.issuer.as_str() != issuer {
        return Err(unacceptable(DISCOVERY, "it names another issuer"));
    }
    if issuer.starts_with("https:") && metadata.jwks_uri.url().scheme() != "https" {
        return Err(unacceptable(DISCOVERY, "its keys are not at an https address"));
    }
    let keys = outbound.get(metadata.jwks_uri.as_str()).await.map_err(failed(KEYS))?;
    KeySet::parse(&keys).ok_or_else(|| unacceptable(KEYS, "it is no key set"))
}

#[cfg(test)]
mod tests;
