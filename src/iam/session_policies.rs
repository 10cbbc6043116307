//! Session policies: what a session may do at most, beside what its role or user may.
//!
//! A session token carries the hash of its policies alone. The documents are in the store until the last session with them has
//! ended, and, compiled, in a bounded table in memory; who misses there reads the store once.

use std::{fmt, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};

use super::{
    IamError,
    permissions::{Room, check_policy},
};
use crate::{
    base::{Caller, PolicyHash, Timestamp},
    policy::{Document, Kind},
    store::{StoreError, iam::SessionPolicyStore},
};

/// How much memory compiled policies may take, in bytes of their texts.
const TEXT_BYTES_MAX: u64 = 4 << 20;
/// What an entry takes at least.
const TEXT_BYTES_MIN: usize = 512;

type Documents = Arc<[Arc<Document>]>;

/// The policies of sessions.
pub struct SessionPolicies {
    store: Arc<dyn SessionPolicyStore>,
    compiled: moka::sync::Cache<PolicyHash, (Documents, u32)>,
}

impl SessionPolicies {
    /// Policies kept by this store.
    pub fn new(store: Arc<dyn SessionPolicyStore>) -> Arc<Self> {
        let compiled = moka::sync::Cache::builder()
            .max_capacity(TEXT_BYTES_MAX)
            .weigher(|_, (_, size): &(Documents, u32)| *size)
            // Whoever was put in last is asked next.
            .eviction_policy(moka::policy::EvictionPolicy::lru())
            .build();
        Arc::new(Self { store, compiled })
    }

    /// Keeps policies, which were compiled before, until then.
    pub async fn keep(&self, texts: &[String], until: Timestamp) -> Result<PolicyHash, IamError> {
        let text = serde_json::to_string(texts).map_err(|error| StoreError::Unreadable {
            what: "session policies to be written".to_owned(),
            why: error.to_string(),
        })?;
        let mut hash = PolicyHash([0; 32]);
        hash.0.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        let documents = compile(hash, texts)?;
        self.store.keep_session_policies(&hash, &text, until).await?;
        self.hold(hash, documents, text.len());
        Ok(hash)
    }

    /// Makes sure that [`Self::of`] finds the policies of this caller.
    pub async fn prepare(&self, caller: &Caller) -> Result<(), IamError> {
        let Some(hash) = caller.session.as_ref().and_then(|session| session.policy) else { return Ok(()) };
        if self.compiled.get(&hash).is_some() {
            return Ok(());
        }
        let lost = |why: &str| StoreError::Unreadable {
            what: format!("session policies {hash}"),
            why: why.to_owned(),
        };
        let text = self.store.session_policies(&hash).await?.ok_or_else(|| lost("they are not there"))?;
        let texts: Vec<String> = serde_json::from_str(&text).map_err(|_| lost("they are not a list"))?;
        self.hold(hash, compile(hash, &texts)?, text.len());
        Ok(())
    }

    /// The policies of this caller; `None` if it has none. It reads memory alone, and fails where they are not held: a call
    /// without them would be one with more rights than its session.
    pub fn of(&self, caller: &Caller) -> Result<Option<Documents>, IamError> {
        let Some(hash) = caller.session.as_ref().and_then(|session| session.policy) else { return Ok(None) };
        match self.compiled.get(&hash) {
            Some((documents, _)) => Ok(Some(documents)),
            None => Err(IamError::Store(StoreError::Unreadable {
                what: format!("session policies {hash}"),
                why: "they are not in memory".to_owned(),
            })),
        }
    }

    /// Forgets the policies whose last session has ended.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, IamError> {
        Ok(self.store.drop_session_policies(now).await?)
    }

    fn hold(&self, hash: PolicyHash, documents: Documents, size: usize) {
        let size = u32::try_from(size.max(TEXT_BYTES_MIN)).unwrap_or(u32::MAX);
        self.compiled.insert(hash, (documents, size));
    }
}

/// Checks the text of a policy that a session is to have.
pub fn check(text: &str) -> Result<(), IamError> {
    check_policy(text, Room::Managed).map(drop)
}

fn compile(hash: PolicyHash, texts: &[String]) -> Result<Documents, StoreError> {
    let documents = texts.iter().map(|text| Document::parse(text, Kind::Identity).map(Arc::new));
    documents.collect::<Result<_, _>>().map_err(|error| StoreError::Unreadable {
        what: format!("session policies {hash}"),
        why: error.to_string(),
    })
}

impl fmt::Debug for SessionPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionPolicies").field("held", &self.compiled.entry_count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{AccountId, Origin, SessionClaims, SessionRole},
        store::sqlite::SqliteStore,
    };

    const ALLOW: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

    fn caller(policy: Option<PolicyHash>) -> Caller {
        let role = SessionRole { account: AccountId::DEFAULT, name: "app", id: "AROA1" };
        let now = Timestamp::from_seconds(0);
        let claims = SessionClaims::of_role(role, "s", Origin::at(now), now, now);
        Caller::of_session(Arc::new(SessionClaims { policy, ..claims }), "ASIA1")
    }

    #[tokio::test]
    async fn what_is_not_in_memory_is_read_once_and_what_is_nowhere_fails() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap());
        let policies = SessionPolicies::new(store.clone());
        let until = Timestamp::from_seconds(100);
        let hash = policies.keep(&[ALLOW.to_owned(), ALLOW.to_owned()], until).await.unwrap();
        assert_eq!(policies.of(&caller(Some(hash))).unwrap().unwrap().len(), 2);
        assert!(policies.of(&caller(None)).unwrap().is_none());

        // Another gateway, or this one after a restart.
        let other = SessionPolicies::new(store.clone());
        assert!(other.of(&caller(Some(hash))).is_err(), "never without what the session has");
        other.prepare(&caller(Some(hash))).await.unwrap();
        assert_eq!(other.of(&caller(Some(hash))).unwrap().unwrap().len(), 2);
        assert_eq!(other.sweep(Timestamp::from_seconds(101)).await.unwrap(), 1);
        other.prepare(&caller(Some(hash))).await.unwrap();
        assert!(other.of(&caller(Some(hash))).is_ok(), "held in memory");

        let third = SessionPolicies::new(store);
        assert!(third.prepare(&caller(Some(hash))).await.is_err());
        assert!(third.prepare(&caller(None)).await.is_ok());
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap());
        let policies = SessionPolicies::new(store);
        let documents: Documents = [].into();
        for number in 0..20_000_u32 {
            let mut hash = PolicyHash([0; 32]);
            hash.0[..4].copy_from_slice(&number.to_be_bytes());
            policies.hold(hash, documents.clone(), 0);
        }
        policies.compiled.run_pending_tasks();
        assert!(policies.compiled.weighted_size() <= TEXT_BYTES_MAX);
    }
}
