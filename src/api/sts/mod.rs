//! STS (query, version 2011-06-15), one file an operation.

pub mod assume_role;
pub mod assume_role_with_web_identity;
pub mod get_caller_identity;
pub mod get_session_token;
mod input;
mod session;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{Access, ApiError, Context, Door, Resource, Route, Service, Spec, operation::operations};
use crate::{
    authn::{oidc::TokenError, sessions::Sessions},
    base::{AccountId, CallerIdentity, WebIdentity},
    iam::{Directory, Role, SessionPolicies},
};

/// The largest body, in bytes: a token of 20,000 characters, a session policy of 2,048 and 50 tags, percent-encoded.
const BODY_BYTES_MAX: usize = 256 * 1024;

operations! {
    nothing: () => { get_caller_identity::GetCallerIdentity }
    sts: Sts => {
        assume_role::AssumeRole,
        assume_role_with_web_identity::AssumeRoleWithWebIdentity,
        get_session_token::GetSessionToken,
    }
}

/// What STS works with.
pub struct Sts {
    /// Roles and policies.
    pub directory: Arc<Directory>,
    /// Makes the credentials.
    pub sessions: Arc<Sessions>,
    /// Keeps the policies of sessions.
    pub session_policies: Arc<SessionPolicies>,
    /// Whether a caller may take on a role.
    pub assuming: Arc<dyn Assuming>,
    /// Verifies the tokens of identity providers.
    pub tokens: Arc<dyn WebTokens>,
}

/// Asks both sides whether a caller may take on a role. The implementation stands beside the pipeline.
pub trait Assuming: Send + Sync {
    /// Whether the caller may do `action` (`sts:AssumeRole` or `sts:TagSession`) on this role. `asked` is the role as a resource,
    /// with the tags and the condition keys of the request; the refusal is the one to send.
    fn may_assume(
        &self,
        context: &Context<'_>,
        action: &str,
        role: &Role,
        asked: &Resource,
    ) -> Result<(), ApiError>;
}

/// A verified token of an identity provider.
#[derive(Clone, Debug)]
pub enum WebToken {
    /// One of this gateway's own, which speaks of an identity of a pool.
    Cognito {
        /// Whose the pool is.
        account: AccountId,
        /// Who.
        identity: CallerIdentity,
    },
    /// One of an OpenID Connect provider of the role's account.
    Oidc {
        /// The provider's ARN.
        arn: String,
        /// Who.
        identity: WebIdentity,
        /// The token's `amr`.
        amr: Vec<String>,
    },
}

/// Why a token is worth nothing.
#[derive(Debug, thiserror::Error)]
pub enum WebTokenError {
    /// The account has no such provider.
    #[error("No OpenIDConnect provider found in your account for {0}")]
    UnknownProvider(String),
    /// The token was not accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Whom it speaks of is not there any more.
    #[error("The identity that the token speaks of does not exist.")]
    Gone,
    /// The gateway could not find out.
    #[error("{0}")]
    Internal(String),
}

/// Verifies the tokens of identity providers.
#[async_trait]
pub trait WebTokens: Send + Sync {
    /// Verifies a token by the provider that `account`, whose role is asked for, trusts under the token's issuer.
    async fn verify(
        &self,
        account: AccountId,
        public_url: &str,
        token: &str,
    ) -> Result<WebToken, WebTokenError>;
}

fn spec(name: &'static str, access: Access) -> Spec {
    Spec {
        service: Service::Sts,
        name,
        route: Route::Query,
        door: Door::Data,
        access,
        body_bytes_max: BODY_BYTES_MAX,
    }
}

impl fmt::Debug for Sts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sts").field("directory", &self.directory).finish_non_exhaustive()
    }
}
