//! The providers that identity pools support by name (`SupportedLoginProviders`): where each is, and how its sign-ins are
//! verified.
//!
//! Google and Apple issue ID tokens. Facebook and Amazon issue access tokens, which mean nothing to anybody but themselves: they
//! are asked whose a token is, and for which app it was made. Twitter's OAuth 1.0a needs the developer's secret and is refused.

use super::{
    user_info::{AMAZON, FACEBOOK, UserInfo},
    verifier::TokenError,
};
use crate::outbound::Outbound;

/// Google, as logins name it.
pub const GOOGLE_NAME: &str = "accounts.google.com";
/// Apple, as logins name it.
pub const APPLE_NAME: &str = "appleid.apple.com";
/// Twitter, as logins name it.
pub const TWITTER_NAME: &str = "api.twitter.com";
/// What Twitter's older kin was called.
const DIGITS_NAME: &str = "www.digits.com";

/// Where the providers are. Each is a URL without a path and without a slash at its end.
#[derive(Clone, Debug)]
pub struct KnownConfig {
    /// Google's issuer.
    pub google_issuer: String,
    /// Apple's issuer.
    pub apple_issuer: String,
    /// Where Facebook's Graph API is.
    pub facebook_api: String,
    /// Where Login with Amazon is.
    pub amazon_api: String,
}

impl Default for KnownConfig {
    fn default() -> Self {
        Self {
            google_issuer: "https://accounts.google.com".to_owned(),
            apple_issuer: "https://appleid.apple.com".to_owned(),
            facebook_api: "https://graph.facebook.com".to_owned(),
            amazon_api: "https://api.amazon.com".to_owned(),
        }
    }
}

/// The providers.
#[derive(Debug)]
pub(super) struct Known {
    google: String,
    apple: String,
    facebook: UserInfo,
    amazon: UserInfo,
}

/// How a provider's tokens are verified.
pub(super) enum Found<'a> {
    /// By the keys of this issuer.
    Issuer(&'a str),
    /// By asking.
    UserInfo(&'a UserInfo),
}

impl Known {
    pub(super) fn new(config: &KnownConfig, outbound: Outbound) -> Self {
        Self {
            google: config.google_issuer.clone(),
            apple: config.apple_issuer.clone(),
            facebook: UserInfo::new(&FACEBOOK, &config.facebook_api, outbound.clone()),
            amazon: UserInfo::new(&AMAZON, &config.amazon_api, outbound),
        }
    }

    pub(super) fn find(&self, provider: &str) -> Result<Found<'_>, TokenError> {
        check_name(provider)?;
        Ok(match provider {
            GOOGLE_NAME => Found::Issuer(&self.google),
            APPLE_NAME => Found::Issuer(&self.apple),
            name if name == FACEBOOK.name => Found::UserInfo(&self.facebook),
            name if name == AMAZON.name => Found::UserInfo(&self.amazon),
            _ => return Err(UNKNOWN),
        })
    }
}

const UNKNOWN: TokenError = TokenError::Unsupported {
    provider: "A provider other than accounts.google.com, appleid.apple.com, graph.facebook.com and www.amazon.com in \
               SupportedLoginProviders",
    instead: "make its issuer known with iam:CreateOpenIDConnectProvider, and name its ARN in OpenIdConnectProviderARNs",
};

/// Refuses, by name, what a pool cannot support: for whoever sets a pool's `SupportedLoginProviders`.
pub fn check_name(provider: &str) -> Result<(), TokenError> {
    match provider {
        GOOGLE_NAME | APPLE_NAME => Ok(()),
        name if name == FACEBOOK.name || name == AMAZON.name => Ok(()),
        TWITTER_NAME | DIGITS_NAME => Err(TokenError::Unsupported {
            provider: "Signing in with Twitter (OAuth 1.0a)",
            instead: "use X's OAuth 2.0 by way of an OpenID Connect provider of yours, or developer-authenticated identities",
        }),
        _ => Err(UNKNOWN),
    }
}

/// Why SAML is refused, for whoever is given a `SamlProviderARNs` or a SAML login.
pub const SAML: TokenError = TokenError::Unsupported {
    provider: "Signing in with SAML",
    instead: "put an OpenID Connect provider in front of the SAML one, and make it known with iam:CreateOpenIDConnectProvider",
};

/// The client ids of a provider, as the value of a pool's `SupportedLoginProviders` names them: several are told apart by `;`
/// (**ours**; an app has one for each platform).
pub fn client_ids(value: &str) -> Vec<String> {
    value.split(';').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
