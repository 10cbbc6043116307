//! Tokens that STS takes: this gateway's own, and those of the account's OpenID Connect providers.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    api::sts::{WebToken, WebTokenError, WebTokens},
    authn::oidc::{Verifier, verifier::unverified_issuer_and_audience},
    base::{AccountId, WebIdentity},
    iam::Directory,
    identity::{Identities, IdentityError},
};

/// Verifies them.
pub(super) struct Tokens {
    pub(super) directory: Arc<Directory>,
    pub(super) identities: Arc<Identities>,
    pub(super) verifier: Arc<Verifier>,
}

#[async_trait]
impl WebTokens for Tokens {
    async fn verify(
        &self,
        account: AccountId,
        public_url: &str,
        token: &str,
    ) -> Result<WebToken, WebTokenError> {
        let (issuer, _) = unverified_issuer_and_audience(token)?;
        if issuer == public_url {
            let (account, identity) =
                self.identities.of_open_id_token(public_url, token).await.map_err(own)?;
            return Ok(WebToken::Cognito { account, identity });
        }
        let name = issuer.split_once("://").map_or(issuer.as_str(), |(_, name)| name);
        let provider = self
            .directory
            .oidc_provider(account, name)
            // What is trusted is the whole URL, scheme and all.
            .filter(|provider| provider.record.issuer == issuer)
            .ok_or_else(|| WebTokenError::UnknownProvider(issuer.chars().take(256).collect()))?;
        let record = &provider.record;
        let verified = self.verifier.verify(token, &record.issuer, &record.client_ids).await?;
        let amr = verified.claims.get("amr").and_then(serde_json::Value::as_array).into_iter().flatten();
        Ok(WebToken::Oidc {
            arn: provider.arn.clone(),
            identity: WebIdentity {
                provider: record.name.clone(),
                audience: verified.client_id,
                subject: verified.subject,
            },
            amr: amr.filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        })
    }
}

fn own(error: IdentityError) -> WebTokenError {
    match error {
        IdentityError::Token(error) => WebTokenError::Token(error),
        IdentityError::Store(error) => WebTokenError::Internal(error.to_string()),
        _ => WebTokenError::Gone,
    }
}
