//! Which of the model's codes an error of `identity` is. All are 400, as in the model, but for internal ones.

use crate::{
    api::ApiError,
    authn::{oidc::TokenError, sessions::SessionError},
    identity::IdentityError,
};

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
            IdentityError::Token(
                unavailable @ (TokenError::IssuerUnavailable(_) | TokenError::ProviderUnavailable(_)),
            ) => {
                // What the issuer's server did is for the operator alone: whoever sent the token may have named it.
                let cause = std::error::Error::source(unavailable).map(ToString::to_string);
                return Self { cause, ..Self::bad_request("ExternalServiceException", error.to_string()) };
            }
            IdentityError::TooManyGuests(over)
            | IdentityError::TooManyExchanges(over)
            | IdentityError::HookThrottled(over) => {
                return Self::throttled("TooManyRequestsException", error.to_string(), over.clone());
            }
            IdentityError::GuestsOff
            | IdentityError::Forbidden(_)
            | IdentityError::LoginsDoNotMatch
            | IdentityError::MergeRefused
            | IdentityError::AmbiguousRole
            | IdentityError::CustomRole
            | IdentityError::TagValue(_)
            | IdentityError::UnsupportedProvider
            | IdentityError::Revoked(_)
            | IdentityError::BearerOff
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
            IdentityError::Session(_)
            | IdentityError::SigningKey(_)
            | IdentityError::InvokeToken(_)
            | IdentityError::Store(_) => {
                return Self::internal(error);
            }
        };
        Self::bad_request(code, error.to_string())
    }
}
