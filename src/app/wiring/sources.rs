//! What one part asks of another through a trait of its own, so that neither knows the other.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::body::Body;
use serde_json::Value;

use crate::{
    authn::{invoke_tokens::BearerPools, sessions::Sessions},
    base::{AccountId, Origin, SessionClaims, SessionRole, Timestamp, clock::SharedClock},
    dispatch::{
        Dispatch, Idempotency,
        credentials::{CredentialSource, RoleCredentials},
    },
    edge::{
        body::Budget,
        plain::{Pending, Source},
        server::Connections,
    },
    functions::{Function, Functions, RoleCheck},
    iam::Directory,
    identity::{
        OpenIdKeys, Pools, Provider, ProviderSource, Role, RoleSource,
        invoke_token::allows_bearer,
        minting::{Minting, TooManyGuests},
    },
    policy::{NoKeys, Requester},
    quota::Quota,
    store::{Change, Follower, Kind, StoreError, cached_identities::CachedIdentities},
    telemetry::metrics::{Levels, RetryLevels},
};

/// The directory's OpenID Connect providers, as logins are checked against them.
pub(super) struct Providers(pub(super) Arc<Directory>);

impl ProviderSource for Providers {
    fn provider(&self, account: AccountId, name: &str) -> Option<Provider> {
        let provider = self.0.oidc_provider(account, name)?;
        let record = &provider.record;
        Some(Provider { issuer: record.issuer.clone(), client_ids: record.client_ids.clone() })
    }
}

/// The limits on new guests.
pub(super) struct Guests(pub(super) Arc<Quota>);

impl Minting for Guests {
    fn admit(&self, source: IpAddr, pool_id: &str) -> Result<(), TooManyGuests> {
        self.0
            .guest(source, pool_id)
            .map_err(|over| TooManyGuests { limit: over.limit, wait: over.retry_after })
    }
}

/// The pools, as invoke tokens are checked against them.
pub(super) struct Bearer(pub(super) Arc<Pools>);

impl BearerPools for Bearer {
    fn allows_bearer(&self, pool_id: &str) -> bool {
        self.0.find(pool_id).is_some_and(|pool| allows_bearer(&pool))
    }
}

/// The directory's roles, as pools give them.
pub(super) struct Roles(pub(super) Arc<Directory>);

impl RoleSource for Roles {
    fn role(&self, arn: &str) -> Option<Role> {
        let role = self.0.role_by_arn(arn)?;
        Some(Role {
            account: role.record.account,
            name: role.name().to_owned(),
            id: role.id().to_owned(),
            session_max: Duration::from_secs(role.record.max_session_seconds.into()),
            trust: role.trust.clone(),
        })
    }
}

/// The directory's roles, as functions take them on.
pub(super) struct ExecutionRoles(pub(super) Arc<Directory>);

impl RoleCheck for ExecutionRoles {
    fn lambda_may_assume(&self, account: AccountId, role_arn: &str) -> bool {
        let role = self.0.role_by_arn(role_arn).filter(|role| role.record.account == account);
        role.is_some_and(|role| {
            role.trusts("sts:AssumeRole", Requester::Service("lambda.amazonaws.com"), &NoKeys)
        })
    }
}

/// Credentials of the directory's roles, as Lambda gives them to functions.
pub(super) struct FunctionCredentials {
    pub(super) directory: Arc<Directory>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) clock: SharedClock,
}

impl CredentialSource for FunctionCredentials {
    fn credentials(
        &self,
        account: AccountId,
        role_arn: &str,
        session: &str,
        expires: Timestamp,
    ) -> Result<RoleCredentials, String> {
        if !ExecutionRoles(self.directory.clone()).lambda_may_assume(account, role_arn) {
            return Err(format!(
                "{role_arn} is gone, or does not let lambda.amazonaws.com assume it any more"
            ));
        }
        let role = self.directory.role_by_arn(role_arn).ok_or_else(|| format!("{role_arn} is gone"))?;
        let issued = self.clock.now();
        let of_role = SessionRole { account, name: role.name(), id: role.id() };
        let claims = SessionClaims::of_role(of_role, session, Origin::at(issued), issued, expires);
        let minted = self.sessions.mint(&claims).map_err(|error| error.to_string())?;
        Ok(RoleCredentials {
            access_key_id: minted.access_key_id,
            secret_access_key: minted.secret_access_key,
            session_token: minted.session_token.into(),
        })
    }
}

/// Ends the sandboxes of functions that were deleted. (Those of changed ones end when the next call comes.)
pub(super) struct Retiring {
    pub(super) functions: Arc<Functions>,
    pub(super) dispatch: Arc<Dispatch>,
}

#[async_trait]
impl Follower for Retiring {
    async fn load(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes.iter().filter(|change| change.kind == Kind::Function) {
            let function = self.functions.find(change.account, &change.key);
            let is_there = |held: &Function| {
                function.as_ref().is_some_and(|function| function.qualified(Some(&held.version)).is_some())
            };
            self.dispatch.retire_unless(change.account, &change.key, &is_there);
        }
        Ok(())
    }
}

/// What the plain endpoints show.
pub(super) struct PlainSource {
    pub(super) ready: Arc<AtomicBool>,
    pub(super) budget: Arc<Budget>,
    pub(super) connections: Arc<Connections>,
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) idempotency: Arc<Idempotency>,
    pub(super) quota: Arc<Quota>,
    pub(super) open_id_keys: Arc<OpenIdKeys>,
    pub(super) functions: Arc<Functions>,
    pub(super) identities: Arc<CachedIdentities>,
    pub(super) public_url: String,
}

impl Source for PlainSource {
    fn ready(&self) -> Result<(), String> {
        if self.ready.load(Ordering::Acquire) { Ok(()) } else { Err("shutting down".to_owned()) }
    }

    fn levels(&self) -> Levels {
        let retries = self.idempotency.levels();
        Levels {
            bytes_in_flight: self.budget.held(),
            connections: self.connections.open(),
            sandboxes: self.dispatch.sandboxes(),
            executions: self.quota.running_by_account().iter().map(|(_, running)| u64::from(*running)).sum(),
            identity_bytes: self.identities.bytes(),
            retries: RetryLevels {
                replays: retries.replayed,
                joins: retries.joined,
                evicted: retries.evicted,
                unknown: retries.unknown,
                full: retries.full,
                sdk_entries: retries.sdk_entries,
                sdk_bytes: retries.sdk_bytes,
                key_entries: retries.key_entries,
                key_bytes: retries.key_bytes,
            },
        }
    }

    fn openid_configuration(&self) -> Value {
        OpenIdKeys::discovery(&self.public_url)
    }

    fn jwks(&self) -> Value {
        self.open_id_keys.jwks()
    }

    fn package(&self, token: &str) -> Pending<Option<Body>> {
        let functions = self.functions.clone();
        let package = functions.open_link(token);
        Box::pin(async move {
            match functions.package(&package?).await {
                Ok(bytes) => bytes.map(Body::from),
                Err(cause) => {
                    tracing::error!(%cause, "a package could not be read");
                    None
                }
            }
        })
    }
}
