//! The way of a signed request, from its head to its caller.

use std::{fmt, sync::Arc, time::Duration};

use http::request::Parts;

use super::{
    AuthnError, Revoked,
    invoke_tokens::{self, BearerPools, InvokeTokens},
    revoked::{Cleared, is_revoked},
    sessions::{ACCESS_KEY_PREFIX, Session, SessionError, Sessions},
    sigv4::{
        canonical::Canonical,
        header::{self, Authorization, SigningTime},
        key::SigningSecret,
        query::{self, Presigned},
        verify::Unverified,
    },
};
use crate::base::{Caller, Region, Timestamp};

/// How far the signing time may lie from ours, either way.
const SKEW: Duration = Duration::from_secs(15 * 60);
/// Services without a region sign for this one, whatever region a client is configured for.
const GLOBAL_REGION: &str = "us-east-1";
const GLOBAL_SERVICES: [&str; 2] = ["iam", "sts"];

/// A long-lived access key.
#[derive(Debug)]
pub struct AccessKey {
    /// The caller that a request signed with it has.
    pub caller: Arc<Caller>,
    /// Its secret, as text.
    pub secret: SigningSecret,
    /// Whether it may be used.
    pub active: bool,
}

/// Where long-lived access keys are known. It reads memory alone.
pub trait KeyStore: Send + Sync {
    /// The key of this id.
    fn access_key(&self, id: &str) -> Option<Arc<AccessKey>>;
}

/// Finds out who signed a request.
pub struct Authn {
    keys: Arc<dyn KeyStore>,
    sessions: Arc<Sessions>,
    revoked: Arc<dyn Revoked>,
    region: Region,
    bearer: Option<(Arc<InvokeTokens>, Arc<dyn BearerPools>)>,
}

/// A request whose head is in order, and whose signature waits for the body.
pub struct Pending {
    /// `None` where a token stands for the signature.
    unverified: Option<Unverified>,
    caller: Arc<Caller>,
    service: &'static str,
}

/// A request whose signature was right.
pub struct Verified {
    /// Who signed it.
    pub caller: Arc<Caller>,
    /// The SHA-256 of its body, where the signature was over it: an invoke token is not.
    pub body_hash: Option<[u8; 32]>,
}

impl Pending {
    /// The service of the credential scope. It is the signer's word until [`Authn::finish`] has agreed.
    pub fn service(&self) -> &'static str {
        self.service
    }
}

impl Authn {
    /// Checks signatures made for `region`.
    pub fn new(
        keys: Arc<dyn KeyStore>,
        sessions: Arc<Sessions>,
        revoked: Arc<dyn Revoked>,
        region: Region,
    ) -> Self {
        Self { keys, sessions, revoked, region, bearer: None }
    }

    /// Takes invoke tokens too, of pools that allow them.
    #[must_use]
    pub fn with_invoke_tokens(self, tokens: Arc<InvokeTokens>, pools: Arc<dyn BearerPools>) -> Self {
        Self { bearer: Some((tokens, pools)), ..self }
    }

    /// [`Self::begin`] for Invoke and its kin, which take an invoke token in place of a signature.
    pub fn begin_invoke(
        &self,
        head: &Parts,
        service: &'static str,
        now: Timestamp,
    ) -> Result<Pending, AuthnError> {
        let (Some(token), Some((tokens, pools))) = (invoke_tokens::bearer(&head.headers), &self.bearer)
        else {
            return self.begin(head, &[service], now);
        };
        let claims = tokens.open(token)?;
        let allowed = claims.identity.as_ref().is_some_and(|identity| pools.allows_bearer(&identity.pool_id));
        if !allowed {
            return Err(AuthnError::UnrecognizedClient);
        }
        if is_revoked(self.revoked.as_ref(), &claims, invoke_tokens::ACCESS_KEY_ID, &Cleared::default()) {
            return Err(AuthnError::ExpiredToken);
        }
        Ok(Pending { unverified: None, caller: invoke_tokens::caller(claims), service })
    }

    /// Everything that can be known before the body: the form of the signature, its time, its scope (for one of
    /// `services`), its key and token, and that no header which matters is left unsigned.
    pub fn begin(
        &self,
        head: &Parts,
        services: &[&'static str],
        now: Timestamp,
    ) -> Result<Pending, AuthnError> {
        if query::is_presigned(&head.headers, &head.uri) {
            return self.begin_presigned(head, services, now);
        }
        let authorization = Authorization::read(&head.headers, &head.uri)?;
        let signed_at = SigningTime::read(&head.headers, &authorization)?;
        check_time(&signed_at, now, SKEW)?;
        let token = header::optional(&head.headers, &header::TOKEN)?;
        let query = head.uri.query().unwrap_or_default();
        self.begin_with(head, services, &Parameters { authorization, signed_at, token, query })
    }

    /// The same for a request that is signed in its query string.
    #[cold]
    fn begin_presigned(
        &self,
        head: &Parts,
        services: &[&'static str],
        now: Timestamp,
    ) -> Result<Pending, AuthnError> {
        let presigned = Presigned::read(&head.headers, &head.uri)?;
        let (authorization, signed_at) = (presigned.authorization()?, presigned.signing_time()?);
        check_time(&signed_at, now, presigned.lifetime())?;
        let (token, query) = (presigned.token(), presigned.query());
        self.begin_with(head, services, &Parameters { authorization, signed_at, token, query })
    }

    fn begin_with(
        &self,
        head: &Parts,
        services: &[&'static str],
        parameters: &Parameters<'_>,
    ) -> Result<Pending, AuthnError> {
        let Parameters { authorization, signed_at, token, query } = parameters;
        let service = self.check_scope(authorization, services, signed_at)?;
        let declared_body = declared_body(head)?;
        let credentials = self.credentials(*token, authorization)?;
        let signed_headers = authorization.signed_headers;
        let canonical = Canonical::with_query(&head.method, &head.uri, query, &head.headers, signed_headers)?;
        let key = credentials.secret().key(authorization);
        let unverified = Unverified::new(authorization, &canonical, signed_at, key, declared_body);
        Ok(Pending { unverified: Some(unverified), caller: credentials.caller().clone(), service })
    }

    /// Whether a request has a signature at all, in whatever place. It says nothing of whether it is a good one.
    pub fn is_signed(head: &Parts) -> bool {
        head.headers.contains_key(http::header::AUTHORIZATION) || query::names_signature(&head.uri)
    }

    /// Checks the signature over head and body, and gives the caller.
    pub fn finish(&self, pending: Pending, body: &[u8]) -> Result<Verified, AuthnError> {
        let body_hash = pending.unverified.map(|unverified| unverified.verify(body)).transpose()?;
        Ok(Verified { caller: pending.caller, body_hash })
    }

    /// What a session is.
    #[cfg(test)]
    pub(crate) fn session(
        &self,
        token: &str,
        access_key_id: &str,
    ) -> Option<Arc<crate::base::SessionClaims>> {
        self.sessions.open(token, access_key_id).ok().map(|session| session.claims.clone())
    }

    /// That the signature is for this day, region and one of these services.
    fn check_scope(
        &self,
        authorization: &Authorization<'_>,
        services: &[&'static str],
        signed_at: &SigningTime<'_>,
    ) -> Result<&'static str, AuthnError> {
        let Authorization { date, region, service, .. } = *authorization;
        if date != signed_at.date() {
            return Err(AuthnError::invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', \
                 from '{}'.",
                shown(date),
                signed_at.date(),
                signed_at.text(),
            )));
        }
        let Some(accepted) = services.iter().find(|accepted| **accepted == service) else {
            return Err(AuthnError::invalid(format!(
                "Credential should be scoped to correct service: '{}'.",
                services.join("' or '")
            )));
        };
        let global = region == GLOBAL_REGION && GLOBAL_SERVICES.contains(accepted);
        if region != self.region.as_str() && !global {
            return Err(AuthnError::invalid(format!(
                "Credential should be scoped to a valid region, not '{}'.",
                shown(region)
            )));
        }
        Ok(accepted)
    }

    /// Whose the key is. A session's key needs its token; a long-lived one must not come with any.
    fn credentials(
        &self,
        token: Option<&str>,
        authorization: &Authorization<'_>,
    ) -> Result<Credentials, AuthnError> {
        let id = authorization.access_key_id;
        match (token, id.starts_with(ACCESS_KEY_PREFIX)) {
            (Some(token), true) => match self.sessions.open(token, id) {
                Ok(session) if is_revoked(self.revoked.as_ref(), &session.claims, id, &session.cleared) => {
                    Err(AuthnError::ExpiredToken)
                }
                Ok(session) => Ok(Credentials::Session(session)),
                Err(SessionError::Expired) => Err(AuthnError::ExpiredToken),
                Err(_) => Err(AuthnError::UnrecognizedClient),
            },
            (None, false) => self
                .keys
                .access_key(id)
                .filter(|key| key.active)
                .map(Credentials::LongLived)
                .ok_or(AuthnError::UnrecognizedClient),
            (Some(_), false) | (None, true) => Err(AuthnError::UnrecognizedClient),
        }
    }
}

/// What a signature says, wherever it stands.
struct Parameters<'a> {
    authorization: Authorization<'a>,
    signed_at: SigningTime<'a>,
    token: Option<&'a str>,
    /// The part of the query that is signed.
    query: &'a str,
}

/// What a request was signed with.
enum Credentials {
    Session(Arc<Session>),
    LongLived(Arc<AccessKey>),
}

impl Credentials {
    fn secret(&self) -> &SigningSecret {
        match self {
            Self::Session(session) => &session.secret,
            Self::LongLived(key) => &key.secret,
        }
    }

    fn caller(&self) -> &Arc<Caller> {
        match self {
            Self::Session(session) => &session.caller,
            Self::LongLived(key) => &key.caller,
        }
    }
}

/// `lifetime` is how long a signature is good for: as long as clocks may differ, unless a presigned request says otherwise.
fn check_time(signed_at: &SigningTime<'_>, now: Timestamp, lifetime: Duration) -> Result<(), AuthnError> {
    let (text, at) = (signed_at.text(), signed_at.at());
    let (earliest, latest) = (now.minus(lifetime), now.plus(SKEW));
    if at < earliest {
        let (minutes, seconds) = (lifetime.as_secs() / 60, lifetime.as_secs() % 60);
        let ago = if seconds == 0 { format!("{minutes} min.") } else { format!("{} s", lifetime.as_secs()) };
        return Err(AuthnError::invalid(format!(
            "Signature expired: {text} is now earlier than {} ({} - {ago})",
            earliest.sigv4(),
            now.sigv4()
        )));
    }
    if at > latest {
        return Err(AuthnError::invalid(format!(
            "Signature not yet current: {text} is still later than {} ({} + 15 min.)",
            latest.sigv4(),
            now.sigv4()
        )));
    }
    Ok(())
}

/// What `X-Amz-Content-Sha256` says, where it is there. Only a hash will do: a body that is not under the signature could
/// be anyone's.
fn declared_body(head: &Parts) -> Result<Option<[u8; 64]>, AuthnError> {
    let Some(text) = header::optional(&head.headers, &header::CONTENT_SHA256)? else { return Ok(None) };
    match text.as_bytes().try_into() {
        Ok(hash) if header::from_hex(text.as_bytes()).is_some() => Ok(Some(hash)),
        _ => Err(AuthnError::invalid(format!(
            "The body must be under the signature: 'x-amz-content-sha256' holds '{}', which is no SHA-256 hash.",
            shown(text)
        ))),
    }
}

/// As much of a client's text as a message repeats.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

impl fmt::Debug for Authn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authn").field("region", &self.region).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("service", &self.service).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod presigned;
#[cfg(test)]
mod tests;
