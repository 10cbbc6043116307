//! SetIdentityPoolRoles.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;

use super::{errors::invalid, input, management, pool_resource, role_mapping};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{Pools, SERVICE},
    store::identity::{Chosen, PoolRoles},
};

const NAME: &str = "SetIdentityPoolRoles";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("IdentityPoolId", Implemented), ("Roles", Implemented), ("RoleMappings", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct SetIdentityPoolRoles {
    pool: String,
    roles: PoolRoles,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_pool_id: Option<String>,
    roles: Option<BTreeMap<String, String>>,
    role_mappings: Option<BTreeMap<String, role_mapping::Input>>,
}

impl SetIdentityPoolRoles {
    fn arns(&self) -> impl Iterator<Item = &str> {
        let own = [&self.roles.authenticated, &self.roles.unauthenticated].into_iter().flatten();
        let of_rules = self.roles.mappings.values().flat_map(|mapping| match &mapping.chosen {
            Chosen::ByToken => &[][..],
            Chosen::ByRules(rules) => rules,
        });
        own.chain(of_rules.map(|rule| &rule.role)).map(String::as_str)
    }
}

impl Operation for SetIdentityPoolRoles {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:SetIdentityPoolRoles")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let pool = input::id(input.identity_pool_id, "identityPoolId")?;
        let mut roles = PoolRoles::default();
        for (kind, arn) in input::required(input.roles, "roles")? {
            let slot = match kind.as_str() {
                "authenticated" => &mut roles.authenticated,
                "unauthenticated" => &mut roles.unauthenticated,
                _ => {
                    return Err(invalid(format!(
                        "1 validation error detected: Value '{kind}' at 'roles' failed to satisfy constraint: Map \
                         keys must satisfy constraint: [Member must satisfy regular expression pattern: \
                         (un)?authenticated]"
                    )));
                }
            };
            *slot = Some(input::role_arn(arn, "roles")?);
        }
        roles.mappings = role_mapping::read(input.role_mappings.unwrap_or_default())?;
        Ok(Self { pool, roles })
    }

    /// The pool, and for each role the right to hand it on: otherwise who may set a pool's roles could have any.
    fn resources(&self, pools: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let pass = self.arns().map(|arn| Resource {
            keys: vec![("iam:passedtoservice", SERVICE.to_owned())],
            action: Some("iam:PassRole"),
            ..Resource::named(arn)
        });
        Ok(std::iter::once(pool_resource(pools, context, &self.pool)?).chain(pass).collect())
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        let ours = format!("arn:aws:iam::{account}:role/");
        if let Some(arn) = self.arns().find(|arn| !arn.starts_with(&ours)) {
            return Err(invalid(format!("{arn} is no role of account {account}.")));
        }
        pools.set_roles(account, &self.pool, &self.roles).await?;
        Ok(Reply::empty(StatusCode::OK))
    }
}
