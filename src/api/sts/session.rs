//! Making a session of a role: its duration, its policies, its token, its answer.

use std::time::Duration;

use super::{Sts, input::Wanted};
use crate::{
    api::{
        ApiError,
        query::{Xml, validation},
    },
    authn::sessions::{Credentials, SessionError, TOKEN_CHARS_MAX},
    base::{PolicyHash, Principal, SessionClaims, Timestamp},
    iam::{Role, session_policies},
};

/// How long a session lasts that was asked for without saying.
const DURATION_DEFAULT: Duration = Duration::from_secs(3600);
/// How long one lasts at most that a session of a role asked for.
const CHAINED_MAX: Duration = Duration::from_secs(3600);

/// How long the session is to last.
pub(super) fn duration(wanted: &Wanted, role: &Role, chained: bool) -> Result<Duration, ApiError> {
    let Some(asked) = wanted.duration_seconds else { return Ok(DURATION_DEFAULT) };
    if asked > role.record.max_session_seconds {
        return Err(validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let asked = Duration::from_secs(asked.into());
    if chained && asked > CHAINED_MAX {
        return Err(validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    Ok(asked)
}

impl Sts {
    /// Keeps the policies that the session is to have; `None` if there are none. A managed policy counts as it is now.
    pub(super) async fn keep_policies(
        &self,
        wanted: &Wanted,
        role: &Role,
        until: Timestamp,
    ) -> Result<Option<PolicyHash>, ApiError> {
        let account = role.record.account;
        let mut texts = Vec::new();
        if let Some(policy) = &wanted.policy {
            session_policies::check(policy)?;
            texts.push(policy.clone());
        }
        for arn in &wanted.policy_arns {
            let policy = self.directory.existing_policy(account, arn).map_err(|_| {
                validation(format!("PolicyArns: {arn} is no managed policy of the role's account."))
            })?;
            let version = policy.record.versions.get(&policy.record.default);
            texts.extend(version.map(|version| version.document.clone()));
        }
        if texts.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.session_policies.keep(&texts, until).await?))
    }

    /// The credentials of a session.
    pub(super) fn credentials(&self, claims: &SessionClaims) -> Result<Credentials, ApiError> {
        self.sessions.mint(claims).map_err(|error| match error {
            SessionError::TooLarge { .. } => ApiError::bad_request(
                "PackedPolicyTooLarge",
                format!("{error}: give the session fewer or shorter tags, or a shorter chain of roles."),
            ),
            other => ApiError::internal(other),
        })
    }
}

/// Writes `Credentials`.
pub(super) fn write_credentials(xml: &mut Xml, credentials: &Credentials) {
    xml.nested("Credentials", |xml| {
        xml.text("AccessKeyId", &credentials.access_key_id);
        // 40 characters that were drawn as text.
        xml.text("SecretAccessKey", credentials.secret_access_key.expose_str().unwrap_or_default());
        xml.text("SessionToken", &credentials.session_token);
        xml.text("Expiration", &credentials.expires.iso8601_seconds());
    });
}

/// Writes `AssumedRoleUser`.
pub(super) fn write_role(xml: &mut Xml, claims: &SessionClaims) {
    let principal: &Principal = &claims.principal;
    xml.nested("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", &principal.user_id(claims.account));
        xml.text("Arn", &principal.arn(claims.account));
    });
}

/// Writes `PackedPolicySize` where policies or tags were given: how full the token is, in per cent.
pub(super) fn write_packed_size(xml: &mut Xml, claims: &SessionClaims, credentials: &Credentials) {
    if claims.policy.is_some() || !claims.tags.is_empty() {
        let percent = (credentials.session_token.len() * 100).div_ceil(TOKEN_CHARS_MAX);
        xml.text("PackedPolicySize", &percent.to_string());
    }
}
