//! What can go wrong with pools and identities. `api::cognito_identity` gives each its code.

use super::minting::TooManyGuests;
use crate::{
    authn::{
        oidc::{SigningKeyError, TokenError},
        sessions::SessionError,
    },
    base::KeyRingError,
    revocation::Refusal,
    store::StoreError,
};

/// A result of this module.
pub type Result<T> = std::result::Result<T, IdentityError>;

/// Why something about pools or identities was refused. The texts are for the client; where Cognito's own are known, they are
/// Cognito's.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No such pool in this account.
    #[error("IdentityPool '{0}' not found.")]
    PoolNotFound(String),
    /// No such identity, or its pool is gone.
    #[error("Identity '{0}' not found.")]
    IdentityNotFound(String),
    /// The pool has no guests.
    #[error("Unauthenticated access is not supported for this identity pool.")]
    GuestsOff,
    /// An identity with logins, and none was presented.
    #[error("Access to Identity '{0}' is forbidden.")]
    Forbidden(String),
    /// None of the logins is the identity's.
    #[error(
        "Logins don't match. Please include at least one valid login for this identity or identity pool."
    )]
    LoginsDoNotMatch,
    /// The logins belong to several identities.
    #[error("The logins belong to different identities.")]
    SeveralIdentities,
    /// A guest, and the login of another identity.
    #[error(
        "The login is linked to another identity, and merging identities is not supported by Callgate: call GetId \
         with the login, and use the identity that it answers."
    )]
    Merge,
    /// Somebody else changed the identity at the same time, several times over.
    #[error("The identity is being changed by others; try again.")]
    Contended,
    /// More logins than an identity may have.
    #[error("An identity can have at most {0} logins.")]
    TooManyLogins(usize),
    /// The login's key is no provider of the pool.
    #[error("Invalid login token. Token is not from a supported provider of this identity pool.")]
    UnsupportedProvider,
    /// The token was not accepted.
    #[error("Invalid login token. {0}")]
    Token(#[source] TokenError),
    /// The pool has no role for the identity, or the role does not trust the pool.
    #[error("Invalid identity pool configuration. Check assigned IAM roles for this pool.")]
    Configuration,
    /// A page's token is not one that was given out.
    #[error("The NextToken is not valid.")]
    PageToken,
    /// Revoked.
    #[error(transparent)]
    Revoked(#[from] Refusal),
    /// Too many guests were made.
    #[error(transparent)]
    TooManyGuests(TooManyGuests),
    /// The pool does not allow bearer tokens.
    #[error("Invoke tokens are off for this identity pool: tag it callgate:bearer=allow to allow them.")]
    BearerOff,
    /// An invoke token could not be made.
    #[error(transparent)]
    InvokeToken(#[from] KeyRingError),
    /// The session could not be made.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The open-id token could not be made.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
