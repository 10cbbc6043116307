//! RevokeSessions: ends what began in one scope until now.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Operator, input, management, sessions};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    base::AccountId,
    revocation::{Made, Scope},
};

const NAME: &str = "RevokeSessions";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityPoolId", Implemented),
        ("ProviderName", Implemented),
        ("IdentityId", Implemented),
        ("AccessKeyId", Implemented),
        ("RoleName", Implemented),
        ("UserName", Implemented),
        ("DisableGuests", Implemented),
    ],
};
/// The longest text of a scope: that of an issuer's URL.
const CHARS_MAX: usize = 255;

/// The input: one scope.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RevokeSessions {
    /// A pool; with `provider_name`, the logins of that provider in it.
    pub identity_pool_id: Option<String>,
    /// A login provider of the pool, as `Logins` name it.
    pub provider_name: Option<String>,
    /// An identity.
    pub identity_id: Option<String>,
    /// An access key.
    pub access_key_id: Option<String>,
    /// A role, by its name without its path.
    pub role_name: Option<String>,
    /// A user, by its name without its path.
    pub user_name: Option<String>,
    /// Whether the ids of all guests that the pool has by now are to open nothing any more.
    #[serde(default)]
    pub disable_guests: bool,
}

impl RevokeSessions {
    /// The one scope that is named, in this account.
    pub fn scope(&self, account: AccountId) -> Result<Scope, ApiError> {
        let text = |value: &Option<String>, member| input::text(value.clone(), member, CHARS_MAX);
        let scope = match (
            &self.identity_pool_id,
            &self.provider_name,
            &self.identity_id,
            &self.access_key_id,
            &self.role_name,
            &self.user_name,
        ) {
            (pool, None, None, None, None, None) if pool.is_some() => {
                Scope::Pool { pool_id: text(pool, "IdentityPoolId")? }
            }
            (pool, provider, None, None, None, None) if provider.is_some() => Scope::Provider {
                pool_id: text(pool, "IdentityPoolId")?,
                provider: text(provider, "ProviderName")?,
            },
            (None, None, identity, None, None, None) if identity.is_some() => {
                Scope::Identity { identity_id: text(identity, "IdentityId")? }
            }
            (None, None, None, key, None, None) if key.is_some() => {
                Scope::AccessKey { id: text(key, "AccessKeyId")? }
            }
            (None, None, None, None, role, None) if role.is_some() => {
                Scope::Role { account, name: text(role, "RoleName")? }
            }
            (None, None, None, None, None, user) if user.is_some() => {
                Scope::User { account, name: text(user, "UserName")? }
            }
            _ => {
                return Err(input::invalid(
                    "Name one scope: IdentityPoolId, IdentityPoolId with ProviderName, IdentityId, AccessKeyId, RoleName or \
                     UserName.",
                ));
            }
        };
        if self.disable_guests && !matches!(scope, Scope::Pool { .. }) {
            return Err(input::invalid("DisableGuests goes with a pool alone."));
        }
        Ok(scope)
    }
}

/// The answer.
pub fn made(made: &Made) -> Value {
    json!({"Scope": made.scope.to_string(), "NotBefore": made.not_before.iso8601_millis()})
}

impl Operation for RevokeSessions {
    type State = Operator;

    fn spec() -> Spec {
        management(NAME, Method::POST, "/callgate/v1/revoke-sessions", "callgate:RevokeSessions")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Self = input::parse(raw)?;
        // That there is one scope can be told before the account is known.
        input.scope(AccountId::DEFAULT)?;
        Ok(input)
    }

    fn resources(&self, _: &Operator, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        sessions(context)
    }

    async fn run(self, operator: &Operator, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        Reply::json(StatusCode::OK, &made(&operator.revoke(account, &self).await?))
    }
}

impl Operator {
    /// Revokes what the input names, if it is the account's.
    pub async fn revoke(&self, account: AccountId, input: &RevokeSessions) -> Result<Made, ApiError> {
        let scope = input.scope(account)?;
        self.check_owned(account, &scope).await?;
        Ok(self.revocations.revoke(account, scope, input.disable_guests).await?)
    }
}
