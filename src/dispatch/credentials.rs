//! The execution role's credentials: what a function signs its own calls with.
//!
//! They are made when a sandbox is bound to its function, for that function's role alone, and are temporary; the sandbox is
//! retired before they end. Who makes them is the wiring's business.

use std::{sync::Arc, time::Duration};

use crate::{
    base::{AccountId, Secret, Timestamp, clock::SharedClock},
    functions::Function,
};

/// How long credentials are good for.
pub const LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// A sandbox is retired so long before its credentials end: the longest invocation, 15 minutes, and time to spare.
const RETIRE_BEFORE: Duration = Duration::from_secs(3_600);
/// The tag with which a function brings credentials of its own.
const OWN_TAG: (&str, &str) = ("callgate:credentials", "own");

/// Credentials of a function's role.
#[derive(Clone, Debug)]
pub struct RoleCredentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key, as text.
    pub secret_access_key: Secret,
    /// The session token, as text.
    pub session_token: Secret,
}

/// Who makes credentials of roles.
pub trait CredentialSource: Send + Sync {
    /// Credentials of a role, for Lambda and under this session's name, that end then.
    ///
    /// # Errors
    /// Why there are none, for the gateway's log: the role is gone, or does not trust Lambda any more.
    fn credentials(
        &self,
        account: AccountId,
        role_arn: &str,
        session: &str,
        expires: Timestamp,
    ) -> Result<RoleCredentials, String>;
}

/// A source of credentials where there are no roles.
#[derive(Debug)]
pub struct NoCredentials;

impl CredentialSource for NoCredentials {
    fn credentials(
        &self,
        _: AccountId,
        role_arn: &str,
        _: &str,
        _: Timestamp,
    ) -> Result<RoleCredentials, String> {
        Err(format!("there is no role {role_arn}"))
    }
}

/// What a sandbox is given, and until when it may be used.
#[derive(Debug, Default)]
pub struct Granted {
    /// The credentials, unless the function has its own or its role has gone.
    pub credentials: Option<RoleCredentials>,
    /// When the sandbox is to be retired, on the monotonic clock.
    pub retire_at: Option<Duration>,
}

/// Makes the credentials for one sandbox of `function`. Without its role it runs without them: not all functions need any.
pub fn grant(source: &dyn CredentialSource, function: &Function, clock: &SharedClock) -> Granted {
    if brings_own(function) {
        return Granted::default();
    }
    let expires = clock.now().plus(LIFETIME);
    match source.credentials(function.account, &function.role_arn, &session_name(&function.name), expires) {
        Ok(credentials) => Granted {
            credentials: Some(credentials),
            retire_at: Some(clock.monotonic() + (LIFETIME - RETIRE_BEFORE)),
        },
        Err(cause) => {
            tracing::warn!(function = &*function.arn, cause, "a sandbox runs without its role's credentials");
            Granted::default()
        }
    }
}

/// Whether the function is tagged to bring credentials of its own.
pub fn brings_own(function: &Function) -> bool {
    function.tags.get(OWN_TAG.0).is_some_and(|value| value == OWN_TAG.1)
}

/// The name of the role's session: the function's, which must have two letters for it.
fn session_name(function: &str) -> String {
    if function.len() == 1 { format!("{function}@lambda_function") } else { function.to_owned() }
}

/// A source of credentials that is shared.
pub type SharedCredentialSource = Arc<dyn CredentialSource>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_like_its_function() {
        assert_eq!(session_name("greet"), "greet");
        assert_eq!(session_name("g"), "g@lambda_function");
    }
}
