//! What IAM answers for each way in which the directory refuses. Codes and statuses are those of the service's model.

use http::StatusCode;

use crate::{api::ApiError, iam::IamError};

impl From<IamError> for ApiError {
    fn from(error: IamError) -> Self {
        let (status, code) = match &error {
            IamError::NoSuchEntity(_) => (StatusCode::NOT_FOUND, "NoSuchEntity"),
            IamError::EntityAlreadyExists(_) => (StatusCode::CONFLICT, "EntityAlreadyExists"),
            IamError::MalformedPolicyDocument(_) => (StatusCode::BAD_REQUEST, "MalformedPolicyDocument"),
            IamError::DeleteConflict(_) => (StatusCode::CONFLICT, "DeleteConflict"),
            IamError::LimitExceeded(_) => (StatusCode::CONFLICT, "LimitExceeded"),
            IamError::InvalidInput(_) => (StatusCode::BAD_REQUEST, "InvalidInput"),
            IamError::ConcurrentModification(_) => (StatusCode::CONFLICT, "ConcurrentModification"),
            IamError::Store(_) | IamError::KeyRing(_) => return Self::internal(error),
        };
        Self::new(status, code, error.to_string())
    }
}

/// A member that is not implemented, refused by name with a code that IAM's model has.
pub(super) fn unsupported(member: &str, instead: &str) -> ApiError {
    ApiError { code: "InvalidInput".into(), ..ApiError::unsupported(member, instead) }
}
