//! Developer-authenticated identities: users whom the developer's own back end has verified.
//!
//! The back end signs its calls, and names its user by an identifier of its own. What it gets is an open-id token, which an app
//! presents as the login `cognito-identity.amazonaws.com`, for session credentials, until the token ends.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, json};

use super::{
    Identities, IdentityError, Logins, OpenIdToken, Result, VerifiedLogin, identities::ATTEMPTS, tags,
};
use crate::{
    authn::oidc::TokenError,
    base::{AccountId, Timestamp},
    store::identity::{IdentityRecord, Login, PoolRecord, Written},
};

/// How long a developer's token lasts unless it is said otherwise (API reference of GetOpenIdTokenForDeveloperIdentity).
pub const LIFETIME: Duration = Duration::from_secs(900);
/// The claim by which tokens for a developer's users are told from those that any identity gets to show to others: only the
/// first are logins, or a token that was shown could be presented for credentials, and made anew for ever.
const USE_CLAIM: &str = "token_use";
const DEVELOPER_USE: &str = "developer";

/// What a developer asks a token for.
#[derive(Debug)]
pub struct DeveloperTokenRequest {
    /// The pool.
    pub pool_id: String,
    /// The identity that the logins are to be linked to.
    pub identity_id: Option<String>,
    /// The user, under the pool's developer provider name, and further logins.
    pub logins: Logins,
    /// Principal tags.
    pub principal_tags: BTreeMap<String, String>,
    /// How long the token is to last.
    pub lifetime: Duration,
}

/// What is known of a developer's user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeveloperIdentity {
    /// The identity.
    pub identity_id: String,
    /// Some of its identifiers at the developer, in order.
    pub users: Vec<String>,
    /// The last of them, if there are more.
    pub next: Option<String>,
}

/// Refuses a name that is not the pool's own for its developer's users.
pub(super) fn check_provider(pool: &PoolRecord, provider: &str) -> Result<()> {
    if pool.settings.developer_provider.as_deref() == Some(provider) {
        return Ok(());
    }
    Err(IdentityError::NoDeveloperProvider(provider.to_owned()))
}

impl Identities {
    /// A token for a developer's user, whose identity is made or linked as the table of logins says.
    pub async fn developer_token(
        &self,
        issuer: &str,
        account: AccountId,
        mut request: DeveloperTokenRequest,
    ) -> Result<OpenIdToken> {
        // Before anything is checked: what is revoked after this moment takes this token along.
        let issued = self.parts.clock.now();
        let pool = self.parts.pools.get(account, &request.pool_id)?;
        let provider = pool.settings.developer_provider.clone().unwrap_or_default();
        let user = request.logins.take(&provider).ok_or(IdentityError::NoDeveloperLogin)?;
        let login = Login { provider, subject: user };
        let mut logins = match request.logins.is_empty() {
            true => Vec::new(),
            false => self.verify(&pool, &request.logins).await?,
        };
        logins.push(VerifiedLogin {
            login: login.clone(),
            client_id: pool.id.clone(),
            issued,
            claims: Map::new(),
            made_for: None,
        });
        let id = match &request.identity_id {
            Some(id) => id.clone(),
            None => self.find_or_make(&pool, &logins).await?,
        };
        let resolved = match self.speak_for(pool.clone(), &id, None, logins).await {
            Err(IdentityError::LoginsDoNotMatch) => {
                let owners = self.parts.store.owners(&pool.id, &[login]).await?;
                return Err(match owners.into_iter().flatten().next() {
                    Some(_) => IdentityError::DeveloperUserRegistered,
                    None => IdentityError::LoginsDoNotMatch,
                });
            }
            resolved => resolved?,
        };
        let caller = resolved.caller();
        let mut claims = json!({
            "iss": issuer,
            "aud": caller.pool_id,
            "sub": caller.identity_id,
            "amr": caller.amr,
            "iat": issued.seconds(),
            "exp": issued.plus(request.lifetime).seconds(),
            USE_CLAIM: DEVELOPER_USE,
        });
        let mut principal_tags = caller.principal_tags;
        principal_tags.extend(request.principal_tags);
        tags::into_claims(&principal_tags, &mut claims);
        let token = self.parts.open_id_keys.sign(&claims)?;
        Ok(OpenIdToken { identity_id: resolved.id, token })
    }

    /// The login that a developer's token stands for, at the pool that it was made for.
    pub(super) fn developer_login(&self, pool: &PoolRecord, token: &str) -> Result<VerifiedLogin> {
        let claims = self.parts.open_id_keys.verify(token)?;
        let text = |name: &str| claims.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        if text(USE_CLAIM) != DEVELOPER_USE {
            return Err(IdentityError::UnsupportedProvider);
        }
        if text("aud") != pool.id {
            return Err(IdentityError::Token(TokenError::Audience));
        }
        let seconds = |name: &str| claims.get(name).and_then(|value| value.as_i64()).unwrap_or_default();
        let (expires, now) = (Timestamp::from_seconds(seconds("exp")), self.parts.clock.now());
        if now >= expires {
            return Err(IdentityError::Token(TokenError::Expired { expires, now }));
        }
        let provider =
            pool.settings.developer_provider.as_deref().ok_or(IdentityError::UnsupportedProvider)?;
        let prefix = format!("{provider}:{}:", pool.id);
        let subject = claims
            .get("amr")
            .and_then(|value| value.as_array())
            .and_then(|all| all.iter().find_map(|one| one.as_str()?.strip_prefix(&prefix)))
            .ok_or(IdentityError::UnsupportedProvider)?;
        Ok(VerifiedLogin {
            login: Login { provider: provider.to_owned(), subject: subject.to_owned() },
            client_id: pool.id.clone(),
            issued: Timestamp::from_seconds(seconds("iat")),
            made_for: Some(text("sub").to_owned()),
            claims,
        })
    }

    /// Refuses a developer's token whose user is not the identity's any more that it was made for.
    pub(super) async fn check_made_for(&self, made_for: &str, owner: Option<&str>) -> Result<()> {
        // Read only if it was merged since.
        if owner == Some(made_for) {
            return Ok(());
        }
        match (self.seen(made_for).await?, owner) {
            (Some(seen), Some(owner)) if seen.now().id == owner => Ok(()),
            _ => Err(IdentityError::LoginsDoNotMatch),
        }
    }

    /// The identity of a developer's user.
    pub(super) async fn developer_user(
        &self,
        pool: &PoolRecord,
        provider: &str,
        user: &str,
    ) -> Result<IdentityRecord> {
        let login = Login { provider: provider.to_owned(), subject: user.to_owned() };
        for _ in 0..ATTEMPTS {
            let owners = self.parts.store.owners(&pool.id, std::slice::from_ref(&login)).await?;
            let Some(id) = owners.into_iter().flatten().next() else {
                return Err(IdentityError::DeveloperUserNotFound(login.subject));
            };
            // It may have lost the login since then.
            let found = self.parts.store.identity(&id).await?;
            if let Some(found) = found.filter(|found| found.logins.contains(&login)) {
                return Ok(found);
            }
        }
        Err(IdentityError::Contended)
    }

    /// An identity's users at the developer, or the identity of a user; if both are named they must belong together.
    pub async fn lookup_developer_identity(
        &self,
        account: AccountId,
        pool_id: &str,
        (identity_id, user): (Option<&str>, Option<&str>),
        after: Option<&str>,
        limit: usize,
    ) -> Result<DeveloperIdentity> {
        let pool = self.parts.pools.get(account, pool_id)?;
        let provider = pool.settings.developer_provider.as_deref().unwrap_or_default();
        let identity = match (identity_id, user) {
            (None, None) => return Err(IdentityError::NeitherIdentityNorUser),
            (Some(id), None) => self.parts.store.identity(id).await?.filter(|found| found.pool_id == pool.id),
            (_, Some(user)) => Some(self.developer_user(&pool, provider, user).await?),
        };
        let identity = identity
            .ok_or_else(|| IdentityError::IdentityNotFound(identity_id.unwrap_or_default().to_owned()))?;
        if identity_id.is_some_and(|id| id != identity.id) {
            return Err(IdentityError::DeveloperUserMismatch);
        }
        if let (Some(_), Some(user)) = (identity_id, user) {
            return Ok(DeveloperIdentity {
                identity_id: identity.id,
                users: vec![user.to_owned()],
                next: None,
            });
        }
        let mut users: Vec<String> = identity
            .logins
            .into_iter()
            .filter(|login| login.provider == provider && after.is_none_or(|after| *login.subject > *after))
            .map(|login| login.subject)
            .collect();
        users.sort_unstable();
        let more = users.len() > limit;
        users.truncate(limit);
        let next = users.last().filter(|_| more).cloned();
        Ok(DeveloperIdentity { identity_id: identity.id, users, next })
    }

    /// Takes a developer's user from an identity. It is a new one when it is seen next.
    pub async fn unlink_developer_identity(
        &self,
        account: AccountId,
        pool_id: &str,
        identity_id: &str,
        (provider, user): (&str, &str),
    ) -> Result<()> {
        let pool = self.parts.pools.get(account, pool_id)?;
        check_provider(&pool, provider)?;
        let login = Login { provider: provider.to_owned(), subject: user.to_owned() };
        for _ in 0..ATTEMPTS {
            let seen = self.parts.store.identity(identity_id).await?.filter(|found| found.pool_id == pool.id);
            let seen = seen.ok_or_else(|| IdentityError::IdentityNotFound(identity_id.to_owned()))?;
            if !seen.logins.contains(&login) {
                return Err(IdentityError::DeveloperUserNotFound(login.subject));
            }
            let now = self.parts.clock.now();
            if self.parts.store.unlink(&seen, std::slice::from_ref(&login), now).await? == Written::Done {
                return Ok(());
            }
        }
        Err(IdentityError::Contended)
    }
}
