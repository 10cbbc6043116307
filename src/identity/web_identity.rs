//! Reading one's own open-id tokens again: the basic flow's second step, where one is exchanged for a role's credentials.

use serde_json::{Map, Value};

use super::{Identities, IdentityError, Result, tags};
use crate::{
    authn::oidc::TokenError,
    base::{AccountId, CallerIdentity, Timestamp},
    revocation::Holder,
};

impl Identities {
    /// Who a token of the gateway at `issuer` speaks of, and whose the pool is. Identity and pool must still be there, and nothing
    /// of the token's be revoked. Whoever asks has taken the time of the exchange before.
    pub async fn of_open_id_token(&self, issuer: &str, token: &str) -> Result<(AccountId, CallerIdentity)> {
        let claims = self.parts.open_id_keys.verify(token)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("iss") != issuer {
            return Err(IdentityError::Token(TokenError::Issuer));
        }
        let (expires, now) = (moment(&claims, "exp"), self.parts.clock.now());
        if now >= expires {
            return Err(IdentityError::Token(TokenError::Expired { expires, now }));
        }
        let not_found = || IdentityError::IdentityNotFound(text("sub").to_owned());
        let seen = self.seen(text("sub")).await?.ok_or_else(not_found)?;
        let pool = self.parts.pools.find(&seen.named.pool_id).ok_or_else(not_found)?;
        if pool.id != text("aud") {
            return Err(IdentityError::Token(TokenError::Audience));
        }
        let amr = texts(claims.get("amr"));
        let (logins, issued) = (providers(&amr), moment(&claims, "iat"));
        let identity = &seen.named;
        let guest_born = identity.is_guest().then_some(identity.born);
        self.admit(&pool, Some(Holder { identity_id: &identity.id, guest_born }), &[]).await?;
        if self.parts.revocations.ends_identity(&pool.id, &identity.id, &logins, issued) {
            // As STS has it for a token that has ended.
            return Err(IdentityError::Token(TokenError::Expired { expires: issued, now }));
        }
        // A merged id attributes and never authorises.
        if identity.merged.is_some() {
            return Err(not_found());
        }
        let caller = CallerIdentity {
            pool_id: pool.id.clone(),
            identity_id: identity.id.clone(),
            merged_id: None,
            born: identity.born,
            logins,
            amr,
            principal_tags: tags::carried(&claims),
        };
        Ok((pool.account, caller))
    }
}

fn moment(claims: &Map<String, Value>, name: &str) -> Timestamp {
    Timestamp::from_seconds(claims.get(name).and_then(Value::as_i64).unwrap_or_default())
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let values = value.and_then(Value::as_array).into_iter().flatten();
    values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
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
