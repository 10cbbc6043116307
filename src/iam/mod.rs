//! Accounts, users, access keys, roles, their policies, and OpenID Connect providers.
//!
//! The [`Directory`] holds all of it in memory, policies compiled, so that a call is authenticated and authorised
//! without a look-up anywhere else. Whatever is changed is written to the store first and read back from there.

pub mod accounts;
mod compile;
pub mod directory;
pub mod error;
mod follow;
pub mod oidc_providers;
pub mod permissions;
pub mod policies;
pub mod role;
pub mod roles;
pub mod session_policies;
pub mod simulate;
pub mod user;
pub mod users;
pub mod web_identity;

pub use accounts::NewAccessKey;
pub use directory::{Directory, Options, Parts};
pub use error::{IamError, Result};
pub use oidc_providers::NewOidcProvider;
pub use policies::NewPolicy;
pub use role::{OidcProvider, Role};
pub use roles::NewRole;
pub use session_policies::SessionPolicies;
pub use user::{ManagedPolicy, User};
pub use users::NewUser;

use crate::base::Rng;

/// What the ids of long-lived access keys begin with.
const ACCESS_KEY_PREFIX: &str = "AKIA";
/// What the ids of roles begin with.
const ROLE_PREFIX: &str = "AROA";

/// An id as AWS makes them: a prefix that says of what, and letters and digits of base32.
fn draw_id(prefix: &str, letters: usize, rng: &dyn Rng) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut drawn = vec![0; letters];
    rng.fill(&mut drawn);
    // 256 is a multiple of 32, so every letter is as likely as any other.
    prefix.chars().chain(drawn.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))).collect()
}

#[cfg(test)]
pub(crate) mod tests;
