//! CreateIdentityPool.

use std::sync::Arc;

use super::{input, management, reply, settings, shapes};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{NewPool, Pools},
    store::identity::PoolSettings,
};

const NAME: &str = "CreateIdentityPool";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityPoolName", Implemented),
        ("AllowUnauthenticatedIdentities", Implemented),
        ("AllowClassicFlow", Implemented),
        settings::LOGIN_PROVIDERS,
        ("DeveloperProviderName", Implemented),
        settings::OPEN_ID_PROVIDERS,
        settings::COGNITO_PROVIDERS,
        settings::SAML_PROVIDERS,
        ("IdentityPoolTags", Implemented),
    ],
};

/// The input.
#[derive(Debug)]
pub struct CreateIdentityPool {
    name: String,
    settings: PoolSettings,
}

impl Operation for CreateIdentityPool {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:CreateIdentityPool")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: settings::Input = input::parse(raw, &MEMBERS)?;
        let (name, settings) = input.check()?;
        Ok(Self { name, settings })
    }

    fn resources(&self, _: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let request_tags = Some(self.settings.tags.clone());
        let pool = Resource { request_tags, ..Resource::named("*") };
        let hook = settings::hook_resource(&self.settings.tags, context.account()?, context.region)?;
        Ok(std::iter::once(pool).chain(hook).collect())
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        settings::check_providers(account, &self.settings)?;
        let pool: Arc<_> =
            pools.create(NewPool { account, name: self.name, settings: self.settings }).await?;
        reply(&shapes::identity_pool(&pool))
    }
}
