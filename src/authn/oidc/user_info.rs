//! Providers whose access tokens only they themselves can read: they are asked whose a token is.
//!
//! A token counts only if the provider says that it was made for the pool's own app; otherwise any app's operator could sign
//! its users in here with the tokens that they gave to it.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use url::Url;

use super::{claims::Verified, strict_json, verifier::TokenError};
use crate::{
    base::Timestamp,
    outbound::{Outbound, OutboundError},
};

/// The longest access token that is sent on, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;
/// The longest id of a user or an app, in bytes.
const ID_BYTES_MAX: usize = 255;
/// How many questions a provider is asked at a time, so that a slow one leaves the others their turn.
const AT_ONCE_MAX: usize = 16;
/// How long a question waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(2);
/// How long a sign-in counts whose provider does not say when it ends; nothing is kept of it beyond the exchange.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Why a provider could not be asked. The text is for the log: it has no token in it.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The request failed.
    #[error("{provider} could not be asked: {cause}")]
    Fetch {
        /// Which provider.
        provider: &'static str,
        /// Why.
        cause: Arc<OutboundError>,
    },
    /// The answer is not what the provider's documentation says.
    #[error("{provider} answered something else than its documentation says: {what}")]
    Answer {
        /// Which provider.
        provider: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// Too many ask at once.
    #[error("{0} is being asked by as many as may")]
    Busy(&'static str),
}

/// How a provider is asked.
#[derive(Debug)]
pub(super) struct Kind {
    /// As logins name it.
    pub(super) name: &'static str,
    questions: &'static [Question],
}

#[derive(Debug)]
struct Question {
    path: &'static str,
    /// The query's parameter that takes the token; `None` for the header `Authorization`.
    parameter: Option<&'static str>,
    /// The answer's member that names the app.
    app: Option<&'static str>,
    /// The answer's member that names the user.
    user: Option<&'static str>,
    issued: Option<&'static str>,
    expires: Option<&'static str>,
}

/// Facebook's Graph API: `/app` says for which app a token was made, `/me` whose it is. It does not say when.
pub(super) const FACEBOOK: Kind = Kind {
    name: "graph.facebook.com",
    questions: &[
        Question {
            path: "/app?fields=id",
            parameter: None,
            app: Some("id"),
            user: None,
            issued: None,
            expires: None,
        },
        Question {
            path: "/me?fields=id",
            parameter: None,
            app: None,
            user: Some("id"),
            issued: None,
            expires: None,
        },
    ],
};

/// Login with Amazon: `/auth/o2/tokeninfo` says all (its documentation, "Verifying the access token").
pub(super) const AMAZON: Kind = Kind {
    name: "www.amazon.com",
    questions: &[Question {
        path: "/auth/o2/tokeninfo",
        parameter: Some("access_token"),
        app: Some("aud"),
        user: Some("user_id"),
        issued: Some("iat"),
        expires: None,
    }],
};

/// A provider that is asked.
pub(super) struct UserInfo {
    kind: &'static Kind,
    base: String,
    outbound: Outbound,
    turns: Semaphore,
}

impl UserInfo {
    pub(super) fn new(kind: &'static Kind, base: &str, outbound: Outbound) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { kind, base, outbound, turns: Semaphore::new(AT_ONCE_MAX) }
    }

    /// Whose the token is, if it was made for one of these apps. When it was issued is the epoch where the provider does not
    /// say: any revocation refuses such a sign-in.
    pub(super) async fn verify(
        &self,
        token: &str,
        client_ids: &[String],
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Malformed);
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLarge);
        }
        let name = self.kind.name;
        let turn = tokio::time::timeout(TURN_MAX, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| TokenError::ProviderUnavailable(UserInfoError::Busy(name)))?;
        let (mut app, mut user, mut issued, mut expires) = (None, None, None, None);
        for question in self.kind.questions {
            let answer = self.ask(question, token).await?;
            let text = |member: Option<&'static str>| self.text(&answer, member);
            let moment = |member: Option<&'static str>| {
                let seconds = answer.get(member?)?.as_i64()?;
                Some(Timestamp::from_seconds(seconds))
            };
            app = text(question.app)?.or(app);
            if app.as_ref().is_some_and(|app| !client_ids.contains(app)) {
                return Err(TokenError::Audience);
            }
            user = text(question.user)?.or(user);
            issued = moment(question.issued).or(issued);
            expires = moment(question.expires).or(expires);
        }
        let missing = |what| TokenError::ProviderUnavailable(UserInfoError::Answer { provider: name, what });
        let client_id = app.ok_or_else(|| missing("it names no app"))?;
        let subject = user.ok_or_else(|| missing("it names no user"))?;
        let expires = expires.unwrap_or_else(|| now.plus(LIFETIME));
        if now >= expires {
            return Err(TokenError::Expired { expires, now });
        }
        let issued = issued.unwrap_or(Timestamp::from_seconds(0));
        if issued > now.plus(super::LEEWAY) {
            return Err(TokenError::NotYetValid);
        }
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), subject.clone().into());
        claims.insert("aud".to_owned(), client_id.clone().into());
        Ok(Verified { issuer: self.base.clone(), subject, client_id, issued, expires, claims })
    }

    async fn ask(&self, question: &Question, token: &str) -> Result<Map<String, Value>, TokenError> {
        let provider = self.kind.name;
        let url = format!("{}{}", self.base, question.path);
        let answer = match question.parameter {
            None => self.outbound.get_as(&url, Some(token)).await,
            Some(parameter) => match Url::parse(&url) {
                Ok(mut url) => {
                    url.query_pairs_mut().append_pair(parameter, token);
                    self.outbound.get(url.as_str()).await
                }
                Err(_) => Err(OutboundError::Url { url: self.base.clone(), why: "it is no URL" }),
            },
        };
        let answer = match answer {
            Ok(answer) => answer,
            // The provider's way to say that it does not know the token.
            Err(OutboundError::Status(400 | 401 | 403)) => return Err(TokenError::Refused),
            // The one error that repeats the URL, and with it the token.
            Err(OutboundError::Url { why, .. }) => {
                let cause = Arc::new(OutboundError::Url { url: self.base.clone(), why });
                return Err(TokenError::ProviderUnavailable(UserInfoError::Fetch { provider, cause }));
            }
            Err(cause) => {
                let cause = Arc::new(cause);
                return Err(TokenError::ProviderUnavailable(UserInfoError::Fetch { provider, cause }));
            }
        };
        strict_json::parse_object(&answer).map_err(|_| {
            let what = "it is no JSON object";
            TokenError::ProviderUnavailable(UserInfoError::Answer { provider, what })
        })
    }

    /// A member that must be an id; `None` where the question does not ask for it.
    fn text(
        &self,
        answer: &Map<String, Value>,
        member: Option<&'static str>,
    ) -> Result<Option<String>, TokenError> {
        let Some(member) = member else { return Ok(None) };
        match answer.get(member) {
            Some(Value::String(id))
                if !id.is_empty()
                    && id.len() <= ID_BYTES_MAX
                    && id.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                Ok(Some(id.clone()))
            }
            _ => {
                let (provider, what) = (self.kind.name, "an id is missing, or is none");
                Err(TokenError::ProviderUnavailable(UserInfoError::Answer { provider, what }))
            }
        }
    }
}

impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserInfo")
            .field("kind", &self.kind.name)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
