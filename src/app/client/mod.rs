//! What commands say to a gateway: its own API, signed like any client's requests.

mod callgate;
mod lambda;
mod remote;
pub mod sign;
mod xml;

pub use remote::{ClientError, Door, Remote, Reply};
pub use xml::{all as elements, first as element};
