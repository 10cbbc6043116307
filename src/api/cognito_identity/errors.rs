//! Which of the model's codes an error of `identity` is. All are 400, as in the model, but for internal ones.

use crate::{api::ApiError, authn::oidc::TokenError, authn::sessions::SessionError, identity::IdentityError};

/// `InvalidParameterException`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterException", message)
}

/// What is not implemented, by its name.
pub(super) fn unsupported(what: &str, instead: &str) -> ApiError {
    invalid(format!("{what} is not supported by Callgate: {instead}"))
}

impl From<IdentityError> for ApiError {
    fn from(error: IdentityError) -> Self {
        let code = match &error {
            IdentityError::PoolNotFound(_) | IdentityError::IdentityNotFound(_) => {
                "ResourceNotFoundException"
            }
            IdentityError::Token(
                unavailable @ (TokenError::IssuerUnavailable(_) | TokenError::ProviderUnavailable(_)),
            ) => {
                // What the issuer's server did is for the operator alone: whoever sent the token may have named it.
                let cause = std::error::Error::source(unavailable).map(ToString::to_string);
                return Self { cause, ..Self::bad_request("ExternalServiceException", error.to_string()) };
            }
            IdentityError::GuestsOff
            | IdentityError::Forbidden(_)
            | IdentityError::LoginsDoNotMatch
            | IdentityError::UnsupportedProvider
            | IdentityError::Revoked(_)
            | IdentityError::Token(_) => "NotAuthorizedException",
            IdentityError::SeveralIdentities | IdentityError::Merge | IdentityError::Contended => {
                "ResourceConflictException"
            }
            IdentityError::TooManyLogins(_)
            | IdentityError::PageToken
            | IdentityError::Session(SessionError::TooLarge { .. }) => "InvalidParameterException",
            IdentityError::Configuration => "InvalidIdentityPoolConfigurationException",
            IdentityError::Session(_) | IdentityError::SigningKey(_) | IdentityError::Store(_) => {
                return Self::internal(error);
            }
        };
        Self::bad_request(code, error.to_string())
    }
}
