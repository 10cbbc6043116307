//! Which of the model's codes an error of `identity` is. All are 400, as in the model, but for internal ones.

use http::{HeaderValue, StatusCode, header};

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
            IdentityError::PoolNotFound(_)
            | IdentityError::IdentityNotFound(_)
            | IdentityError::DeveloperUserNotFound(_) => "ResourceNotFoundException",
            IdentityError::Token(TokenError::IssuerUnavailable(cause)) => {
                // What the issuer's server did is for the operator alone: whoever sent the token may have named it.
                let cause = Some(cause.to_string());
                return Self { cause, ..Self::bad_request("ExternalServiceException", error.to_string()) };
            }
            IdentityError::GuestsOff
            | IdentityError::Forbidden(_)
            | IdentityError::LoginsDoNotMatch
            | IdentityError::MergeRefused
            | IdentityError::AmbiguousRole
            | IdentityError::CustomRole
            | IdentityError::TagValue(_)
            | IdentityError::UnsupportedProvider
            | IdentityError::Token(_) => "NotAuthorizedException",
            IdentityError::SeveralIdentities
            | IdentityError::MergeHookFailed
            | IdentityError::DeveloperUserMismatch
            | IdentityError::DifferentUsers(_)
            | IdentityError::Contended => "ResourceConflictException",
            IdentityError::DeveloperUserRegistered => "DeveloperUserAlreadyRegisteredException",
            IdentityError::ConcurrentModification => "ConcurrentModificationException",
            IdentityError::TooManyLogins(_)
            | IdentityError::PageToken
            | IdentityError::NeitherIdentityNorUser
            | IdentityError::NoDeveloperProvider(_)
            | IdentityError::NoDeveloperLogin
            | IdentityError::UnlinkByDeveloper(_)
            | IdentityError::DeveloperProviderSet
            | IdentityError::BasicFlowOff
            | IdentityError::TooManyTags
            | IdentityError::TooManyTagMaps
            | IdentityError::TooManyPoolTags
            | IdentityError::Session(SessionError::TooLarge { .. }) => "InvalidParameterException",
            IdentityError::Configuration => "InvalidIdentityPoolConfigurationException",
            IdentityError::HookThrottled { retry_seconds } => {
                // Cognito's model has it 400; ours is 429, as everywhere.
                return Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "TooManyRequestsException",
                    error.to_string(),
                )
                .with_header(header::RETRY_AFTER, HeaderValue::from(*retry_seconds));
            }
            IdentityError::Session(_) | IdentityError::SigningKey(_) | IdentityError::Store(_) => {
                return Self::internal(error);
            }
        };
        Self::bad_request(code, error.to_string())
    }
}
