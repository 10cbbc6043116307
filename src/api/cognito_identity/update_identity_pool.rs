//! UpdateIdentityPool.
//!
//! What the request leaves out is as CreateIdentityPool has it, but for tags, which are then kept, and the developer
//! provider's name, which never changes once it is set.

use super::{input, management, pool_resource, reply, settings, shapes};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::Pools,
    store::identity::PoolSettings,
};

const NAME: &str = "UpdateIdentityPool";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("IdentityPoolId", Implemented),
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
pub struct UpdateIdentityPool {
    pool: String,
    name: String,
    settings: PoolSettings,
    has_tags: bool,
}

impl Operation for UpdateIdentityPool {
    type State = Pools;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:UpdateIdentityPool")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let mut input: settings::Input = input::parse(raw, &MEMBERS)?;
        let pool = input::id(input.identity_pool_id.take(), "identityPoolId")?;
        let has_tags = input.identity_pool_tags.is_some();
        let (name, settings) = input.check()?;
        Ok(Self { pool, name, settings, has_tags })
    }

    fn resources(&self, pools: &Pools, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let pool = pool_resource(pools, context, &self.pool)?;
        let pool = Resource { request_tags: self.has_tags.then(|| self.settings.tags.clone()), ..pool };
        let hook = settings::hook_resource(&self.settings.tags, context.account()?, context.region)?;
        Ok(std::iter::once(pool).chain(hook).collect())
    }

    async fn run(self, pools: &Pools, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        settings::check_providers(account, &self.settings)?;
        let change = |pool: &mut _| settings::replace(pool, &self.name, &self.settings, self.has_tags);
        let pool = pools.change(account, &self.pool, change).await?;
        reply(&shapes::identity_pool(&pool))
    }
}
