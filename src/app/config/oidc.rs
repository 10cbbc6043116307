//! `[oidc]`: OpenID Connect issuers.

use super::section::section;

section! {
    /// How OpenID Connect issuers are asked for their keys.
    "oidc" Oidc {
        /// Accept issuers with `http` URLs on loopback addresses, for development.
        allow_loopback_http: bool = false;
    }
}
