//! Why a request is not believed, and what each family of services calls it.
//!
//! The texts are AWS's own. None of them says which of the checks of a signature failed where that could help a forger:
//! an unknown key, an inactive one and a token that is not its own are one and the same answer.

use std::borrow::Cow;

use http::StatusCode;

/// Why a request has no caller.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthnError {
    /// There is no signature.
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// There is something that is no whole signature. The text says what it lacks.
    #[error("{0}")]
    IncompleteSignature(Cow<'static, str>),
    /// The signature is not that of this request and key, or not of now, here and this service.
    #[error("{0}")]
    InvalidSignature(Cow<'static, str>),
    /// The access key does not exist or is inactive, or the token is not its own.
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    /// The session has ended.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
}

/// How a service's protocol names and numbers these errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// REST with JSON (Lambda): every one is 403.
    RestJson,
    /// JSON 1.1 (Cognito Identity): every one is 400, as that protocol answers all faults of a client.
    Json,
    /// Query (IAM, STS): names of their own.
    Query,
}

impl AuthnError {
    /// What the signature does not match, in AWS's words.
    pub(super) const MISMATCH: Self = Self::InvalidSignature(Cow::Borrowed(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details.",
    ));

    /// A signature that lacks something.
    pub(super) fn incomplete(what: impl Into<Cow<'static, str>>) -> Self {
        Self::IncompleteSignature(what.into())
    }

    /// A signature of something else.
    pub(super) fn invalid(why: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidSignature(why.into())
    }

    /// Status and code, as a service of this family answers.
    pub fn answer(&self, family: Family) -> (StatusCode, &'static str) {
        let status = match (family, self) {
            (Family::Json, _) | (Family::Query, Self::IncompleteSignature(_)) => StatusCode::BAD_REQUEST,
            (Family::RestJson | Family::Query, _) => StatusCode::FORBIDDEN,
        };
        let (json, query) = match self {
            Self::MissingAuthenticationToken => {
                ("MissingAuthenticationTokenException", "MissingAuthenticationToken")
            }
            Self::IncompleteSignature(_) => ("IncompleteSignatureException", "IncompleteSignature"),
            Self::InvalidSignature(_) => ("InvalidSignatureException", "SignatureDoesNotMatch"),
            Self::UnrecognizedClient => ("UnrecognizedClientException", "InvalidClientTokenId"),
            Self::ExpiredToken => ("ExpiredTokenException", "ExpiredToken"),
        };
        (status, if family == Family::Query { query } else { json })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_its_codes_and_statuses() {
        let table = [
            (AuthnError::MissingAuthenticationToken, "MissingAuthenticationToken", 403),
            (AuthnError::incomplete("x"), "IncompleteSignature", 400),
            (AuthnError::MISMATCH, "SignatureDoesNotMatch", 403),
            (AuthnError::UnrecognizedClient, "InvalidClientTokenId", 403),
            (AuthnError::ExpiredToken, "ExpiredToken", 403),
        ];
        for (error, query, status) in table {
            let (answered, code) = error.answer(Family::Query);
            assert_eq!((answered.as_u16(), code), (status, query));
            let (answered, code) = error.answer(Family::RestJson);
            assert_eq!(answered, StatusCode::FORBIDDEN);
            assert!(code.ends_with("Exception"), "{code}");
            assert_eq!(error.answer(Family::Json), (StatusCode::BAD_REQUEST, code));
        }
    }
}
