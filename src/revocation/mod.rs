//! Revocation: sessions and tokens that have ended before their time.
//!
//! A scope ([`Scope`]) is kept with a moment; whatever began at or before it has ended, on the next call and on every
//! exchange for something newer. Sessions carry where they began ([`Origin`]) from role to role, so that a chain of roles leads
//! nowhere. All scopes are in memory ([`table`]), kept by the store, bounded, and gone when the last session that they
//! could concern has ended by itself.
//!
//! **No gap.** A revocation first closes its scope in memory, then takes the time, commits, and opens the scope again with
//! that time. Whatever was let through before the scope was closed was issued before that time: an exchange takes its time
//! first and asks here after that.

mod scope;
mod table;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use scope::PRINCIPAL;
pub use scope::Scope;
use table::Table;

use crate::{
    authn::Revoked,
    base::{AccountId, Origin, SessionClaims, Timestamp, clock::SharedClock},
    store::{
        Change, Feed, Follower, Kind, StoreError,
        revocation::{GUEST, HOLD, RevocationRecord, RevocationStore, SESSION_MAX, guests_scope},
    },
};

/// How many scopes operators may have revoked at a time.
pub const SCOPES_MAX: usize = 50_000;
/// How many former guests are told apart; of more, those that end first are put together by pool.
pub const GUESTS_MAX: usize = 100_000;
/// How many identities on hold are known in memory; of more, every exchange asks the store.
const HELD_MAX: usize = 100_000;
/// How many records one transaction removes.
const PRUNED_AT_ONCE: u32 = 1000;

/// Why nothing was revoked, or why something is refused.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// The table is full.
    #[error(
        "{SCOPES_MAX} scopes are revoked already: revoke a wider one (a pool instead of its identities), or wait until older \
         ones have ended."
    )]
    Full,
    /// No such identity in this account.
    #[error("Identity '{0}' not found.")]
    IdentityNotFound(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an exchange is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// A login's token is from before a revocation.
    #[error(
        "Invalid login token. The sign-ins at {0} of before a revocation do not count any more: sign in anew."
    )]
    Login(String),
    /// The id of a guest that was revoked.
    #[error("Access to Identity '{0}' is forbidden.")]
    Disabled(String),
}

/// A revocation that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// What is revoked.
    pub scope: Scope,
    /// Whatever was issued at or before this moment has ended.
    pub not_before: Timestamp,
}

/// A login of an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The provider, as `Logins` name it.
    pub provider: &'a str,
    /// When its token was issued.
    pub issued: Timestamp,
}

/// The identity that the logins of an exchange lead to, or that presents itself without any.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// Its id.
    pub identity_id: &'a str,
    /// When it was made, if it is a guest.
    pub guest_born: Option<Timestamp>,
}

/// What is revoked.
pub struct Revocations {
    store: Arc<dyn RevocationStore>,
    feed: Arc<Feed>,
    clock: SharedClock,
    table: Arc<Table>,
}

impl Revocations {
    /// Knows nothing until it is loaded: make it a follower of `feed`.
    pub fn new(store: Arc<dyn RevocationStore>, feed: Arc<Feed>, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self { store, feed, clock, table: Arc::new(Table::new()) })
    }

    /// Ends everything of this scope that began until now. The revocation of an identity that is a guest disables its id too;
    /// that of a pool with `disable_guests` disables the ids of all guests it has by now.
    pub async fn revoke(
        &self,
        account: AccountId,
        scope: Scope,
        disable_guests: bool,
    ) -> Result<Made, RevocationError> {
        if self.table.len() >= SCOPES_MAX {
            return Err(RevocationError::Full);
        }
        let mut scopes = vec![scope.clone()];
        if let (Scope::Pool { pool_id }, true) = (&scope, disable_guests) {
            scopes.push(Scope::GuestIds { pool_id: pool_id.clone() });
        }
        let closed = self.table.close(scopes.iter().map(|scope| scope.to_string().into()).collect());
        let not_before = self.clock.now();
        let records: Vec<_> = scopes
            .iter()
            .map(|scope| RevocationRecord {
                scope: scope.to_string(),
                account,
                pool_id: scope.pool_id().map(str::to_owned),
                not_before,
                ends: scope.ends_with_sessions().then(|| not_before.plus(SESSION_MAX)),
            })
            .collect();
        let hold = match &scope {
            Scope::Identity { identity_id } => Some(identity_id.as_str()),
            _ => None,
        };
        self.store.revoke(&records, hold).await?;
        self.feed.catch_up().await?;
        drop(closed);
        tracing::info!(%scope, %not_before, disable_guests, "revoked");
        Ok(Made { scope, not_before })
    }

    /// Has the id of a guest open again what it did before it was revoked.
    pub async fn restore(&self, account: AccountId, identity_id: &str) -> Result<(), RevocationError> {
        if !self.store.restore(account, identity_id, self.clock.now()).await? {
            return Err(RevocationError::IdentityNotFound(identity_id.to_owned()));
        }
        self.feed.catch_up().await?;
        tracing::info!(identity_id, "restored");
        Ok(())
    }

    /// Brings memory up to what was committed: to be called after the first login of a guest and after a merge, before the
    /// answer goes out. (The transaction that wrote them has ended the guest's sessions.)
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.feed.catch_up().await?;
        if self.table.guests() > GUESTS_MAX {
            let keep = u32::try_from(GUESTS_MAX / 2).unwrap_or(u32::MAX);
            let folded = self.store.fold_guests(keep, self.clock.now()).await?;
            self.feed.catch_up().await?;
            tracing::warn!(
                folded,
                "so many guests have signed in that others of their pools begin sessions anew"
            );
        }
        Ok(())
    }

    /// What an account has revoked, in the order of the scopes' names. Former guests are not listed.
    pub async fn list(&self, account: AccountId) -> Result<Vec<RevocationRecord>, StoreError> {
        let mut records = self.store.revocations().await?;
        records.retain(|record| {
            record.account == account
                && !record.scope.starts_with(GUEST)
                && record.ends.is_none_or(|ends| ends > self.clock.now())
        });
        Ok(records)
    }

    /// Whether what was issued at `issued` to this identity has ended: by its pool, itself, a provider of its logins or, for a
    /// guest, by its first login. For tokens of identities; it reads memory alone.
    pub fn ends_identity(
        &self,
        pool_id: &str,
        identity_id: &str,
        providers: &[String],
        issued: Timestamp,
    ) -> bool {
        if providers.is_empty() && self.table.is_former_guest(identity_id) {
            return true;
        }
        let reading = self.table.reading();
        !reading.is_empty()
            && (reading.ends(&format!("pool/{pool_id}"), issued)
                || reading.ends(&format!("identity/{identity_id}"), issued)
                || (providers.is_empty() && reading.ends(&guests_scope(pool_id), issued))
                || providers
                    .iter()
                    .any(|provider| reading.ends(&format!("provider/{pool_id}/{provider}"), issued)))
    }

    /// Whether what descends from this origin has ended.
    pub fn ends_origin(&self, origin: &Origin) -> bool {
        let issued = origin.issued;
        if let (Some(pool_id), Some(identity_id)) = (&origin.pool_id, &origin.identity_id)
            && self.ends_identity(pool_id, identity_id, &origin.providers, issued)
        {
            return true;
        }
        let reading = self.table.reading();
        !reading.is_empty()
            && (origin.access_keys.iter().any(|id| reading.ends(&format!("access-key/{id}"), issued))
                || origin
                    .principals
                    .iter()
                    .any(|principal| reading.ends(&format!("{PRINCIPAL}{principal}"), issued)))
    }

    /// Whether an exchange of these logins for something newer is to be refused. `identity` is the one that they lead to; `None`
    /// for a new one. To be asked after the exchange took its time, and when the identity is known.
    pub async fn check(
        &self,
        pool_id: &str,
        identity: Option<Holder<'_>>,
        logins: &[Presented<'_>],
    ) -> Result<Result<(), Refusal>, StoreError> {
        let guest_ids = Scope::GuestIds { pool_id: pool_id.to_owned() }.to_string();
        let reading = self.table.reading();
        for login in logins {
            if !reading.is_empty()
                && (reading.ends(&format!("pool/{pool_id}"), login.issued)
                    || reading.ends(&format!("provider/{pool_id}/{}", login.provider), login.issued)
                    || identity.is_some_and(|identity| {
                        reading.ends(&format!("identity/{}", identity.identity_id), login.issued)
                    }))
            {
                return Ok(Err(Refusal::Login(login.provider.to_owned())));
            }
        }
        let Some(identity) = identity else { return Ok(Ok(())) };
        // A guest who asks while its identity is being revoked: that its id is disabled is not known yet.
        if reading.is_closed(&format!("identity/{}", identity.identity_id)) {
            return Ok(Err(Refusal::Disabled(identity.identity_id.to_owned())));
        }
        let ids_ended = identity.guest_born.is_some_and(|born| reading.ends(&guest_ids, born));
        if !ids_ended && !self.table.may_be_held(identity.identity_id) {
            return Ok(Ok(()));
        }
        let hold = self.store.hold(identity.identity_id).await?.unwrap_or_default();
        for login in logins {
            if hold.not_before.is_some_and(|not_before| login.issued <= not_before) {
                return Ok(Err(Refusal::Login(login.provider.to_owned())));
            }
        }
        // Restored after all guests of the pool were disabled?
        let ids_ended = ids_ended && hold.restored.is_none_or(|restored| reading.ends(&guest_ids, restored));
        Ok(if ids_ended || hold.disabled.is_some() {
            Err(Refusal::Disabled(identity.identity_id.to_owned()))
        } else {
            Ok(())
        })
    }

    /// Forgets what has ended, in portions. To be called now and then.
    pub async fn prune(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.table.prune(now);
        while self.store.prune(now, PRUNED_AT_ONCE).await? >= PRUNED_AT_ONCE.into() {}
        Ok(())
    }

    async fn reload(&self, scope: &str) -> Result<(), StoreError> {
        if let Some(identity_id) = scope.strip_prefix(HOLD) {
            let is_held = self.store.hold(identity_id).await?.is_some();
            self.table.set_held(identity_id, is_held, HELD_MAX);
            return Ok(());
        }
        let record = self.store.revocation(scope).await?;
        match scope.strip_prefix(GUEST) {
            Some(identity_id) => self.table.set_guest(identity_id, record.and_then(|record| record.ends)),
            None => self.table.set(scope, record.map(|record| (record.not_before, record.ends))),
        }
        Ok(())
    }
}

impl Revoked for Revocations {
    fn generation(&self) -> u64 {
        self.table.generation()
    }

    fn ends(&self, claims: &SessionClaims, access_key_id: &str) -> bool {
        if self.ends_origin(&claims.origin) {
            return true;
        }
        let reading = self.table.reading();
        !reading.is_empty() && reading.ends(&format!("access-key/{access_key_id}"), claims.issued)
    }

    fn ends_guest(&self, identity_id: &str) -> bool {
        self.table.is_former_guest(identity_id)
    }
}

#[async_trait]
impl Follower for Revocations {
    async fn load(&self) -> Result<(), StoreError> {
        let mut scopes = Vec::new();
        for record in self.store.revocations().await? {
            match record.scope.strip_prefix(GUEST) {
                Some(identity_id) => self.table.set_guest(identity_id, record.ends),
                None => scopes.push((record.scope.as_str().into(), record.not_before, record.ends)),
            }
        }
        self.table.load(scopes.into_iter());
        let held = self.store.held(u32::try_from(HELD_MAX).unwrap_or(u32::MAX).saturating_add(1)).await?;
        self.table.load_held(held.into_iter().map(Into::into), HELD_MAX);
        Ok(())
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes.iter().filter(|change| change.kind == Kind::Revocation) {
            self.reload(&change.key).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("scopes", &self.table.len())
            .field("former_guests", &self.table.guests())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
