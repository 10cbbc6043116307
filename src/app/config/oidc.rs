//! `[oidc]`: OpenID Connect issuers and the other providers of logins.

use super::{section::section, words::BaseUrl};

section! {
    /// Where providers of logins are, and how OpenID Connect issuers are asked for their keys.
    "oidc" Oidc {
        /// Accept issuers with `http` URLs on loopback addresses, for development.
        allow_loopback_http: bool = false;
        /// The issuer of logins named `accounts.google.com` in a pool's SupportedLoginProviders.
        google_issuer: BaseUrl = BaseUrl::of("https://accounts.google.com");
        /// The issuer of logins named `appleid.apple.com` in a pool's SupportedLoginProviders.
        apple_issuer: BaseUrl = BaseUrl::of("https://appleid.apple.com");
        /// Facebook's Graph API, which is asked about logins named `graph.facebook.com`.
        facebook_api: BaseUrl = BaseUrl::of("https://graph.facebook.com");
        /// Login with Amazon, which is asked about logins named `www.amazon.com`.
        amazon_api: BaseUrl = BaseUrl::of("https://api.amazon.com");
        /// For how many days a key signs this gateway's open-id tokens before another one does. It is published until its last
        /// token has ended.
        signing_key_days: u32 = 90, 1 to 3_650;
    }
}
