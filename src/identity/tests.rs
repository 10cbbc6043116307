//! Against a real store and a real issuer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use super::*;
use crate::{
    authn::{
        invoke_tokens::InvokeTokens,
        oidc::{
            Issuers, Verifier,
            test_issuer::{Keys, TestIssuer, outbound},
        },
        sessions::Sessions,
    },
    base::{AccountId, Clock, KeyRing, Secret, Timestamp, clock::MockClock, rng::SeededRng, rng::SharedRng},
    policy::{Document, Kind, defaults},
    revocation::Revocations,
    store::{
        Feed,
        identity::{IdentityStore, PoolRecord, PoolRoles, PoolSettings},
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
    issuer: TestIssuer,
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
        let arn: crate::base::Arn = arn.parse().unwrap();
        let name = arn.resource.trim_start_matches("role/").to_owned();
        let pool = self.pool.lock().unwrap();
        let trust = match name.as_str() {
            "missing" => return None,
            "user" => defaults::trust_signed_in(&pool),
            _ => defaults::trust_guest(&pool),
        };
        let trust = Arc::new(Document::parse(&trust, Kind::Trust).unwrap());
        let account = arn.account.parse().unwrap();
        Some(Role { account, id: format!("AROA{name}"), name, session_max: Duration::from_secs(7200), trust })
    }
}

/// Guests without limit.
struct Unlimited;

impl minting::Minting for Unlimited {
    fn admit(&self, _: std::net::IpAddr, _: &str) -> std::result::Result<(), minting::TooManyGuests> {
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
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
        let clock = MockClock::at(ISSUED_AT);
        let rng: SharedRng = Arc::new(SeededRng::new(1));
        let ring = Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap());
        let kept: Arc<dyn IdentityStore> = Arc::new(store.clone());
        let feed = Feed::new(Arc::new(store.clone()));
        let region = Region::new("eu-west-1");
        let pools = Pools::new(kept.clone(), feed.clone(), clock.clone(), rng.clone(), region.clone());
        let revocations = Revocations::new(Arc::new(store.clone()), feed.clone(), clock.clone());
        feed.start(vec![pools.clone(), revocations.clone()]).await.unwrap();
        let keys = Keys::generate();
        let issuer = TestIssuer::start(keys.jwks()).await;
        let sessions = Arc::new(Sessions::new(ring.clone(), clock.clone(), rng.clone()));
        let shared_clock: crate::base::clock::SharedClock = clock.clone();
        let open_id_keys = OpenIdKeys::load(OpenIdKeysParts {
            store: kept.clone(),
            ring: ring.clone(),
            period: Duration::from_secs(90 * 24 * 3600),
            clock: shared_clock,
            rng: rng.clone(),
        })
        .await
        .unwrap();
        let roles = Arc::new(FakeRoles::default());
        let identities = Identities::new(IdentitiesParts {
            store: kept,
            pools: pools.clone(),
            providers: Arc::new(OneProvider(issuer.url.clone())),
            verifier: Arc::new(Verifier::new(Issuers::new(outbound(), clock.clone()), clock.clone())),
            roles: roles.clone(),
            sessions: sessions.clone(),
            minting: Arc::new(Unlimited),
            invoke_tokens: InvokeTokens::new(ring.clone(), clock.clone(), rng.clone()),
            revocations: revocations.clone(),
            open_id_keys: open_id_keys.clone(),
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
        let now = self.clock.now().seconds();
        let claims = json!({
            "iss": self.issuer.url, "sub": subject, "aud": "client", "iat": now, "exp": now + 600,
        });
        let header = json!({"alg": "EdDSA", "kid": "ed25519"});
        self.keys.token(header.to_string().as_bytes(), claims.to_string().as_bytes(), "EdDSA")
    }

    /// Has the provider answer 500 from now on.
    pub(crate) fn break_issuer(&self) {
        *self.issuer.discovery.lock().unwrap() = Value::Null;
    }

    fn logins(&self, subject: Option<&str>) -> Logins {
        let login = subject.map(|subject| (self.provider(), self.token(subject)));
        login.into_iter().collect::<BTreeMap<_, _>>().into()
    }

    async fn pool(&self, allow_guests: bool) -> Arc<PoolRecord> {
        let oidc_providers = vec![logins::provider_arn(AccountId::DEFAULT, &self.provider())];
        let settings = PoolSettings { allow_guests, oidc_providers, ..PoolSettings::default() };
        let new = NewPool { account: AccountId::DEFAULT, name: "app".to_owned(), settings };
        let pool = self.pools.create(new).await.unwrap();
        let role = |name: &str| Some(format!("arn:aws:iam::000000000000:role/{name}"));
        let roles = PoolRoles { authenticated: role("user"), unauthenticated: role("guest") };
        self.pools.set_roles(AccountId::DEFAULT, &pool.id, &roles).await.unwrap();
        self.roles.trust(&pool.id);
        self.pools.find(&pool.id).unwrap()
    }

    async fn get_id(&self, pool: &PoolRecord, subject: Option<&str>) -> Result<String> {
        self.identities.get_id(None, &pool.id, &self.logins(subject)).await
    }

    async fn resolve(&self, id: &str, subject: Option<&str>) -> Result<Resolved> {
        self.identities.resolve(id, &self.logins(subject)).await
    }
}

#[tokio::test]
async fn guests_are_new_each_time_and_an_id_is_region_and_uuid() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let (one, two) = (fixture.get_id(&pool, None).await.unwrap(), fixture.get_id(&pool, None).await.unwrap());
    assert_ne!(one, two);
    for id in [&one, &pool.id] {
        let (region, uuid) = id.split_once(':').unwrap();
        assert_eq!((region, uuid.len(), &uuid[14..15]), ("eu-west-1", 36, "4"));
    }
    let guest = fixture.resolve(&one, None).await.unwrap().caller();
    assert_eq!((guest.signed_in(), &guest.amr[..]), (false, &["unauthenticated".to_owned()][..]));
    assert_eq!((guest.pool_id, guest.born), (pool.id.clone(), ISSUED_AT));
}

#[tokio::test]
async fn a_guest_who_signs_in_keeps_the_id_and_is_a_guest_no_more() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let signed_in = fixture.resolve(&guest, Some("ann")).await.unwrap();
    assert_eq!(signed_in.id, guest);
    let provider = fixture.provider();
    let amr = ["authenticated".to_owned(), provider.clone(), format!("{provider}:client:ann")];
    assert_eq!((signed_in.caller().amr, signed_in.caller().logins), (amr.to_vec(), vec![provider]));
    // From another device, by the login alone.
    assert_eq!(fixture.get_id(&pool, Some("ann")).await.unwrap(), guest);
    // The id alone opens nothing any more, nor does somebody else's login.
    assert!(matches!(fixture.resolve(&guest, None).await, Err(IdentityError::Forbidden(_))));
    assert!(matches!(fixture.resolve(&guest, Some("bob")).await, Err(IdentityError::LoginsDoNotMatch)));
    // And bob, refused, is nobody yet.
    assert_ne!(fixture.get_id(&pool, Some("bob")).await.unwrap(), guest);
}

#[tokio::test]
async fn a_guest_with_anothers_login_is_refused_and_stays_as_it_was() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    let guest = fixture.get_id(&pool, None).await.unwrap();
    assert!(matches!(fixture.resolve(&guest, Some("ann")).await, Err(IdentityError::Merge)));
    assert!(!fixture.resolve(&guest, None).await.unwrap().caller().signed_in());
    assert_eq!(fixture.resolve(&ann, Some("ann")).await.unwrap().id, ann);
    // Of two signed-in identities neither opens with the other's login.
    fixture.get_id(&pool, Some("bob")).await.unwrap();
    assert!(matches!(fixture.resolve(&ann, Some("bob")).await, Err(IdentityError::LoginsDoNotMatch)));
}

#[tokio::test]
async fn first_logins_of_one_subject_at_the_same_moment_give_one_identity() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ids = futures_util::future::join_all((0..8).map(|_| fixture.get_id(&pool, Some("ann")))).await;
    let first = ids[0].as_ref().unwrap();
    assert!(ids.iter().all(|id| id.as_ref().unwrap() == first), "{ids:?}");
    // So do two guests' devices; the one that comes second is a guest still.
    let guests = [fixture.get_id(&pool, None).await.unwrap(), fixture.get_id(&pool, None).await.unwrap()];
    let (one, two) =
        tokio::join!(fixture.resolve(&guests[0], Some("bob")), fixture.resolve(&guests[1], Some("bob")));
    assert_eq!([&one, &two].iter().filter(|resolved| resolved.is_ok()).count(), 1, "{one:?} {two:?}");
    assert!([one, two].into_iter().any(|resolved| matches!(resolved, Err(IdentityError::Merge))));
}

#[tokio::test]
async fn a_pool_without_guests_has_none() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(false).await;
    assert!(matches!(fixture.get_id(&pool, None).await, Err(IdentityError::GuestsOff)));
    assert!(fixture.get_id(&pool, Some("ann")).await.is_ok());
}

#[tokio::test]
async fn pools_are_worlds_of_their_own() {
    let fixture = Fixture::start().await;
    let (one, two) = (fixture.pool(true).await, fixture.pool(true).await);
    let ann = fixture.get_id(&one, Some("ann")).await.unwrap();
    assert_ne!(fixture.get_id(&two, Some("ann")).await.unwrap(), ann);
    let other = "111111111111".parse().unwrap();
    let named = fixture.identities.get_id(Some(other), &one.id, &Logins::default()).await;
    assert!(matches!(named, Err(IdentityError::PoolNotFound(_))));
    assert!(matches!(fixture.pools.get(other, &one.id), Err(IdentityError::PoolNotFound(_))));

    fixture.pools.delete(AccountId::DEFAULT, &one.id).await.unwrap();
    assert!(matches!(fixture.get_id(&one, None).await, Err(IdentityError::PoolNotFound(_))));
    assert!(matches!(fixture.resolve(&ann, Some("ann")).await, Err(IdentityError::IdentityNotFound(_))));
    assert_eq!(fixture.store.identity(&ann).await.unwrap(), None, "its rows are gone too");
}

#[tokio::test]
async fn only_the_pools_own_providers_and_good_tokens_count() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let get_id = async |provider: &str, token: String| {
        let logins = BTreeMap::from([(provider.to_owned(), token)]).into();
        fixture.identities.get_id(None, &pool.id, &logins).await
    };
    let good = fixture.token("ann");
    for stranger in ["accounts.example.com", "", &fixture.issuer.url] {
        let refused = get_id(stranger, good.clone()).await;
        assert!(matches!(refused, Err(IdentityError::UnsupportedProvider)), "{stranger}");
    }
    let settings = PoolSettings { allow_guests: true, ..PoolSettings::default() };
    let new = NewPool { account: AccountId::DEFAULT, name: "closed".to_owned(), settings };
    let closed = fixture.pools.create(new).await.unwrap();
    // The account knows the provider, but this pool does not take it.
    assert!(matches!(fixture.get_id(&closed, Some("ann")).await, Err(IdentityError::UnsupportedProvider)));
    fixture.clock.advance(Duration::from_secs(630));
    let expired = get_id(&fixture.provider(), good).await.unwrap_err().to_string();
    assert_eq!(expired, "Invalid login token. Token expired: 1800000630 >= 1800000600");
}

#[tokio::test]
async fn an_identity_has_at_most_twenty_logins() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let ann = fixture.get_id(&pool, Some("ann")).await.unwrap();
    let login =
        |at: usize| crate::store::identity::Login { provider: format!("p{at}"), subject: "ann".to_owned() };
    for at in 1..identities::LOGINS_AN_IDENTITY_MAX {
        let seen = fixture.store.identity(&ann).await.unwrap().unwrap();
        let _ = fixture.store.link(&seen, &[login(at)], ISSUED_AT).await.unwrap();
    }
    let seen = fixture.store.identity(&ann).await.unwrap().unwrap();
    assert_eq!(seen.logins.len(), 20);
    assert!(fixture.resolve(&ann, Some("ann")).await.is_ok(), "those it has go on working");
    let refused = fixture.identities.link(&seen, &[login(20)]).await;
    assert!(matches!(refused, Err(IdentityError::TooManyLogins(20))));
}

#[tokio::test]
async fn credentials_are_those_of_the_pools_role_and_carry_the_identity() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    for (subject, role) in [(None, "guest"), (Some("ann"), "user")] {
        let given = fixture.identities.credentials(&guest, &fixture.logins(subject)).await.unwrap();
        assert_eq!(given.credentials.expires.since(ISSUED_AT), Duration::from_secs(3600));
        let credentials = &given.credentials;
        let session = fixture.sessions.open(&credentials.session_token, &credentials.access_key_id).unwrap();
        assert_eq!(
            session.caller.principal.arn(AccountId::DEFAULT),
            format!("arn:aws:sts::000000000000:assumed-role/{role}/CognitoIdentityCredentials")
        );
        let identity = session.caller.identity.as_ref().unwrap();
        assert_eq!((&identity.identity_id, identity.signed_in()), (&guest, subject.is_some()));
        assert_eq!(session.claims.origin.identity_id.as_ref(), Some(&guest));
    }
}

#[tokio::test]
async fn without_a_role_that_trusts_it_an_identity_gets_nothing() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    let credentials = async || fixture.identities.credentials(&guest, &Logins::default()).await;
    let role = |account: &str, name: &str| Some(format!("arn:aws:iam::{account}:role/{name}"));
    for unauthenticated in [
        None,
        role("000000000000", "missing"),
        // It trusts those who signed in, and this is a guest.
        role("000000000000", "user"),
        // It would trust the guest, but is not the pool's account's to give.
        role("111111111111", "guest"),
    ] {
        let roles = PoolRoles { authenticated: pool.roles.authenticated.clone(), unauthenticated };
        fixture.pools.set_roles(AccountId::DEFAULT, &pool.id, &roles).await.unwrap();
        assert!(matches!(credentials().await, Err(IdentityError::Configuration)), "{roles:?}");
    }
    fixture.pools.set_roles(AccountId::DEFAULT, &pool.id, &pool.roles).await.unwrap();
    assert!(credentials().await.is_ok());
    fixture.roles.trust("eu-west-1:another");
    assert!(matches!(credentials().await, Err(IdentityError::Configuration)));
}

#[tokio::test]
async fn an_open_id_token_says_who_where_and_how_and_verifies_with_the_published_key() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    // Its own publisher: an issuer that serves this gateway's keys.
    let gateway = TestIssuer::start(fixture.open_id_keys.jwks()).await;
    let given = fixture.identities.open_id_token(&gateway.url, &guest, &Logins::default()).await.unwrap();
    let verifier = Verifier::new(Issuers::new(outbound(), fixture.clock.clone()), fixture.clock.clone());
    let audience = [pool.id.clone()];
    let verified = verifier.verify(&given.token, &gateway.url, &audience).await.unwrap();
    assert_eq!(verified.subject, guest);
    assert_eq!(verified.expires.since(verified.issued), Duration::from_secs(600));
    assert_eq!(verified.claims["amr"], json!(["unauthenticated"]));
    assert!(!format!("{given:?}").contains(&given.token));
}

#[tokio::test]
async fn the_gateways_key_is_the_same_after_a_restart() {
    let fixture = Fixture::start().await;
    let load = async |ring: u8| {
        OpenIdKeys::load(OpenIdKeysParts {
            store: Arc::new(fixture.store.clone()),
            ring: Arc::new(KeyRing::new([(1, Secret::new(vec![ring; 32]))]).unwrap()),
            period: Duration::from_secs(90 * 24 * 3600),
            clock: fixture.clock.clone(),
            rng: Arc::new(SeededRng::new(2)),
        })
        .await
    };
    assert_eq!(load(1).await.unwrap().jwks(), fixture.open_id_keys.jwks());
    assert!(load(2).await.is_err(), "another ring does not open it");
}
