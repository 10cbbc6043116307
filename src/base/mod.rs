//! Shared words: identifiers, ARNs, the caller, the clock, randomness, secrets. No I/O.

pub mod arn;
pub mod caller;
pub mod clock;
pub mod cold_start;
pub mod egress;
#[cfg(test)]
pub(crate) mod generated;
pub mod home;
pub mod ids;
pub mod json;
pub mod keyring;
pub mod network;
pub mod over_limit;
pub mod rng;
pub mod secret;
pub mod session;
pub mod special;

pub use arn::Arn;
pub use caller::{Caller, CallerIdentity, Principal};
pub use clock::{Clock, SystemClock, Timestamp};
pub use cold_start::ColdStart;
pub use egress::Egress;
pub use ids::{AccountId, Region, RequestId};
pub use keyring::{KeyRing, KeyRingError, Purpose};
pub use network::Network;
pub use over_limit::OverLimit;
pub use rng::{Rng, SystemRng};
pub use secret::Secret;
pub use session::{Origin, PolicyHash, SessionClaims, SessionRole, WebIdentity};
