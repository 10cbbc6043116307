//! Who calls: signatures, session credentials and OpenID Connect tokens, made and checked.
//!
//! [`Authn`] is the way of a signed request: [`Authn::begin`] looks at everything that the head tells, before a byte of
//! the body is read, and [`Authn::finish`] checks the signature over head and body and gives the caller.

pub mod error;
pub mod invoke_tokens;
pub mod oidc;
pub mod revoked;
pub mod sessions;
pub mod signed;
pub mod sigv4;

pub use error::{AuthnError, Family};
pub use revoked::Revoked;
pub use signed::{AccessKey, Authn, KeyStore, Pending, Verified};
