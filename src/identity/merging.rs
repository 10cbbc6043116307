//! Merging: a guest's id that meets the login of another identity becomes that identity's.
//!
//! A pool may name a function that is asked first, the merge hook. It is asked outside any transaction, and may even call this
//! gateway back: both identities are read, the hook is asked, and then one short compare-and-set writes what was decided,
//! or nothing if either has changed meanwhile.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    Identities, IdentityError, Result, VerifiedLogin,
    identities::{ATTEMPTS, LOGINS_AN_IDENTITY_MAX},
};
use crate::{
    base::AccountId,
    store::identity::{IdentityRecord, Login, PoolRecord, Written},
};

/// The tag by which a pool names its merge hook: a function of the pool's own account, by its name.
pub const MERGE_HOOK_TAG: &str = "callgate:merge-hook";

/// Why a hook gave no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HookError {
    /// The pool's hook was asked too often.
    #[error("the merge hook of the pool was asked too often; try again in {retry_seconds} s")]
    Throttled {
        /// When it may be asked again.
        retry_seconds: u64,
    },
    /// Everything else; the text is for the log.
    #[error("{0}")]
    Failed(String),
}

/// Asks the functions that pools name as their merge hooks.
#[async_trait]
pub trait MergeHook: Send + Sync {
    /// The function's answer to this event. It comes within a bounded time, or is an error.
    async fn ask(
        &self,
        pool: &PoolRecord,
        function: &str,
        event: &Value,
    ) -> std::result::Result<Value, HookError>;
}

/// What is to become of a guest whose id was presented with another identity's login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// It becomes that identity.
    Merge,
    /// It stays a guest of its own; the caller gets the identity of the login.
    Keep,
    /// Nothing changes, and the caller gets nothing.
    Refuse,
}

impl Verdict {
    fn of(answer: &Value) -> Option<Self> {
        match answer.get("decision")?.as_str()? {
            "merge" => Some(Self::Merge),
            "keep" => Some(Self::Keep),
            "refuse" => Some(Self::Refuse),
            _ => None,
        }
    }
}

impl Identities {
    /// Merges a guest as it was seen into the identity that has the logins; that identity, or `None` if somebody was quicker
    /// and all is to be read again.
    pub(super) async fn merge(
        &self,
        pool: &PoolRecord,
        guest: &IdentityRecord,
        into: &str,
        new: &[Login],
        logins: &[VerifiedLogin],
    ) -> Result<Option<IdentityRecord>> {
        let Some(user) = self.parts.store.identity(into).await? else { return Ok(None) };
        if user.logins.len() + new.len() > LOGINS_AN_IDENTITY_MAX {
            return Err(IdentityError::TooManyLogins(LOGINS_AN_IDENTITY_MAX));
        }
        let hook = pool.settings.tags.get(MERGE_HOOK_TAG);
        let verdict = match hook {
            Some(function) => self.ask(pool, function, (guest, &user), logins).await?,
            None => Verdict::Merge,
        };
        let now = self.parts.clock.now();
        let written = match verdict {
            Verdict::Merge => self.parts.store.merge(guest, &user, new, now).await?,
            // Written even if there is no new login, so that what the hook saw is still so.
            Verdict::Keep => self.parts.store.link(&user, new, now).await?,
            Verdict::Refuse => return Err(IdentityError::MergeRefused),
        };
        match (written, verdict) {
            (Written::Done, Verdict::Merge) => {
                self.parts.fates.merged(&guest.id, &user.id, now);
                // The merge has ended the guest's own sessions.
                self.parts.revocations.refresh().await?;
                tracing::info!(pool = pool.id, from = guest.id, into = user.id, "a guest was merged");
                Ok(Some(user))
            }
            (Written::Done, _) => Ok(Some(user)),
            // What the hook decided was about states that are no more; it is for the client to come again.
            (Written::Lost, _) if hook.is_some() => Err(IdentityError::Contended),
            (Written::Lost, _) => Ok(None),
        }
    }

    async fn ask(
        &self,
        pool: &PoolRecord,
        function: &str,
        (guest, user): (&IdentityRecord, &IdentityRecord),
        logins: &[VerifiedLogin],
    ) -> Result<Verdict> {
        let met = logins.iter().find(|verified| user.logins.contains(&verified.login));
        // Without one the states that were read do not fit together any more.
        let met = met.ok_or(IdentityError::Contended)?;
        let event = json!({
            "version": 1,
            "event": "IdentityMerge",
            "identityPoolId": pool.id,
            "from": guest.id,
            "into": user.id,
            "login": met.login.provider,
            "claims": met.claims,
        });
        let failed = |why: String| {
            tracing::warn!(pool = pool.id, function, %why, "a merge hook failed; nothing was changed");
            IdentityError::MergeHookFailed
        };
        match self.parts.merge_hook.ask(pool, function, &event).await {
            Ok(answer) => Verdict::of(&answer).ok_or_else(|| {
                failed("its answer is not {\"decision\": \"merge\", \"keep\" or \"refuse\"}".to_owned())
            }),
            Err(HookError::Throttled { retry_seconds }) => {
                Err(IdentityError::HookThrottled { retry_seconds })
            }
            Err(HookError::Failed(why)) => Err(failed(why)),
        }
    }

    /// Merges the developer's user `source` into the user `destination` of the same pool, as the developer orders: the
    /// identity of the second, which has the logins of both.
    pub async fn merge_developer_identities(
        &self,
        account: AccountId,
        pool_id: &str,
        provider: &str,
        (source, destination): (&str, &str),
    ) -> Result<String> {
        let pool = self.parts.pools.get(account, pool_id)?;
        super::developer::check_provider(&pool, provider)?;
        for _ in 0..ATTEMPTS {
            let from = self.developer_user(&pool, provider, source).await?;
            let into = self.developer_user(&pool, provider, destination).await?;
            let is_public = |login: &&Login| login.provider != provider;
            let both = from
                .logins
                .iter()
                .filter(is_public)
                .find(|login| into.logins.iter().any(|other| other.provider == login.provider));
            let outcome = if from.id == into.id {
                Some(Ok(into.id.clone()))
            } else if from.logins.len() + into.logins.len() > LOGINS_AN_IDENTITY_MAX {
                Some(Err(IdentityError::TooManyLogins(LOGINS_AN_IDENTITY_MAX)))
            } else {
                both.map(|login| Err(IdentityError::DifferentUsers(login.provider.clone())))
            };
            if let Some(outcome) = outcome {
                // The two were read one after the other; was the first still the same when the second was read?
                match self.developer_user(&pool, provider, source).await? == from {
                    true => return outcome,
                    false => continue,
                }
            }
            let now = self.parts.clock.now();
            if self.parts.store.merge(&from, &into, &[], now).await? == Written::Done {
                self.parts.fates.merged(&from.id, &into.id, now);
                tracing::info!(
                    pool = pool.id,
                    from = from.id,
                    into = into.id,
                    "two developer's users were merged"
                );
                return Ok(into.id);
            }
        }
        Err(IdentityError::Contended)
    }
}
