//! What a developer may see and do to identities, and what an identity may do to itself: describe, list, delete, unlink.

use std::sync::Arc;

use super::{
    Identities, IdentityError, Logins, Result, VerifiedLogin, identities::ATTEMPTS, linking::Decision,
};
use crate::{
    base::AccountId,
    store::identity::{IdentityRecord, Login, PoolRecord, Written},
};

/// How many ids a description names that were merged into the identity.
const ALIASES_MAX: u32 = 60;

/// An identity as it is described.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// The identity.
    pub identity: IdentityRecord,
    /// The ids that were merged into it of late, the latest first.
    pub aliases: Vec<String>,
}

/// Some of a pool's identities, in the order of their ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityPage {
    /// The identities.
    pub identities: Vec<IdentityRecord>,
    /// The id that the page ended at, if there may be more.
    pub next: Option<String>,
}

/// Why an identity was not deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotDeleted {
    /// It is not there, or not this account's.
    NotTheirs,
    /// The store failed.
    Failed,
}

impl Identities {
    /// An identity of this account.
    async fn owned(&self, account: AccountId, id: &str) -> Result<Option<(Arc<PoolRecord>, IdentityRecord)>> {
        let Some(identity) = self.parts.store.identity(id).await? else { return Ok(None) };
        let pool = self.parts.pools.find(&identity.pool_id).filter(|pool| pool.account == account);
        Ok(pool.map(|pool| (pool, identity)))
    }

    /// One identity of this account.
    pub async fn describe(&self, account: AccountId, id: &str) -> Result<Described> {
        let found = self.owned(account, id).await?;
        let (_, mut identity) = found.ok_or_else(|| IdentityError::IdentityNotFound(id.to_owned()))?;
        let since = self.parts.clock.now().minus(self.parts.aliases);
        let aliases = self.parts.store.merged_into(id, since, ALIASES_MAX).await?;
        if identity.merged.as_ref().is_some_and(|merged| merged.at < since) {
            identity.merged = None;
        }
        Ok(Described { identity, aliases })
    }

    /// At most `limit` identities of a pool after the identity `after`, which need not exist any more; without disabled ones
    /// if they are to be hidden, so that a page may have fewer although there are more.
    pub async fn list(
        &self,
        account: AccountId,
        pool_id: &str,
        after: Option<&str>,
        limit: u32,
        hide_disabled: bool,
    ) -> Result<IdentityPage> {
        let pool = self.parts.pools.get(account, pool_id)?;
        let mut identities = self.parts.store.identities(&pool.id, after, limit.saturating_add(1)).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = identities.len() > limit;
        identities.truncate(limit);
        let next = identities.last().filter(|_| more).map(|last| last.id.clone());
        identities.retain(|identity| !hide_disabled || !identity.is_disabled());
        Ok(IdentityPage { identities, next })
    }

    /// Deletes identities of this account, each by itself; those that were not, with the reason.
    pub async fn delete(&self, account: AccountId, ids: &[String]) -> Vec<(String, NotDeleted)> {
        let mut left = Vec::new();
        for id in ids {
            let deleted = match self.owned(account, id).await {
                Ok(Some(_)) => self.parts.store.delete_identity(id).await.map_err(IdentityError::from),
                Ok(None) => Ok(false),
                Err(error) => Err(error),
            };
            match deleted {
                Ok(true) => self.parts.fates.deleted(id).await,
                Ok(false) => left.push((id.clone(), NotDeleted::NotTheirs)),
                Err(cause) => {
                    tracing::error!(identity = id, %cause, "an identity could not be deleted");
                    left.push((id.clone(), NotDeleted::Failed));
                }
            }
        }
        left
    }

    /// Takes the logins of these providers from an identity, which `logins` prove to be the caller's. They are new when they
    /// are seen next; when the last is gone, nothing opens the identity any more.
    pub async fn unlink(&self, id: &str, logins: &Logins, providers: &[String]) -> Result<()> {
        let not_found = || IdentityError::IdentityNotFound(id.to_owned());
        let seen = self.seen(id).await?.ok_or_else(not_found)?;
        let pool = self.parts.pools.find(&seen.named.pool_id).ok_or_else(not_found)?;
        if let Some(developer) = &pool.settings.developer_provider
            && providers.contains(developer)
        {
            return Err(IdentityError::UnlinkByDeveloper(developer.clone()));
        }
        let verified = self.verify(&pool, logins).await?;
        self.unlink_verified(&pool, id, &verified, providers).await.map(drop)
    }

    /// The same with logins whose tokens were verified; the id of the identity.
    pub(super) async fn unlink_verified(
        &self,
        pool: &PoolRecord,
        id: &str,
        verified: &[VerifiedLogin],
        providers: &[String],
    ) -> Result<String> {
        let not_found = || IdentityError::IdentityNotFound(id.to_owned());
        for _ in 0..ATTEMPTS {
            let seen = self.seen(id).await?.ok_or_else(not_found)?;
            let (Decision::Is(owner) | Decision::Link { identity: owner, .. }) =
                self.decide(pool, Some(&seen), verified).await?
            else {
                // A guest with another's login: there is nothing of the guest's to unlink.
                return Err(IdentityError::LoginsDoNotMatch);
            };
            let identity = seen.now();
            // A guest proves nothing, and a new login is not linked in passing.
            if owner != identity.id || !verified.iter().any(|one| identity.logins.contains(&one.login)) {
                return Err(IdentityError::LoginsDoNotMatch);
            }
            let gone: Vec<Login> =
                identity.logins.iter().filter(|login| providers.contains(&login.provider)).cloned().collect();
            let now = self.parts.clock.now();
            if gone.is_empty() || self.parts.store.unlink(identity, &gone, now).await? == Written::Done {
                return Ok(owner);
            }
        }
        Err(IdentityError::Contended)
    }
}
