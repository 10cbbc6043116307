//! The `Logins` of a request: each verified by the provider that the pool trusts under its name.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value};

use super::{Identities, IdentityError, Result, SERVICE, identities::LOGINS_A_REQUEST_MAX};
use crate::{
    authn::oidc::{Verified, known},
    base::{AccountId, Timestamp},
    store::identity::{Login, PoolRecord},
};

/// The logins of a request: by provider, the token. Tokens do not print.
#[derive(Clone, Default)]
pub struct Logins(BTreeMap<String, String>);

impl Logins {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes out the login of this provider.
    pub fn take(&mut self, provider: &str) -> Option<String> {
        self.0.remove(provider)
    }

    /// Whether there is none, as with a guest.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<BTreeMap<String, String>> for Logins {
    fn from(tokens: BTreeMap<String, String>) -> Self {
        Self(tokens)
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// An OpenID Connect provider that an account has made known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provider {
    /// The issuer's URL, with its scheme, letter by letter as in its tokens.
    pub issuer: String,
    /// The client ids whose tokens are taken.
    pub client_ids: Vec<String>,
}

/// Where providers are known. It reads memory alone.
pub trait ProviderSource: Send + Sync {
    /// The provider of this account whose URL without scheme is `name`.
    fn provider(&self, account: AccountId, name: &str) -> Option<Provider>;
}

/// A login whose token was verified.
#[derive(Clone, PartialEq, Debug)]
pub struct VerifiedLogin {
    /// Who, at which provider.
    pub login: Login,
    /// For which client the token was made; for a developer's user it is the pool.
    pub client_id: String,
    /// When the token was issued.
    pub issued: Timestamp,
    /// What the token says.
    pub claims: Map<String, Value>,
    /// The identity that the token was made for, if this gateway made it for a developer's user.
    pub made_for: Option<String>,
}

/// The ARN of an OpenID Connect provider.
pub fn provider_arn(account: AccountId, name: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{name}")
}

impl Identities {
    /// Verifies every login, or refuses them all. The order is that of the names.
    pub(super) async fn verify(&self, pool: &PoolRecord, logins: &Logins) -> Result<Vec<VerifiedLogin>> {
        if logins.is_empty() && !pool.settings.allow_guests {
            return Err(IdentityError::GuestsOff);
        }
        if logins.len() > LOGINS_A_REQUEST_MAX {
            return Err(IdentityError::TooManyLogins(LOGINS_A_REQUEST_MAX));
        }
        // At once, so that several slow issuers take no longer than the slowest.
        futures_util::future::try_join_all(
            logins.0.iter().map(|(name, token)| self.verify_one(pool, name, token)),
        )
        .await
    }

    async fn verify_one(&self, pool: &PoolRecord, name: &str, token: &str) -> Result<VerifiedLogin> {
        if name == SERVICE {
            return self.developer_login(pool, token);
        }
        let verified = self.verify_token(pool, name, token).await?;
        Ok(VerifiedLogin {
            login: Login { provider: name.to_owned(), subject: verified.subject },
            client_id: verified.client_id,
            issued: verified.issued,
            claims: verified.claims,
            made_for: None,
        })
    }

    /// Has the token verified by whoever the pool says its provider is.
    async fn verify_token(&self, pool: &PoolRecord, name: &str, token: &str) -> Result<Verified> {
        let (verifier, settings) = (&self.parts.verifier, &pool.settings);
        if let Some(value) = settings.login_providers.get(name) {
            let verified = verifier.verify_supported(name, token, &known::client_ids(value)).await;
            return verified.map_err(IdentityError::Token);
        }
        let clients = settings.user_pools.iter().filter(|client| client.provider_name == name);
        let clients: Vec<_> = clients.map(|client| client.client_id.clone()).collect();
        if !clients.is_empty() {
            return verifier.verify_user_pool(name, token, &clients).await.map_err(IdentityError::Token);
        }
        if name == known::TWITTER_NAME {
            return known::check_name(name)
                .map_err(IdentityError::Token)
                .and(Err(IdentityError::UnsupportedProvider));
        }
        if name.contains(":saml-provider/") {
            return Err(IdentityError::Token(known::SAML));
        }
        let arn = provider_arn(pool.account, name);
        let provider = Some(&arn)
            .filter(|arn| pool.settings.oidc_providers.contains(arn))
            .and_then(|_| self.parts.providers.provider(pool.account, name))
            .ok_or(IdentityError::UnsupportedProvider)?;
        let verified = verifier.verify(token, &provider.issuer, &provider.client_ids).await;
        verified.map_err(IdentityError::Token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_print_their_providers_alone() {
        let logins = Logins::from(BTreeMap::from([("idp.example".to_owned(), "eyJhbGciOi".to_owned())]));
        assert_eq!(format!("{logins:?}"), r#"{"idp.example"}"#);
    }
}
