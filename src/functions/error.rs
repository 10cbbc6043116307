//! Why something could not be done with a function. The texts are AWS's where it has one for the case.

use super::{package::PackageError, validation::Violations};
use crate::{base::KeyRingError, store::StoreError};

/// What goes wrong with functions. `api/lambda/errors.rs` gives each its code and status.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// Members of the request do not satisfy the model.
    #[error("{0}")]
    Invalid(Violations),
    /// A parameter's value is not one that can be used.
    #[error("{0}")]
    Parameter(String),
    /// There is no such function, or no such version of it.
    #[error("Function not found: {0}")]
    NotFound(String),
    /// An ARN of another region.
    #[error("Functions from '{named}' are not reachable in this region ('{ours}')")]
    WrongRegion {
        /// The region that the ARN names.
        named: String,
        /// The gateway's.
        ours: String,
    },
    /// A function cannot be made in another account.
    #[error("a function cannot be made in another account")]
    OtherAccount,
    /// The role belongs to another account.
    #[error("Cross-account pass role is not allowed.")]
    ForeignRole,
    /// There is a function of that name.
    #[error("Function already exist: {0}")]
    Exists(String),
    /// Another change of it is on its way.
    #[error("The operation cannot be performed at this time. {0}")]
    Busy(String),
    /// The caller's revision is not the newest.
    #[error(
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the \
         latest Revision Id"
    )]
    StaleRevision,
    /// The caller's revision is not the newest of the policy.
    #[error(
        "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision \
         Id"
    )]
    StalePolicy,
    /// The policy would become too long.
    #[error("The final policy size ({size}) is bigger than the limit ({limit}).")]
    PolicyTooLong {
        /// Bytes.
        size: usize,
        /// Bytes.
        limit: usize,
    },
    /// There is something of that name, or something that needs it.
    #[error("{0}")]
    Conflict(String),
    /// There is no such policy, statement or alias.
    #[error("{0}")]
    Missing(String),
    /// The request or its package is larger than AWS takes.
    #[error("{0}")]
    TooLarge(String),
    /// The package is refused, or could not be unpacked.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealing or opening failed.
    #[error(transparent)]
    Keys(#[from] KeyRingError),
}

impl FunctionError {
    /// What a second update meets while the first is on its way.
    pub(crate) fn update_in_progress(arn: &str) -> Self {
        Self::Busy(format!("An update is in progress for resource: {arn}"))
    }
}

impl From<Violations> for FunctionError {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}
