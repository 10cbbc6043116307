//! AssumeRoleWithWebIdentity: a session of a role, for whom an identity provider vouches. It is public: the token is the proof.

use std::collections::BTreeMap;

use super::{
    Sts, WebToken, WebTokenError,
    input::{Wanted, not_authorized, wanted},
    session, spec,
};
use crate::{
    api::{
        Access, ApiError, Context, Operation, Raw, Reply, Resource, Service, Spec,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
        query::{self, Constraint},
    },
    authn::oidc::TokenError,
    base::{Origin, SessionClaims, SessionRole},
    iam::web_identity::{COGNITO, WebIdentityRequest},
};

const NAME: &str = "AssumeRoleWithWebIdentity";
const ACTION: &str = "sts:AssumeRoleWithWebIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("RoleArn", Implemented),
        ("RoleSessionName", Implemented),
        ("WebIdentityToken", Implemented),
        ("ProviderId", Refused("it is for OAuth 2.0 access tokens: send an OpenID Connect token without it")),
        ("PolicyArns", Implemented),
        ("Policy", Implemented),
        ("DurationSeconds", Implemented),
    ],
};
/// `clientTokenType`
const TOKEN: Constraint = Constraint::length(4, 20_000);

/// The input.
#[derive(Debug)]
pub struct AssumeRoleWithWebIdentity {
    wanted: Wanted,
    token: Token,
}

/// A token does not print.
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Operation for AssumeRoleWithWebIdentity {
    type State = Sts;

    fn spec() -> Spec {
        spec(NAME, Access::Public)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (wanted, token) = wanted(raw, &MEMBERS, |fields| Token(fields.text("WebIdentityToken", &TOKEN)))?;
        Ok(Self { wanted, token })
    }

    fn resources(&self, _: &Sts, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(Vec::new())
    }

    async fn run(self, sts: &Sts, context: &Context<'_>) -> Result<Reply, ApiError> {
        // Whose providers are trusted depends on the role. One that is not there is answered like one that may not be taken.
        let Some(role) = sts.directory.role_by_arn(&self.wanted.role_arn) else {
            return Err(not_authorized(ACTION));
        };
        let account = role.record.account;
        let token = sts.tokens.verify(account, context.public_url, &self.token.0).await.map_err(refusal)?;
        let facts = Facts::of(&token);
        // A pool's owner must not lend out another account's permissions.
        let foreign = matches!(&token, WebToken::Cognito { account: of, .. } if *of != account);
        let request = facts.request(&self.wanted.session_name);
        if foreign || !role.trusts_web_identity(&request) {
            return Err(not_authorized(ACTION));
        }
        let (audience, subject) = (request.audience.to_owned(), request.subject.to_owned());
        let provider =
            if request.prefix == COGNITO { COGNITO.to_owned() } else { request.federated.to_owned() };

        let issued = context.now;
        let expires = issued.plus(session::duration(&self.wanted, &role, false)?);
        let of_role = SessionRole { account, name: role.name(), id: role.id() };
        let name = &self.wanted.session_name;
        let claims = match token {
            WebToken::Cognito { identity, .. } => {
                SessionClaims::of_identity(of_role, name, identity, issued, expires)
            }
            WebToken::Oidc { identity, .. } => {
                let origin = Origin { providers: vec![identity.provider.clone()], ..Origin::at(issued) };
                let claims = SessionClaims::of_role(of_role, name, origin, issued, expires);
                SessionClaims { web_identity: Some(identity), ..claims }
            }
        };
        let policy = sts.keep_policies(&self.wanted, &role, expires).await?;
        let claims = SessionClaims { policy, ..claims };
        let credentials = sts.credentials(&claims)?;
        Ok(query::reply(
            Service::Sts,
            NAME,
            context,
            Some(&|xml| {
                session::write_credentials(xml, &credentials);
                xml.text("SubjectFromWebIdentityToken", &subject);
                session::write_role(xml, &claims);
                session::write_packed_size(xml, &claims, &credentials);
                xml.text("Provider", &provider);
                xml.text("Audience", &audience);
            }),
        ))
    }
}

/// What a trust policy is asked about, whichever kind of token it was.
struct Facts<'a> {
    token: &'a WebToken,
    none: BTreeMap<String, String>,
}

impl<'a> Facts<'a> {
    fn of(token: &'a WebToken) -> Self {
        Self { token, none: BTreeMap::new() }
    }

    fn request<'s>(&'s self, session_name: &'s str) -> WebIdentityRequest<'s> {
        match self.token {
            WebToken::Cognito { identity, .. } => WebIdentityRequest {
                federated: COGNITO,
                prefix: COGNITO,
                audience: &identity.pool_id,
                subject: &identity.identity_id,
                amr: &identity.amr,
                session_name,
                tags: &identity.principal_tags,
            },
            WebToken::Oidc { arn, identity, amr } => WebIdentityRequest {
                federated: arn,
                prefix: &identity.provider,
                audience: &identity.audience,
                subject: &identity.subject,
                amr,
                session_name,
                tags: &self.none,
            },
        }
    }
}

/// Codes and statuses are those of STS's model.
fn refusal(error: WebTokenError) -> ApiError {
    let code = match &error {
        WebTokenError::Internal(_) => return ApiError::internal(error),
        WebTokenError::Token(TokenError::Expired { .. }) => "ExpiredTokenException",
        WebTokenError::Token(TokenError::IssuerUnavailable(cause)) => {
            // What the issuer's server did is for the operator alone.
            return ApiError::bad_request("IDPCommunicationError", error.to_string())
                .with_cause(cause.to_string());
        }
        WebTokenError::UnknownProvider(_) | WebTokenError::Token(_) | WebTokenError::Gone => {
            "InvalidIdentityToken"
        }
    };
    ApiError::bad_request(code, error.to_string())
}
