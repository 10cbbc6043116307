//! OpenID Connect: verifying others' tokens, and issuing this gateway's own.
//!
//! A token is looked at in the order of cost: its size and form ([`jws`]), then the keys of the issuer that the pool trusts
//! ([`issuers`]; nothing that the token itself says leads anywhere), its signature, and last its claims ([`claims`]).

pub mod claims;
pub mod issuers;
pub mod jwks;
pub mod jws;
pub mod known;
pub mod signing;
mod strict_json;
#[cfg(test)]
pub(crate) mod test_issuer;
pub mod user_info;
pub mod verifier;
#[cfg(test)]
mod wycheproof_vectors;

pub use claims::{Expected, LEEWAY, Verified};
pub use issuers::{IssuerError, Issuers};
pub use known::KnownConfig;
pub use signing::{SigningKey, SigningKeyError};
pub use verifier::{TokenError, Verifier};
