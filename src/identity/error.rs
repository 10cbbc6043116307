//! What can go wrong with pools and identities. `api::cognito_identity` gives each its code.

use crate::{
    authn::{
        oidc::{SigningKeyError, TokenError},
        sessions::SessionError,
    },
    base::{KeyRingError, OverLimit},
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
    /// The pool's merge hook does not let the guest be merged.
    #[error("The identity pool does not allow this identity to be merged.")]
    MergeRefused,
    /// The pool's merge hook gave no answer that can be followed.
    #[error("The identity pool's merge hook failed; nothing was changed.")]
    MergeHookFailed,
    /// The pool's merge hook is asked too often.
    #[error("Rate Exceeded.")]
    HookThrottled(OverLimit),
    /// The developer's user is another identity's.
    #[error(
        "The provided developer user identifier is already registered with Cognito under a different identity ID."
    )]
    DeveloperUserRegistered,
    /// No such user of the developer.
    #[error("Developer user identifier '{0}' not found.")]
    DeveloperUserNotFound(String),
    /// The user and the identity do not belong together.
    #[error("The developer user identifier is not that of the identity.")]
    DeveloperUserMismatch,
    /// A look-up without anything to look for.
    #[error("Please provide an identity ID, a developer user identifier, or both.")]
    NeitherIdentityNorUser,
    /// The name is not the pool's own for its developer's users.
    #[error("Developer provider '{0}' is not that of the identity pool.")]
    NoDeveloperProvider(String),
    /// A developer's token was asked for without a developer's user.
    #[error("Please provide the developer provider of the identity pool with a user identifier in Logins.")]
    NoDeveloperLogin,
    /// A developer's user cannot be unlinked by an app.
    #[error("The login {0} is the developer's: it is unlinked by UnlinkDeveloperIdentity.")]
    UnlinkByDeveloper(String),
    /// Two users of a public provider cannot be one.
    #[error("The identities are different users of {0} and cannot be merged.")]
    DifferentUsers(String),
    /// The pool has the enhanced flow alone; Cognito's own words.
    #[error("Basic (classic) flow is not enabled, please use enhanced flow.")]
    BasicFlowOff,
    /// The pool's role mapping gives no role to the login.
    #[error("The login's token does not choose a role of this identity pool.")]
    AmbiguousRole,
    /// The role that was asked for is not one to choose from.
    #[error("The custom role is not one that the login's token may choose.")]
    CustomRole,
    /// A claim that a pool maps to a principal tag cannot be one.
    #[error("The claim {0} of the login's token cannot be a principal tag.")]
    TagValue(String),
    /// More session tags than there may be.
    #[error("A session can have at most 50 tags.")]
    TooManyTags,
    /// More tags than a pool may have.
    #[error("A pool can have at most 50 tags.")]
    TooManyPoolTags,
    /// More maps of principal tags than a pool may have.
    #[error("A pool can have principal tags of at most 60 providers.")]
    TooManyTagMaps,
    /// Somebody else changed the pool at the same time.
    #[error("The identity pool is being changed by others; try again.")]
    ConcurrentModification,
    /// The pool's developer provider has another name already.
    #[error("The developer provider name of an identity pool cannot be changed once it is set.")]
    DeveloperProviderSet,
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
    #[error(
        "Too many new guests: {} is used up. Try again in {} s, keep the identity that you have, or sign in.",
        .0.name,
        .0.retry_seconds()
    )]
    TooManyGuests(OverLimit),
    /// Too many logins were exchanged.
    #[error("Rate Exceeded.")]
    TooManyExchanges(OverLimit),
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
