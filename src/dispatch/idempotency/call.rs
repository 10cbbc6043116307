//! A request that sends an id, as the look-up needs it.

use super::{
    book::Holders,
    key::{Key, Kind, Print, Shape},
};
use crate::base::{RequestId, Timestamp};

/// A request that sends an id.
#[derive(Clone, Debug)]
pub struct Call {
    /// Caller, function, id.
    pub key: Key,
    /// The kind of id.
    pub kind: Kind,
    /// Qualifier and invocation type.
    pub shape: Shape,
    /// The payload.
    pub print: Print,
    /// The request's id.
    pub id: RequestId,
    /// When it came.
    pub began: Timestamp,
    /// Who is charged for what is kept of it.
    pub holders: Holders,
    /// The identity's id, if the caller is one.
    pub identity: Option<Box<str>>,
}
