//! Reading one's own open-id tokens again: the basic flow's second step, where one is exchanged for a role's credentials.

use serde_json::Value;

use super::{Identities, IdentityError, Result};
use crate::{
    authn::oidc::{
        TokenError,
        jwks::KeySet,
        verifier::{unverified_issuer_and_audience, verify_with},
    },
    base::{AccountId, CallerIdentity},
};

/// Where a token has its principal tags, as AWS's have them.
pub const TAGS_CLAIM: &str = "https://aws.amazon.com/tags";

impl Identities {
    /// Who a token of the gateway at `issuer` speaks of, and whose the pool is. The identity must still be there, and its pool.
    pub async fn of_open_id_token(&self, issuer: &str, token: &str) -> Result<(AccountId, CallerIdentity)> {
        let document = self.parts.open_id_keys.jwks().to_string();
        let keys = KeySet::parse(document.as_bytes()).ok_or(IdentityError::Token(TokenError::UnknownKey))?;
        let (_, audience) = unverified_issuer_and_audience(token).map_err(IdentityError::Token)?;
        let verified = verify_with(token, &keys, issuer, &[audience], self.parts.clock.now())
            .map_err(IdentityError::Token)?;
        let not_found = || IdentityError::IdentityNotFound(verified.subject.clone());
        let identity = self.parts.store.identity(&verified.subject).await?.ok_or_else(not_found)?;
        let pool = self.parts.pools.find(&identity.pool_id).ok_or_else(not_found)?;
        if pool.id != verified.client_id {
            return Err(IdentityError::Token(TokenError::Audience));
        }
        let amr = texts(verified.claims.get("amr"));
        let revocations = &self.parts.revocations;
        if revocations.ends_identity(&pool.id, &identity.id, &providers(&amr), verified.issued) {
            // As STS has it for a token that has ended.
            let (expires, now) = (verified.issued, self.parts.clock.now());
            return Err(IdentityError::Token(TokenError::Expired { expires, now }));
        }
        let tags = verified.claims.get(TAGS_CLAIM).and_then(|tags| tags.get("principal_tags"));
        let tags = tags.and_then(Value::as_object).into_iter().flatten();
        let caller = CallerIdentity {
            pool_id: pool.id.clone(),
            identity_id: identity.id,
            born: identity.born,
            logins: providers(&amr),
            amr,
            principal_tags: tags.filter_map(|(key, values)| Some((key.clone(), first(values)?))).collect(),
        };
        Ok((pool.account, caller))
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let values = value.and_then(Value::as_array).into_iter().flatten();
    values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// A tag's value stands in a list of one.
fn first(values: &Value) -> Option<String> {
    values.as_array()?.first()?.as_str().map(str::to_owned)
}

/// The providers in an `amr`: each is followed by `provider:client:subject`.
fn providers(amr: &[String]) -> Vec<String> {
    let is_followed = |pair: &&[String]| match pair {
        [one, next] => next.strip_prefix(one.as_str()).is_some_and(|rest| rest.starts_with(':')),
        _ => false,
    };
    amr.windows(2).filter(is_followed).filter_map(|pair| pair.first().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_told_from_the_other_references() {
        let amr =
            |texts: &[&str]| providers(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            amr(&["authenticated", "a.example", "a.example:app:ann", "b.io/x", "b.io/x:c:bob"]),
            ["a.example", "b.io/x"]
        );
        assert!(amr(&["unauthenticated"]).is_empty());
        assert!(amr(&[]).is_empty());
    }
}
