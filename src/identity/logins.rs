//! The `Logins` of a request: each verified by the provider that the pool trusts under its name.

use std::{collections::BTreeMap, fmt};

use super::{IdentityError, Result};
use crate::{
    authn::oidc::{Verified, Verifier},
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
    /// For which client the token was made.
    pub client_id: String,
    /// When the token was issued.
    pub issued: Timestamp,
}

/// The ARN of an OpenID Connect provider.
pub fn provider_arn(account: AccountId, name: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{name}")
}

/// Verifies every login, or refuses them all. The order is that of the names.
pub(super) async fn verify(
    pool: &PoolRecord,
    logins: &Logins,
    providers: &dyn ProviderSource,
    verifier: &Verifier,
) -> Result<Vec<VerifiedLogin>> {
    // At once, so that several slow issuers take no longer than the slowest.
    futures_util::future::try_join_all(logins.0.iter().map(async |(name, token)| {
        let arn = provider_arn(pool.account, name);
        let provider = Some(&arn)
            .filter(|arn| pool.settings.oidc_providers.contains(arn))
            .and_then(|_| providers.provider(pool.account, name))
            .ok_or(IdentityError::UnsupportedProvider)?;
        let verified: Verified = verifier
            .verify(token, &provider.issuer, &provider.client_ids)
            .await
            .map_err(IdentityError::Token)?;
        Ok(VerifiedLogin {
            login: Login { provider: name.clone(), subject: verified.subject },
            client_id: verified.client_id,
            issued: verified.issued,
        })
    }))
    .await
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
