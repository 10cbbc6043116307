//! Identity pools: who an app's user is, across devices and sign-ins, and which role that gives.
//!
//! Pools are held in memory ([`pools`]); identities are not, for there may be millions. [`linking`] is the table of logins
//! as a pure function; [`identities`] runs it against the store; [`credentials`] and [`open_id`] turn an identity into
//! session credentials and into a token to show to others. [`merging`] makes one identity of two, and [`developer`] is for users
//! whom a developer's own back end has verified.

pub mod credentials;
pub mod developer;
pub mod error;
pub mod fates;
pub mod identities;
pub mod invoke_token;
pub mod linking;
pub mod logins;
pub mod managing;
mod mapping;
pub mod merging;
pub mod minting;
pub mod open_id;
pub mod pools;
pub mod roles;
pub mod tags;
pub mod web_identity;

pub use credentials::IdentityCredentials;
pub use developer::{DeveloperIdentity, DeveloperTokenRequest};
pub use error::{IdentityError, Result};
pub use identities::{Identities, IdentitiesParts, Resolved};
pub use invoke_token::InvokeToken;
pub use logins::{Logins, Provider, ProviderSource, VerifiedLogin};
pub use managing::{Described, IdentityPage, NotDeleted};
pub use merging::{HookError, MERGE_HOOK_TAG, MergeHook};
pub use open_id::{OpenIdKeys, OpenIdKeysParts, OpenIdToken};
pub use pools::{NewPool, PoolPage, Pools};
pub use roles::{Role, RoleSource};

use crate::base::{Region, Rng};

/// What trust policies and condition keys call this service.
pub const SERVICE: &str = "cognito-identity.amazonaws.com";

/// A new id of a pool or an identity: `region:uuid`.
fn draw_id(region: &Region, rng: &dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    format!("{region}:{}", uuid::Builder::from_random_bytes(bytes).into_uuid().as_hyphenated())
}

#[cfg(test)]
pub(crate) mod tests;
