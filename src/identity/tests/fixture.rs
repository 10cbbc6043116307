//! Identities as the gateway wires them, with a mock clock, a real store and a real issuer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use crate::{
    authn::{
        invoke_tokens::InvokeTokens,
        oidc::{
            Issuers, Verifier,
            test_issuer::{Keys, TestIssuer, outbound},
        },
        sessions::Sessions,
    },
    base::{
        AccountId, Clock, KeyRing, Region, Secret, Timestamp, clock::MockClock, rng::SeededRng,
        rng::SharedRng,
    },
    identity::{
        HookError, Identities, IdentitiesParts, Logins, MergeHook, NewPool, OpenIdKeys, OpenIdKeysParts,
        Pools, Provider, ProviderSource, Resolved, Result, Role, RoleSource, VerifiedLogin,
        fates::NothingKept,
        logins,
        minting::{Minting, TooManyGuests},
    },
    policy::{Document, Kind, defaults},
    revocation::Revocations,
    store::{
        Feed,
        identity::{IdentityStore, Login, PoolRecord, PoolRoles, PoolSettings},
        sqlite::SqliteStore,
    },
};

/// Everything about identities, as the gateway wires it, with a mock clock and a provider.
pub(crate) struct Fixture {
    pub(crate) pools: Arc<Pools>,
    pub(crate) identities: Arc<Identities>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) open_id_keys: Arc<OpenIdKeys>,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) store: SqliteStore,
    pub(crate) roles: Arc<FakeRoles>,
    pub(crate) hook: Arc<FakeHook>,
    pub(crate) issuer: TestIssuer,
    keys: Keys,
    _folder: tempfile::TempDir,
}

/// Roles of any name; `user` and `guest` trust one pool as the default documents do.
#[derive(Default)]
pub(crate) struct FakeRoles {
    pool: Mutex<String>,
}

impl FakeRoles {
    /// The pool that the roles trust from now on.
    pub(crate) fn trust(&self, pool_id: &str) {
        *self.pool.lock().unwrap() = pool_id.to_owned();
    }
}

impl RoleSource for FakeRoles {
    fn role(&self, arn: &str) -> Option<Role> {
        let arn: crate::base::Arn = arn.parse().ok()?;
        let name = arn.resource.trim_start_matches("role/").to_owned();
        let pool = self.pool.lock().unwrap();
        let trust = match name.as_str() {
            "missing" => return None,
            "user" | "gold" | "silver" => defaults::trust_signed_in(&pool),
            // It lets sessions be tagged too.
            "tagged" => defaults::trust_signed_in(&pool).replace(
                "\"sts:AssumeRoleWithWebIdentity\"",
                "[\"sts:AssumeRoleWithWebIdentity\", \"sts:TagSession\"]",
            ),
            _ => defaults::trust_guest(&pool),
        };
        let trust = Arc::new(Document::parse(&trust, Kind::Trust).unwrap());
        let account = arn.account.parse().unwrap();
        Some(Role { account, id: format!("AROA{name}"), name, session_max: Duration::from_secs(7200), trust })
    }
}

/// A merge hook that answers what it is told to, and notes what it was asked.
#[derive(Default)]
pub(crate) struct FakeHook {
    pub(crate) asked: Mutex<Vec<Value>>,
    pub(crate) answer: Mutex<Option<std::result::Result<Value, HookError>>>,
    /// What happens while it is asked.
    pub(crate) meanwhile: Mutex<Option<futures_util::future::BoxFuture<'static, ()>>>,
}

impl FakeHook {
    /// Has it answer this from now on.
    pub(crate) fn answers(&self, answer: std::result::Result<Value, HookError>) {
        *self.answer.lock().unwrap() = Some(answer);
    }
}

#[async_trait]
impl MergeHook for FakeHook {
    async fn ask(
        &self,
        _: &PoolRecord,
        function: &str,
        event: &Value,
    ) -> std::result::Result<Value, HookError> {
        assert_eq!(function, "ask-me");
        self.asked.lock().unwrap().push(event.clone());
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        self.answer.lock().unwrap().clone().unwrap()
    }
}

/// Guests without limit.
struct Unlimited;

impl Minting for Unlimited {
    fn admit(&self, _: std::net::IpAddr, _: &str) -> std::result::Result<(), TooManyGuests> {
        Ok(())
    }
}

struct OneProvider(String);

impl ProviderSource for OneProvider {
    fn provider(&self, account: AccountId, name: &str) -> Option<Provider> {
        let issuer = format!("http://{name}");
        (account == AccountId::DEFAULT && issuer == self.0)
            .then(|| Provider { issuer, client_ids: vec!["client".to_owned()] })
    }
}

pub(crate) const ISSUED_AT: Timestamp = Timestamp::from_seconds(1_800_000_000);

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::start_with(|store| Arc::new(store)).await
    }

    /// With identities in a store that is made over the real one.
    pub(super) async fn start_with(over: impl FnOnce(SqliteStore) -> Arc<dyn IdentityStore>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
        let clock = MockClock::at(ISSUED_AT);
        let rng: SharedRng = Arc::new(SeededRng::new(1));
        let ring = Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap());
        let kept = over(store.clone());
        let feed = Feed::new(Arc::new(store.clone()));
        let region = Region::new("eu-west-1");
        let pools = Pools::new(kept.clone(), feed.clone(), clock.clone(), rng.clone(), region.clone());
        let revocations = Revocations::new(Arc::new(store.clone()), feed.clone(), clock.clone());
        feed.start(vec![pools.clone(), revocations.clone()]).await.unwrap();
        let keys = Keys::generate();
        let issuer = TestIssuer::start(keys.jwks()).await;
        let sessions = Arc::new(Sessions::new(ring.clone(), clock.clone(), rng.clone()));
        let open_id_keys = OpenIdKeys::load(OpenIdKeysParts {
            store: Arc::new(store.clone()),
            ring: ring.clone(),
            period: Duration::from_secs(90 * 86_400),
            clock: clock.clone(),
            rng: rng.clone(),
        })
        .await
        .unwrap();
        let roles = Arc::new(FakeRoles::default());
        let hook = Arc::new(FakeHook::default());
        let identities = Identities::new(IdentitiesParts {
            store: kept,
            pools: pools.clone(),
            providers: Arc::new(OneProvider(issuer.url.clone())),
            verifier: Arc::new(Verifier::new(Issuers::new(outbound(), clock.clone()), clock.clone())),
            roles: roles.clone(),
            merge_hook: hook.clone(),
            sessions: sessions.clone(),
            minting: Arc::new(Unlimited),
            fates: Arc::new(NothingKept),
            invoke_tokens: InvokeTokens::new(ring.clone(), clock.clone(), rng.clone()),
            revocations: revocations.clone(),
            open_id_keys: open_id_keys.clone(),
            aliases: Duration::from_secs(30 * 86_400),
            clock: clock.clone(),
            rng,
            region,
        });
        Self {
            pools,
            identities,
            sessions,
            revocations,
            open_id_keys,
            clock,
            store,
            roles,
            hook,
            issuer,
            keys,
            _folder: folder,
        }
    }

    /// The provider's name: its URL without scheme.
    pub(crate) fn provider(&self) -> String {
        self.issuer.url.trim_start_matches("http://").to_owned()
    }

    /// A good token of the provider.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.token_with(subject, &json!({}))
    }

    /// A good token with further claims.
    pub(crate) fn token_with(&self, subject: &str, more: &Value) -> String {
        let now = self.clock.now().seconds();
        let mut claims = json!({
            "iss": self.issuer.url, "sub": subject, "aud": "client", "iat": now, "exp": now + 600,
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let header = json!({"alg": "EdDSA", "kid": "ed25519"});
        self.keys.token(header.to_string().as_bytes(), claims.to_string().as_bytes(), "EdDSA")
    }

    /// Has the provider answer 500 from now on.
    pub(crate) fn break_issuer(&self) {
        *self.issuer.discovery.lock().unwrap() = Value::Null;
    }

    pub(super) fn logins(&self, subject: Option<&str>) -> Logins {
        let login = subject.map(|subject| (self.provider(), self.token(subject)));
        login.into_iter().collect::<BTreeMap<_, _>>().into()
    }

    pub(super) async fn pool(&self, allow_guests: bool) -> Arc<PoolRecord> {
        let oidc_providers = vec![logins::provider_arn(AccountId::DEFAULT, &self.provider())];
        let settings = PoolSettings {
            allow_guests,
            allow_classic_flow: Some(true),
            oidc_providers,
            developer_provider: Some("login.app".to_owned()),
            ..PoolSettings::default()
        };
        let new = NewPool { account: AccountId::DEFAULT, name: "app".to_owned(), settings };
        let pool = self.pools.create(new).await.unwrap();
        let role = |name: &str| Some(format!("arn:aws:iam::000000000000:role/{name}"));
        let roles =
            PoolRoles { authenticated: role("user"), unauthenticated: role("guest"), ..PoolRoles::default() };
        self.pools.set_roles(AccountId::DEFAULT, &pool.id, &roles).await.unwrap();
        self.roles.trust(&pool.id);
        self.pools.find(&pool.id).unwrap()
    }

    pub(super) async fn get_id(&self, pool: &PoolRecord, subject: Option<&str>) -> Result<String> {
        self.identities.get_id(None, &pool.id, &self.logins(subject)).await
    }

    pub(super) async fn resolve(&self, id: &str, subject: Option<&str>) -> Result<Resolved> {
        self.identities.resolve(id, &self.logins(subject)).await
    }

    /// Changes how a pool is set.
    pub(super) async fn change(&self, pool: &PoolRecord, change: impl Fn(&mut PoolRecord) + Send + Sync) {
        let change = |pool: &mut PoolRecord| {
            change(pool);
            Ok(())
        };
        self.pools.change(AccountId::DEFAULT, &pool.id, change).await.unwrap();
    }

    /// The identity for somebody whose logins, by provider and subject, were verified.
    pub(super) async fn speak_for(
        &self,
        pool: &Arc<PoolRecord>,
        id: &str,
        logins: &[(&str, &str)],
    ) -> Result<Resolved> {
        self.identities.speak_for(pool.clone(), id, None, verified(logins)).await
    }
}

/// Logins as if their tokens had been verified.
pub(super) fn verified(logins: &[(&str, &str)]) -> Vec<VerifiedLogin> {
    let login = |(provider, subject): &(&str, &str)| VerifiedLogin {
        issued: ISSUED_AT,
        login: Login { provider: (*provider).to_owned(), subject: (*subject).to_owned() },
        client_id: "client".to_owned(),
        claims: Map::from_iter([("sub".to_owned(), (*subject).into())]),
        made_for: None,
    };
    logins.iter().map(login).collect()
}
