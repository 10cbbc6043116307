//! Why IAM did not do what was asked. The names are those of IAM's model, the messages AWS's where they are known.

use crate::{
    base::KeyRingError,
    policy::{Kind, ParseError},
    store::StoreError,
};

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
    /// The refusal of a policy for this role.
    pub(super) fn of_policy(error: &ParseError, kind: Kind, role: &str) -> Self {
        match error {
            ParseError::TooLong { .. } => Self::policy_too_long(kind, role),
            ParseError::Malformed { .. } => Self::MalformedPolicyDocument(error.to_string()),
        }
    }

    /// The refusal of a policy that is over its limit, or over what is left of it.
    pub(super) fn policy_too_long(kind: Kind, role: &str) -> Self {
        Self::LimitExceeded(match kind {
            Kind::Trust => format!("Cannot exceed quota for ACLSizePerRole: {}", kind.size_max()),
            _ => format!("Maximum policy size of {} bytes exceeded for role {role}", kind.size_max()),
        })
    }
}
