//! Which identity a request means, run against the store.
//!
//! Read, decide ([`super::linking`]), write what the decision needs on condition that nothing has changed meanwhile; if
//! something has, begin again. So two devices that sign in as one subject at the same moment end up with one identity.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    IdentityError, Logins, OpenIdKeys, Pools, ProviderSource, Result, RoleSource, VerifiedLogin, draw_id,
    linking::{Decision, Presented, decide},
    logins,
    minting::Minting,
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
const ATTEMPTS: usize = 4;

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
    /// Makes session credentials.
    pub sessions: Arc<Sessions>,
    /// Limits how many guests are made.
    pub minting: Arc<dyn Minting>,
    /// Makes invoke tokens.
    pub invoke_tokens: Arc<InvokeTokens>,
    /// What is revoked.
    pub revocations: Arc<Revocations>,
    /// Sign open-id tokens.
    pub open_id_keys: Arc<OpenIdKeys>,
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
    /// Its id.
    pub id: String,
    /// When it was made.
    pub born: Timestamp,
    /// The logins of the request.
    pub logins: Vec<VerifiedLogin>,
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
            born: self.born,
            logins: self.logins.iter().map(|verified| verified.login.provider.clone()).collect(),
            amr,
            principal_tags: BTreeMap::new(),
        }
    }
}

impl Identities {
    /// Identities made of these parts.
    pub fn new(parts: IdentitiesParts) -> Arc<Self> {
        Arc::new(Self { parts })
    }

    /// The id of the identity with these logins (by provider, the token), or of a new one. An account that is named must be
    /// the pool's.
    pub async fn get_id(&self, account: Option<AccountId>, pool_id: &str, logins: &Logins) -> Result<String> {
        let pool = self.pool(pool_id)?;
        if account.is_some_and(|account| account != pool.account) {
            return Err(IdentityError::PoolNotFound(pool_id.to_owned()));
        }
        let logins = self.verify(&pool, logins).await?;
        for _ in 0..ATTEMPTS {
            self.pool(pool_id)?;
            match self.decide(&pool, None, &logins).await? {
                Decision::New => {
                    self.admit(&pool, None, &logins).await?;
                    let id = draw_id(&self.parts.region, self.parts.rng.as_ref());
                    let logins: Vec<Login> = logins.iter().map(|verified| verified.login.clone()).collect();
                    let now = self.parts.clock.now();
                    if self.parts.store.add_identity(&pool.id, &id, &logins, now).await? == Written::Done {
                        return Ok(id);
                    }
                }
                Decision::Is(id) => {
                    self.admit(&pool, Some(Holder { identity_id: &id, guest_born: None }), &logins).await?;
                    return Ok(id);
                }
                Decision::Link { identity, new } => {
                    let holder = Holder { identity_id: &identity, guest_born: None };
                    self.admit(&pool, Some(holder), &logins).await?;
                    let Some(seen) = self.parts.store.identity(&identity).await? else { continue };
                    if self.link(&seen, &new).await? == Written::Done {
                        return Ok(identity);
                    }
                }
            }
        }
        Err(IdentityError::Contended)
    }

    /// The identity with this id, if these logins may speak for it.
    pub async fn resolve(&self, id: &str, logins: &Logins) -> Result<Resolved> {
        let not_found = || IdentityError::IdentityNotFound(id.to_owned());
        let mut seen = self.parts.store.identity(id).await?.ok_or_else(not_found)?;
        let pool = self.parts.pools.find(&seen.pool_id).ok_or_else(not_found)?;
        let logins = self.verify(&pool, logins).await?;
        for attempt in 0..ATTEMPTS {
            // What was seen before a token's issuer was asked may be old by now.
            if attempt > 0 || !logins.is_empty() {
                seen = self.parts.store.identity(id).await?.ok_or_else(not_found)?;
            }
            let decision = self.decide(&pool, Some(&seen), &logins).await?;
            let guest_born = seen.signed_in.is_none().then_some(seen.born);
            self.admit(&pool, Some(Holder { identity_id: &seen.id, guest_born }), &logins).await?;
            let linked = match decision {
                // An identity that was presented is never a new one.
                Decision::New | Decision::Is(_) => Written::Done,
                Decision::Link { new, .. } => self.link(&seen, &new).await?,
            };
            if linked == Written::Done {
                return Ok(Resolved { pool, id: seen.id, born: seen.born, logins });
            }
        }
        Err(IdentityError::Contended)
    }

    fn pool(&self, id: &str) -> Result<Arc<PoolRecord>> {
        self.parts.pools.find(id).ok_or_else(|| IdentityError::PoolNotFound(id.to_owned()))
    }

    async fn verify(&self, pool: &PoolRecord, logins: &Logins) -> Result<Vec<VerifiedLogin>> {
        if logins.is_empty() && !pool.settings.allow_guests {
            return Err(IdentityError::GuestsOff);
        }
        if logins.len() > LOGINS_A_REQUEST_MAX {
            return Err(IdentityError::TooManyLogins(LOGINS_A_REQUEST_MAX));
        }
        logins::verify(pool, logins, self.parts.providers.as_ref(), &self.parts.verifier).await
    }

    /// Refuses logins from before a revocation, and ids that were disabled by one.
    async fn admit(
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

    async fn decide(
        &self,
        pool: &PoolRecord,
        seen: Option<&IdentityRecord>,
        logins: &[VerifiedLogin],
    ) -> Result<Decision> {
        let logins: Vec<Login> = logins.iter().map(|verified| verified.login.clone()).collect();
        let owners = self.parts.store.owners(&pool.id, &logins).await?;
        let presented: Vec<Presented> =
            logins.into_iter().zip(owners).map(|(login, owner)| Presented { login, owner }).collect();
        decide(seen, &presented)
    }

    pub(super) async fn link(&self, seen: &IdentityRecord, new: &[Login]) -> Result<Written> {
        if seen.logins.len() + new.len() > LOGINS_AN_IDENTITY_MAX {
            return Err(IdentityError::TooManyLogins(LOGINS_AN_IDENTITY_MAX));
        }
        let written = self.parts.store.link(seen, new, self.parts.clock.now()).await?;
        if written == Written::Done && seen.signed_in.is_none() {
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
