//! The role that an identity gets: the one that its pool names, if that role trusts the identity.

use std::{borrow::Cow, sync::Arc, time::Duration};

use super::{IdentityError, Resolved, Result, SERVICE, mapping};
use crate::{
    base::{AccountId, CallerIdentity},
    policy::{Document, Keys, Request, Requester, Values, decide},
};

/// A role, as far as it matters who may assume it.
#[derive(Clone, Debug)]
pub struct Role {
    /// Whose it is.
    pub account: AccountId,
    /// Its name, without its path.
    pub name: String,
    /// `AROA…`
    pub id: String,
    /// The longest session it allows.
    pub session_max: Duration,
    /// Whom it trusts.
    pub trust: Arc<Document>,
}

/// Where roles are known. It reads memory alone.
pub trait RoleSource: Send + Sync {
    /// The role with this ARN.
    fn role(&self, arn: &str) -> Option<Role>;
}

/// Why a pool's role is not given; for the log alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
enum Refused {
    #[error("the pool names no role for such an identity")]
    NoneNamed,
    #[error("there is no such role")]
    Unknown,
    #[error("the role is another account's")]
    Foreign,
    #[error("the role's trust policy does not allow sts:AssumeRoleWithWebIdentity to the identity")]
    NotTrusted,
}

/// What a trust policy may ask about an identity: `cognito-identity.amazonaws.com:aud`, `:sub` and `:amr`,
/// `aws:FederatedProvider`, and the tags of the session to be, as `aws:RequestTag/…` and `aws:TagKeys`.
struct TrustKeys<'a>(&'a CallerIdentity);

impl Keys for TrustKeys<'_> {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        if key == "aws:federatedprovider" {
            return Some(Values::one(SERVICE));
        }
        if let Some(tag) = key.strip_prefix("aws:requesttag/") {
            // Tag keys are compared without case; the policy hands them over in lower case.
            let mut tags = self.0.principal_tags.iter();
            return tags.find(|(key, _)| key.eq_ignore_ascii_case(tag)).map(|(_, value)| Values::one(value));
        }
        if key == "aws:tagkeys" {
            let keys = self.0.principal_tags.keys().cloned().collect();
            return Some(Values::Many(Cow::Owned(keys)));
        }
        match key.strip_prefix(SERVICE)?.strip_prefix(':')? {
            "aud" => Some(Values::one(&self.0.pool_id)),
            "sub" => Some(Values::one(&self.0.identity_id)),
            "amr" => Some(Values::many(&self.0.amr)),
            _ => None,
        }
    }
}

/// Whether a role's trust policy lets an identity pool give the role to this identity, and tag its session if it is to have
/// tags.
pub fn is_trusted(trust: &Arc<Document>, role_arn: &str, identity: &CallerIdentity) -> bool {
    let keys = TrustKeys(identity);
    let allows = |action: &str| {
        let request = Request::to_assume(action, role_arn, Requester::Federated(SERVICE), &keys);
        decide(&request, [trust]).is_allow()
    };
    allows("sts:AssumeRoleWithWebIdentity")
        && (identity.principal_tags.is_empty() || allows("sts:TagSession"))
}

/// The role that the pool gives this identity: the one that its login chooses, or the request out of those, and else the
/// pool's own.
pub(super) fn role_of(
    resolved: &Resolved,
    caller: &CallerIdentity,
    custom: Option<&str>,
    roles: &dyn RoleSource,
) -> Result<Role> {
    let named = &resolved.pool.roles;
    let own = if caller.signed_in() { &named.authenticated } else { &named.unauthenticated };
    let chosen = mapping::chosen(resolved, custom)?;
    let arn = chosen.as_ref().or(own.as_ref());
    let found = match arn {
        None => Err(Refused::NoneNamed),
        Some(arn) => match roles.role(arn) {
            None => Err(Refused::Unknown),
            // It would let a pool's owner lend out another account's permissions.
            Some(role) if role.account != resolved.pool.account => Err(Refused::Foreign),
            Some(role) if !is_trusted(&role.trust, arn, caller) => Err(Refused::NotTrusted),
            Some(role) => Ok(role),
        },
    };
    found.map_err(|refused| {
        tracing::info!(pool = caller.pool_id, role = arn, %refused, "the pool's role was not given");
        IdentityError::Configuration
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Kind, defaults};

    fn trusts(document: &str, identity: &CallerIdentity) -> bool {
        let document = Arc::new(Document::parse(document, Kind::Trust).unwrap());
        is_trusted(&document, "arn:aws:iam::000000000000:role/app", identity)
    }

    fn identity(pool: &str, amr: &[&str]) -> CallerIdentity {
        CallerIdentity {
            pool_id: pool.to_owned(),
            identity_id: "r:me".to_owned(),
            amr: amr.iter().map(|one| (*one).to_owned()).collect(),
            ..CallerIdentity::default()
        }
    }

    #[test]
    fn the_default_documents_trust_their_own_pool_and_kind_alone() {
        let guest = identity("r:1", &["unauthenticated"]);
        let signed_in = identity("r:1", &["authenticated", "idp", "idp:client:ann"]);
        assert!(trusts(&defaults::trust_guest("r:1"), &guest));
        assert!(!trusts(&defaults::trust_guest("r:1"), &signed_in));
        assert!(!trusts(&defaults::trust_guest("r:2"), &guest));
        assert!(trusts(&defaults::trust_signed_in("r:1"), &signed_in));
        assert!(!trusts(&defaults::trust_signed_in("r:1"), &guest));
        assert!(!trusts(&defaults::trust_signed_in("r:2"), &signed_in));
    }

    #[test]
    fn a_trust_policy_may_ask_for_the_identity_and_the_provider() {
        let document = |principal: &str, key: &str, value: &str| {
            serde_json::json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Federated": principal},
                "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {key: value}},
            }]})
            .to_string()
        };
        let me = identity("r:1", &["authenticated"]);
        assert!(trusts(&document(SERVICE, "cognito-identity.amazonaws.com:sub", "r:me"), &me));
        assert!(!trusts(&document(SERVICE, "cognito-identity.amazonaws.com:sub", "r:you"), &me));
        assert!(trusts(&document(SERVICE, "aws:FederatedProvider", SERVICE), &me));
        assert!(!trusts(&document("accounts.google.com", "aws:FederatedProvider", SERVICE), &me));
        assert!(!trusts(&document(SERVICE, "cognito-identity.amazonaws.com:audience", "r:1"), &me));
    }
}
