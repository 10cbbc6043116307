use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    authn::KeyStore,
    base::{AccountId, KeyRing, Principal, Secret, Timestamp, clock::MockClock, rng::SeededRng},
    policy::{NoKeys, Requester},
    store::{Feed, Follower, StoreError, iam::IamStore, sqlite::SqliteStore},
};

const ACCOUNT: AccountId = AccountId::DEFAULT;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// A directory on a store of its own, and more of them on the same one.
pub(crate) struct Fixture {
    pub(crate) directory: Arc<Directory>,
    pub(crate) clock: Arc<MockClock>,
    store: SqliteStore,
    _folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
        let clock = MockClock::at(Timestamp::from_seconds(1_435_752_000));
        let directory = open(&store, &clock, 1, Options::default()).await.unwrap();
        Self { directory, clock, store, _folder: folder }
    }

    /// Another gateway on the same store, with a key ring made from this byte.
    async fn another(&self, ring: u8, options: Options) -> std::result::Result<Arc<Directory>, StoreError> {
        open(&self.store, &self.clock, ring, options).await
    }
}

async fn open(
    store: &SqliteStore,
    clock: &Arc<MockClock>,
    ring: u8,
    options: Options,
) -> std::result::Result<Arc<Directory>, StoreError> {
    let feed = Feed::new(Arc::new(store.clone()));
    let parts = Parts {
        store: Arc::new(store.clone()),
        feed: feed.clone(),
        keys: Arc::new(KeyRing::new([(1, Secret::new(vec![ring; 32]))]).unwrap()),
        clock: clock.clone(),
        rng: Arc::new(SeededRng::new(u64::from(ring))),
    };
    let directory = Directory::new(parts, options);
    feed.start(vec![directory.clone()]).await.map(|()| directory)
}

fn role(name: &str) -> NewRole {
    NewRole {
        name: name.to_owned(),
        path: "/apps/".to_owned(),
        description: None,
        trust: TRUST.to_owned(),
        max_session_seconds: 3600,
        tags: [("team".to_owned(), "a".to_owned())].into(),
    }
}

fn provider(url: &str) -> NewOidcProvider {
    NewOidcProvider {
        url: url.to_owned(),
        client_ids: vec!["one".to_owned(), "two".to_owned(), "one".to_owned()],
        thumbprints: Vec::new(),
        tags: Default::default(),
    }
}

#[tokio::test]
async fn an_account_gets_a_root_key_that_looks_like_awss_and_opens_after_a_restart() {
    let fixture = Fixture::new().await;
    let account = "123456789012".parse().unwrap();
    let made = fixture.directory.create_account(account).await.unwrap();
    assert!(made.id.len() == 20 && made.id.starts_with("AKIA"), "{}", made.id);
    assert_eq!(made.secret.expose().len(), 40);
    assert!(fixture.directory.has_account(account));
    assert!(matches!(fixture.directory.create_account(account).await, Err(IamError::EntityAlreadyExists(_))));
    for directory in [&fixture.directory, &fixture.another(1, Options::default()).await.unwrap()] {
        let key = directory.access_key(&made.id).unwrap();
        assert_eq!(*key.secret.secret(), made.secret);
        assert_eq!((key.caller.account, &key.caller.principal), (account, &Principal::Root));
    }
}

#[tokio::test]
async fn secrets_are_sealed_and_another_key_ring_refuses_to_start() {
    let fixture = Fixture::new().await;
    let secret = Secret::from("a secret that must not lie about".to_owned());
    fixture.directory.seed_root("AKIAROOT", &secret).await.unwrap();
    let stored = fixture.store.access_keys(ACCOUNT).await.unwrap();
    assert!(!stored[0].sealed_secret.windows(6).any(|window| window == b"secret"));
    let error = fixture.another(2, Options::default()).await.unwrap_err().to_string();
    assert!(error.contains("AKIAROOT") && error.contains("do not open"), "{error}");
}

#[tokio::test]
async fn the_root_key_is_the_last_one_seeded() {
    let fixture = Fixture::new().await;
    let directory = &fixture.directory;
    let drawn = directory.ensure_root().await.unwrap().unwrap();
    assert_eq!(directory.ensure_root().await.unwrap(), None);
    let secret = |text: &str| Secret::from(text.to_owned());
    directory.seed_root("AKIAROOT", &secret("one")).await.unwrap();
    assert!(directory.access_key(&drawn.id).is_none());
    directory.seed_root("AKIAROOT", &secret("two")).await.unwrap();
    assert_eq!(*directory.access_key("AKIAROOT").unwrap().secret.secret(), secret("two"));

    let before = fixture.store.access_keys(ACCOUNT).await.unwrap();
    directory.seed_root("AKIAROOT", &secret("two")).await.unwrap();
    assert_eq!(fixture.store.access_keys(ACCOUNT).await.unwrap(), before, "nothing is written anew");

    for (id, text) in [("", "x"), ("A/B", "x"), ("ASIAROOT", "x"), ("AKIAROOT", "")] {
        assert!(
            matches!(directory.seed_root(id, &secret(text)).await, Err(IamError::InvalidInput(_))),
            "{id}"
        );
    }
    let other = directory.create_account("123456789012".parse().unwrap()).await.unwrap();
    let taken = directory.seed_root(&other.id, &secret("x")).await;
    assert!(matches!(taken, Err(IamError::EntityAlreadyExists(_))));
}

#[tokio::test]
async fn a_role_is_found_by_name_and_by_its_whole_arn() {
    let fixture = Fixture::new().await;
    let made = fixture.directory.create_role(ACCOUNT, role("app")).await.unwrap();
    assert!(made.id().len() == 21 && made.id().starts_with("AROA"), "{}", made.id());
    assert_eq!(made.arn, "arn:aws:iam::000000000000:role/apps/app");
    let by_arn = |arn: &str| fixture.directory.role_by_arn(arn).is_some();
    assert!(by_arn(&made.arn));
    for arn in [
        "arn:aws:iam::000000000000:role/app",
        "arn:aws:iam::111111111111:role/apps/app",
        "arn:aws:iam::000000000000:user/apps/app",
        "app",
    ] {
        assert!(!by_arn(arn), "{arn}");
    }
    let lambda = Requester::Service("lambda.amazonaws.com");
    assert!(made.trusts("sts:AssumeRole", lambda, &NoKeys));
    assert!(!made.trusts("sts:AssumeRole", Requester::Service("sns.amazonaws.com"), &NoKeys));
    assert!(!made.trusts("sts:AssumeRoleWithWebIdentity", lambda, &NoKeys));
}

#[tokio::test]
async fn a_name_is_taken_whatever_its_case_and_a_new_role_is_another() {
    let fixture = Fixture::new().await;
    let first = fixture.directory.create_role(ACCOUNT, role("app")).await.unwrap();
    let again = fixture.directory.create_role(ACCOUNT, role("APP")).await;
    assert!(matches!(again, Err(IamError::EntityAlreadyExists(_))));
    assert!(fixture.directory.role(ACCOUNT, "APP").is_none());
    fixture.directory.delete_role(ACCOUNT, "app").await.unwrap();
    assert!(fixture.directory.role(ACCOUNT, "app").is_none());
    let second = fixture.directory.create_role(ACCOUNT, role("APP")).await.unwrap();
    assert_ne!(first.id(), second.id());
}

#[tokio::test]
async fn what_one_gateway_writes_another_follows() {
    let fixture = Fixture::new().await;
    let other = fixture.another(1, Options::default()).await.unwrap();
    fixture.directory.create_role(ACCOUNT, role("app")).await.unwrap();
    fixture.directory.put_role_policy(ACCOUNT, "app", "p", ALLOW.to_owned()).await.unwrap();
    fixture.directory.create_oidc_provider(ACCOUNT, provider("https://idp.example.com")).await.unwrap();
    other.catch_up().await.unwrap();
    assert_eq!(other.role(ACCOUNT, "app").unwrap().policies.len(), 1);
    assert!(other.oidc_provider(ACCOUNT, "idp.example.com").is_some());

    // Behind the other's back: its memory is a revision old, so its write must not undo this one.
    fixture.directory.delete_role_policy(ACCOUNT, "app", "p").await.unwrap();
    let stale = other.tag_role(ACCOUNT, "app", [("k".to_owned(), "v".to_owned())].into()).await;
    assert!(matches!(stale, Err(IamError::ConcurrentModification(_))));
    other.catch_up().await.unwrap();
    other.tag_role(ACCOUNT, "app", [("k".to_owned(), "v".to_owned())].into()).await.unwrap();
    let changed = other.role(ACCOUNT, "app").unwrap();
    assert!(changed.policies.is_empty() && changed.tags.len() == 2);
}

#[tokio::test]
async fn concurrent_changes_of_a_role_are_all_kept() {
    let fixture = Fixture::new().await;
    fixture.directory.create_role(ACCOUNT, role("app")).await.unwrap();
    let changes = (0..20).map(|number| {
        let directory = fixture.directory.clone();
        async move {
            directory.tag_role(ACCOUNT, "app", [(format!("k{number}"), String::new())].into()).await.unwrap();
        }
    });
    futures_util::future::join_all(changes).await;
    assert_eq!(fixture.directory.role(ACCOUNT, "app").unwrap().tags.len(), 21);
}

#[tokio::test]
async fn a_roles_policies_share_its_room() {
    let fixture = Fixture::new().await;
    let directory = &fixture.directory;
    directory.create_role(ACCOUNT, role("app")).await.unwrap();
    let sized = |bytes: usize| {
        let sid = "s".repeat(bytes);
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{sid}","Effect":"Allow","Action":"*","Resource":"*"}}]}}"#
        )
    };
    directory.put_role_policy(ACCOUNT, "app", "one", sized(6000)).await.unwrap();
    let over = directory.put_role_policy(ACCOUNT, "app", "two", sized(6000)).await.unwrap_err();
    assert_eq!(over.to_string(), "Maximum policy size of 10240 bytes exceeded for role app");
    directory.put_role_policy(ACCOUNT, "app", "one", sized(9000)).await.unwrap();
    let over = directory.put_role_policy(ACCOUNT, "app", "one", sized(11_000)).await.unwrap_err();
    assert!(matches!(over, IamError::LimitExceeded(_)));
    let over = directory.set_trust(ACCOUNT, "app", TRUST.replace("lambda.", &"a.".repeat(1000))).await;
    assert!(
        matches!(over, Err(IamError::LimitExceeded(message)) if message.contains("ACLSizePerRole: 2048"))
    );
}

#[tokio::test]
async fn what_is_no_policy_is_not_put() {
    let fixture = Fixture::new().await;
    let directory = &fixture.directory;
    directory.create_role(ACCOUNT, role("app")).await.unwrap();
    let broken = directory.create_role(ACCOUNT, NewRole { trust: "{,}".to_owned(), ..role("b") }).await;
    assert_eq!(broken.unwrap_err().to_string(), "This policy contains invalid Json");
    let trust = directory.set_trust(ACCOUNT, "app", ALLOW.to_owned()).await;
    assert!(matches!(trust, Err(IamError::MalformedPolicyDocument(_))), "an identity policy as trust");
    let policy = directory.put_role_policy(ACCOUNT, "app", "p", TRUST.to_owned()).await;
    assert!(matches!(policy, Err(IamError::MalformedPolicyDocument(_))), "a trust policy as identity policy");
    assert!(directory.role(ACCOUNT, "app").unwrap().policies.is_empty());
}

#[tokio::test]
async fn a_role_that_no_longer_compiles_stops_the_start() {
    let fixture = Fixture::new().await;
    let made = fixture.directory.create_role(ACCOUNT, role("app")).await.unwrap();
    let mut record = made.record.clone();
    record.trust = ALLOW.to_owned();
    record.revision += 1;
    assert!(fixture.store.put_role(&record, Timestamp::from_seconds(1)).await.unwrap());
    let error = fixture.another(1, Options::default()).await.unwrap_err().to_string();
    assert!(error.contains("role 000000000000/app"), "{error}");
    assert!(fixture.directory.load().await.is_err());
    assert!(fixture.directory.role(ACCOUNT, "app").is_some(), "memory stays as it was");
}

#[tokio::test]
async fn a_providers_url_is_https_or_allowed_loopback() {
    let fixture = Fixture::new().await;
    let local = fixture.another(1, Options { allow_loopback_http: true }).await.unwrap();
    for url in ["https://idp.example.com", "https://idp.example.com/a/b", "https://127.0.0.1:8443/x"] {
        let made = fixture.directory.create_oidc_provider(ACCOUNT, provider(url)).await.unwrap();
        let name = url.strip_prefix("https://").unwrap();
        assert_eq!(made.arn, format!("arn:aws:iam::000000000000:oidc-provider/{name}"));
        assert_eq!((made.record.issuer.as_str(), made.record.client_ids.len()), (url, 2));
        assert!(fixture.directory.oidc_provider_by_arn(&made.arn).is_some());
    }
    local.catch_up().await.unwrap();
    for url in ["http://127.0.0.1:8080", "http://localhost/x", "http://[::1]:1"] {
        let refused = fixture.directory.create_oidc_provider(ACCOUNT, provider(url)).await;
        assert!(matches!(refused, Err(IamError::InvalidInput(_))), "{url}");
        assert!(local.create_oidc_provider(ACCOUNT, provider(url)).await.is_ok(), "{url}");
    }
    for url in [
        "http://idp.example.com",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "idp.example.com",
        "https://",
        "https://user@idp.example.com",
        "https://idp.example.com?x=1",
        "https://idp.example.com#x",
        "https://idp.example.com/ä",
    ] {
        let refused = local.create_oidc_provider(ACCOUNT, provider(url)).await;
        assert!(matches!(refused, Err(IamError::InvalidInput(_))), "{url}");
    }
}

#[tokio::test]
async fn a_provider_belongs_to_its_account() {
    let fixture = Fixture::new().await;
    let directory = &fixture.directory;
    let other: AccountId = "123456789012".parse().unwrap();
    directory.create_account(other).await.unwrap();
    let made = directory.create_oidc_provider(ACCOUNT, provider("https://idp.example.com")).await.unwrap();
    assert!(matches!(directory.existing_oidc_provider(other, &made.arn), Err(IamError::NoSuchEntity(_))));
    directory.delete_oidc_provider(other, &made.arn).await.unwrap();
    assert!(directory.oidc_provider_by_arn(&made.arn).is_some(), "another's is left alone");
    let again = directory.create_oidc_provider(ACCOUNT, provider("https://idp.example.com")).await;
    assert!(matches!(again, Err(IamError::EntityAlreadyExists(_))));
    assert!(directory.create_oidc_provider(other, provider("https://idp.example.com")).await.is_ok());
}

#[tokio::test]
async fn roles_show_when_they_were_made() {
    let fixture = Fixture::new().await;
    fixture.clock.advance(Duration::from_secs(5));
    let made = fixture.directory.create_role(ACCOUNT, role("app")).await.unwrap();
    assert_eq!(made.record.created.iso8601_seconds(), "2015-07-01T12:00:05Z");
}
