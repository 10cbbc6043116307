//! What a role's trust policy may ask about somebody whom an identity provider vouches for.

use std::collections::BTreeMap;

use super::Role;
use crate::policy::{Keys, Requester, Values};

/// What trust policies and condition keys call Cognito Identity.
pub const COGNITO: &str = "cognito-identity.amazonaws.com";

/// A verified token, and what is asked with it.
#[derive(Clone, Debug)]
pub struct WebIdentityRequest<'a> {
    /// How a trust policy names the provider: [`COGNITO`], or the ARN of an OpenID Connect provider.
    pub federated: &'a str,
    /// What the provider's condition keys begin with: [`COGNITO`], or its URL without scheme.
    pub prefix: &'a str,
    /// `aud`
    pub audience: &'a str,
    /// `sub`
    pub subject: &'a str,
    /// `amr`
    pub amr: &'a [String],
    /// The name that the session is to have.
    pub session_name: &'a str,
    /// The tags that the token gives the session.
    pub tags: &'a BTreeMap<String, String>,
}

impl Keys for WebIdentityRequest<'_> {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        match key {
            "aws:federatedprovider" => return Some(Values::one(self.federated)),
            "sts:rolesessionname" => return Some(Values::one(self.session_name)),
            _ => {}
        }
        if let Some(tag) = key.strip_prefix("aws:requesttag/") {
            let found = self.tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag));
            return found.map(|(_, value)| Values::one(value));
        }
        // Keys come in lower case; a provider's URL need not be.
        let (prefix, name) = key.rsplit_once(':')?;
        if !prefix.eq_ignore_ascii_case(self.prefix) {
            return None;
        }
        match name {
            "aud" => Some(Values::one(self.audience)),
            "sub" => Some(Values::one(self.subject)),
            "amr" => Some(Values::many(self.amr)),
            _ => None,
        }
    }
}

impl Role {
    /// Whether the role may be given to whom the token speaks of. Tags in it need a permission of their own.
    pub fn trusts_web_identity(&self, request: &WebIdentityRequest<'_>) -> bool {
        let requester = Requester::Federated(request.federated);
        let may = |action| self.trusts(action, requester, request);
        may("sts:AssumeRoleWithWebIdentity") && (request.tags.is_empty() || may("sts:TagSession"))
    }
}
