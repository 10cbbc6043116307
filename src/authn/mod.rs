//! Who calls: session credentials and OpenID Connect tokens, made and checked.

pub mod oidc;
pub mod sessions;
