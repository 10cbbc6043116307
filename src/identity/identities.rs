//! Which identity a request means, run against the store.
//!
//! Read, decide ([`super::linking`]), write what the decision needs on condition that nothing has changed meanwhile; if
//! something has, begin again. So two devices that sign in as one subject at the same moment end up with one identity.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use super::{
    IdentityError, Logins, MergeHook, OpenIdKeys, Pools, ProviderSource, Result, RoleSource, VerifiedLogin,
    draw_id,
    fates::IdentityFates,
    linking::{Decision, Presented, Seen, decide},
    minting::Minting,
    tags,
};
use crate::{
    authn::{invoke_tokens::InvokeTokens, oidc::Verifier, sessions::Sessions},
    base::{AccountId, CallerIdentity, Region, Timestamp, clock::SharedClock, rng::SharedRng},
    revocation::{Holder, Presented as Exchanged, Revocations},
    store::identity::{IdentityRecord, IdentityStore, Login, PoolRecord, Written},
};

/// How many logins a request may have.
pub const LOGINS_A_REQUEST_MAX: usize = 10;
/// How many logins an identity may have.
pub const LOGINS_AN_IDENTITY_MAX: usize = 20;
/// How often it is begun again when others are quicker.
pub(super) const ATTEMPTS: usize = 4;
/// How many merges are followed from an id that was merged again and again.
const MERGES_MAX: usize = 16;

/// What [`Identities`] works with.
pub struct IdentitiesParts {
    /// Keeps the identities.
    pub store: Arc<dyn IdentityStore>,
    /// The pools.
    pub pools: Arc<Pools>,
    /// Knows the OpenID Connect providers.
    pub providers: Arc<dyn ProviderSource>,
    /// Verifies their tokens.
    pub verifier: Arc<Verifier>,
    /// Knows the roles and whom they trust.
    pub roles: Arc<dyn RoleSource>,
    /// Asks the pools' merge hooks.
    pub merge_hook: Arc<dyn MergeHook>,
    /// Makes session credentials.
    pub sessions: Arc<Sessions>,
    /// Limits how many guests are made.
    pub minting: Arc<dyn Minting>,
    /// Hears what becomes of identities.
    pub fates: Arc<dyn IdentityFates>,
    /// Makes invoke tokens.
    pub invoke_tokens: Arc<InvokeTokens>,
    /// What is revoked.
    pub revocations: Arc<Revocations>,
    /// Sign open-id tokens.
    pub open_id_keys: Arc<OpenIdKeys>,
    /// How long a guest may be idle before it expires; `None` for ever.
    pub guest_idle: Option<Duration>,
    /// For how long descriptions name what was merged into an identity.
    pub aliases: Duration,
    /// The time.
    pub clock: SharedClock,
    /// Draws ids.
    pub rng: SharedRng,
    /// Begins ids.
    pub region: Region,
}

/// The identities of all pools.
pub struct Identities {
    pub(super) parts: IdentitiesParts,
}

/// An identity that a request may speak for.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Its pool.
    pub pool: Arc<PoolRecord>,
    /// Its id, which is another than was presented after a merge.
    pub id: String,
    /// The id that was presented, where it is another and the merge is not too long ago.
    pub merged_id: Option<String>,
    /// When it was made.
    pub born: Timestamp,
    /// The logins of the request.
    pub logins: Vec<VerifiedLogin>,
    /// The principal tags that their claims give.
    pub principal_tags: BTreeMap<String, String>,
}

impl Resolved {
    /// What functions, policies and tokens are told. `amr` is as Cognito makes it: whether there was a login, and for each
    /// login its provider and `provider:client:subject`.
    pub fn caller(&self) -> CallerIdentity {
        let mut amr =
            vec![if self.logins.is_empty() { "unauthenticated" } else { "authenticated" }.to_owned()];
        for VerifiedLogin { login, client_id, .. } in &self.logins {
            amr.push(login.provider.clone());
            amr.push(format!("{}:{client_id}:{}", login.provider, login.subject));
        }
        CallerIdentity {
            pool_id: self.pool.id.clone(),
            identity_id: self.id.clone(),
            merged_id: self.merged_id.clone(),
            born: self.born,
            logins: self.logins.iter().map(|verified| verified.login.provider.clone()).collect(),
            amr,
            principal_tags: self.principal_tags.clone(),
        }
    }
}

impl Identities {
    /// Identities made of these parts.
    pub fn new(parts: IdentitiesParts) -> Arc<Self> {
        Arc::new(Self { parts })
    }

    /// The pools.
    pub fn pools(&self) -> &Pools {
        &self.parts.pools
    }

    /// The id of the identity with these logins (by provider, the token), or of a new one. An account that is named must be
    /// the pool's.
    pub async fn get_id(&self, account: Option<AccountId>, pool_id: &str, logins: &Logins) -> Result<String> {
        let pool = self.pool(pool_id)?;
        if account.is_some_and(|account| account != pool.account) {
            return Err(IdentityError::PoolNotFound(pool_id.to_owned()));
        }
        let logins = self.verify(&pool, logins).await?;
        if !logins.is_empty() {
            self.admit_exchange(pool_id, None)?;
        }
        self.find_or_make(&pool, &logins).await
    }

    /// The identity with this id, if these logins may speak for it.
    pub async fn resolve(&self, id: &str, logins: &Logins) -> Result<Resolved> {
        let not_found = || IdentityError::IdentityNotFound(id.to_owned());
        let seen = self.seen(id).await?.ok_or_else(not_found)?;
        let pool = self.parts.pools.find(&seen.named.pool_id).ok_or_else(not_found)?;
        let logins = self.verify(&pool, logins).await?;
        // What was seen before a token's issuer was asked may be old by now.
        let seen = Some(seen).filter(|_| logins.is_empty());
        let resolved = self.speak_for(pool, id, seen, logins).await?;
        // Only now: who may not speak for it uses up nothing of its.
        self.admit_exchange(&resolved.pool.id, Some(&resolved.id))?;
        Ok(resolved)
    }

    /// The id of the identity with these logins, or of a new one.
    pub(super) async fn find_or_make(&self, pool: &PoolRecord, logins: &[VerifiedLogin]) -> Result<String> {
        for _ in 0..ATTEMPTS {
            self.pool(&pool.id)?;
            match self.decide(pool, None, logins).await? {
                Decision::New => {
                    self.admit(pool, None, logins).await?;
                    let id = draw_id(&self.parts.region, self.parts.rng.as_ref());
                    let logins: Vec<Login> = logins.iter().map(|verified| verified.login.clone()).collect();
                    let now = self.parts.clock.now();
                    if self.parts.store.add_identity(&pool.id, &id, &logins, now).await? == Written::Done {
                        return Ok(id);
                    }
                }
                Decision::Is(id) => {
                    self.admit(pool, Some(Holder { identity_id: &id, guest_born: None }), logins).await?;
                    return Ok(id);
                }
                Decision::Link { identity, new } | Decision::Merge { into: identity, new } => {
                    let holder = Holder { identity_id: &identity, guest_born: None };
                    self.admit(pool, Some(holder), logins).await?;
                    let Some(seen) = self.parts.store.identity(&identity).await? else { continue };
                    if self.link(&seen, &new).await? == Written::Done {
                        return Ok(identity);
                    }
                }
            }
        }
        Err(IdentityError::Contended)
    }

    /// The identity of this pool with this id, if these logins may speak for it; `seen` is how it was just read.
    pub(super) async fn speak_for(
        &self,
        pool: Arc<PoolRecord>,
        id: &str,
        mut seen: Option<Seen>,
        logins: Vec<VerifiedLogin>,
    ) -> Result<Resolved> {
        let not_found = || IdentityError::IdentityNotFound(id.to_owned());
        let principal_tags = tags::of_logins(&pool, &logins)?;
        for _ in 0..ATTEMPTS {
            let seen = match seen.take() {
                Some(seen) => seen,
                None => self.seen(id).await?.ok_or_else(not_found)?,
            };
            if seen.named.pool_id != pool.id {
                return Err(not_found());
            }
            let decision = match self.decide(&pool, Some(&seen), &logins).await {
                Ok(decision) => decision,
                Err(error) => {
                    // Identity and logins are read one after the other. What does not fit may have changed in between.
                    if self.seen(id).await?.as_ref() == Some(&seen) {
                        return Err(error);
                    }
                    continue;
                }
            };
            let now = seen.now();
            let guest_born = now.is_guest().then_some(now.born);
            self.admit(&pool, Some(Holder { identity_id: &now.id, guest_born }), &logins).await?;
            if let Decision::Merge { into, .. } = &decision {
                self.admit(&pool, Some(Holder { identity_id: into, guest_born: None }), &logins).await?;
            }
            let whom = match decision {
                // An identity that was presented is never a new one.
                Decision::New => return Err(not_found()),
                Decision::Is(_) => match self.used(seen.now()).await {
                    Written::Done => Some(seen.now().clone()),
                    Written::Lost => None,
                },
                Decision::Link { new, .. } => match self.link(seen.now(), &new).await? {
                    Written::Done => Some(seen.now().clone()),
                    Written::Lost => None,
                },
                Decision::Merge { into, new } => self.merge(&pool, &seen.named, &into, &new, &logins).await?,
            };
            if let Some(identity) = whom {
                let merged_id = self.attributed(&seen.named, &identity);
                let IdentityRecord { id, born, .. } = identity;
                return Ok(Resolved { pool, id, merged_id, born, logins, principal_tags });
            }
        }
        Err(IdentityError::Contended)
    }

    /// The id that was presented, if it is another and the merge is recent enough to be told.
    fn attributed(&self, named: &IdentityRecord, is: &IdentityRecord) -> Option<String> {
        let since = self.parts.clock.now().minus(self.parts.aliases);
        let recent = named.merged.as_ref().is_none_or(|merged| merged.at >= since);
        (named.id != is.id && recent).then(|| named.id.clone())
    }

    pub(super) fn pool(&self, id: &str) -> Result<Arc<PoolRecord>> {
        self.parts.pools.find(id).ok_or_else(|| IdentityError::PoolNotFound(id.to_owned()))
    }

    /// Reads an identity, and who it has become; `None` if either is gone.
    pub(super) async fn seen(&self, id: &str) -> Result<Option<Seen>> {
        let Some(named) = self.parts.store.identity(id).await? else { return Ok(None) };
        let mut became: Option<IdentityRecord> = None;
        for _ in 0..MERGES_MAX {
            let Some(merged) = &became.as_ref().unwrap_or(&named).merged else {
                return Ok(Some(Seen { named, became }));
            };
            became = Some(match self.parts.store.identity(&merged.into).await? {
                Some(next) => next,
                None => return Ok(None),
            });
        }
        Ok(None)
    }

    /// Refuses logins from before a revocation, and ids that were disabled by one.
    pub(super) async fn admit(
        &self,
        pool: &PoolRecord,
        identity: Option<Holder<'_>>,
        logins: &[VerifiedLogin],
    ) -> Result<()> {
        let presented: Vec<_> = logins
            .iter()
            .map(|verified| Exchanged { provider: &verified.login.provider, issued: verified.issued })
            .collect();
        Ok(self.parts.revocations.check(&pool.id, identity, &presented).await??)
    }

    pub(super) async fn decide(
        &self,
        pool: &PoolRecord,
        seen: Option<&Seen>,
        logins: &[VerifiedLogin],
    ) -> Result<Decision> {
        let presented: Vec<Login> = logins.iter().map(|verified| verified.login.clone()).collect();
        let owners = self.parts.store.owners(&pool.id, &presented).await?;
        for (login, owner) in logins.iter().zip(&owners) {
            if let Some(made_for) = &login.made_for {
                self.check_made_for(made_for, owner.as_deref()).await?;
            }
        }
        let presented: Vec<Presented> =
            presented.into_iter().zip(owners).map(|(login, owner)| Presented { login, owner }).collect();
        decide(seen, &presented)
    }

    pub(super) async fn link(&self, seen: &IdentityRecord, new: &[Login]) -> Result<Written> {
        if seen.logins.len() + new.len() > LOGINS_AN_IDENTITY_MAX {
            return Err(IdentityError::TooManyLogins(LOGINS_AN_IDENTITY_MAX));
        }
        let written = self.parts.store.link(seen, new, self.parts.clock.now()).await?;
        if written == Written::Done && seen.is_guest() {
            // The first login has ended the guest's own sessions.
            self.parts.revocations.refresh().await?;
        }
        Ok(written)
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").field("pools", &self.parts.pools).finish_non_exhaustive()
    }
}
