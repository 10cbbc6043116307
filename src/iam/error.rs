//! Why IAM did not do what was asked. The names are those of IAM's model, the messages AWS's where they are known.

use crate::{base::KeyRingError, store::StoreError};

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// There is no such thing.
    #[error("{0}")]
    NoSuchEntity(String),
    /// There is one already.
    #[error("{0}")]
    EntityAlreadyExists(String),
    /// The policy is no policy, or says what is not understood.
    #[error("{0}")]
    MalformedPolicyDocument(String),
    /// Something that depends on it must go first.
    #[error("{0}")]
    DeleteConflict(String),
    /// There would be too many, or too much.
    #[error("{0}")]
    LimitExceeded(String),
    /// A value that does not make sense.
    #[error("{0}")]
    InvalidInput(String),
    /// Someone else changed it in between.
    #[error("{0} was changed by another request at the same time: try again.")]
    ConcurrentModification(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be sealed.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
}

/// What IAM's ways of changing things answer.
pub type Result<T> = std::result::Result<T, IamError>;

impl IamError {
    /// What depends on a thing that is to be deleted, in AWS's words.
    pub(super) fn must_first(what: &str) -> Self {
        Self::DeleteConflict(format!("Cannot delete entity, must {what} first."))
    }
}
