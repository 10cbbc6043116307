//! Against a real store, each scope as an attacker would try it.

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{
    authn::{
        revoked::{Cleared, is_revoked},
        sessions::{Session, Sessions},
    },
    base::{
        Caller, CallerIdentity, Clock, KeyRing, Principal, Secret, SessionClaims, SessionRole,
        clock::MockClock, rng::SeededRng,
    },
    store::{
        identity::{IdentityStore, Login, PoolRecord, PoolRoles, PoolSettings, Written},
        revocation::guest_scope,
        sqlite::SqliteStore,
    },
};

const POOL: &str = "r:11111111-1111-4111-8111-111111111111";
const GUEST_ID: &str = "r:22222222-2222-4222-8222-222222222222";
const USER_ID: &str = "r:33333333-3333-4333-8333-333333333333";
const IDP: &str = "idp.example";

struct Stage {
    folder: tempfile::TempDir,
    store: SqliteStore,
    clock: Arc<MockClock>,
    revocations: Arc<Revocations>,
    sessions: Sessions,
}

async fn open(folder: &tempfile::TempDir, clock: &Arc<MockClock>) -> (SqliteStore, Arc<Revocations>) {
    let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
    let feed = Feed::new(Arc::new(store.clone()));
    let revocations = Revocations::new(Arc::new(store.clone()), feed.clone(), clock.clone());
    feed.start(vec![revocations.clone()]).await.unwrap();
    (store, revocations)
}

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = MockClock::at(Timestamp::from_seconds(1_000_000));
        let (store, revocations) = open(&folder, &clock).await;
        let pool = PoolRecord {
            id: POOL.to_owned(),
            account: AccountId::DEFAULT,
            name: "app".to_owned(),
            settings: PoolSettings::default(),
            roles: PoolRoles::default(),
            tag_maps: std::collections::BTreeMap::default(),
            revision: 0,
            created: clock.now(),
        };
        store.add_pool(&pool).await.unwrap();
        let login = Login { provider: IDP.to_owned(), subject: "ann".to_owned() };
        for (id, logins) in [(GUEST_ID, &[][..]), (USER_ID, &[login][..])] {
            let added = store.add_identity(POOL, id, logins, clock.now()).await.unwrap();
            assert_eq!(added, Written::Done);
        }
        let ring = Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap());
        let sessions = Sessions::new(ring, clock.clone(), Arc::new(SeededRng::new(1)));
        Self { folder, store, clock, revocations, sessions }
    }

    /// The same data directory under a new gateway.
    async fn restart(&mut self) {
        self.store.close().await;
        (self.store, self.revocations) = open(&self.folder, &self.clock).await;
    }

    fn tick(&self) {
        self.clock.advance(Duration::from_millis(1));
    }

    fn session(&self, claims: &SessionClaims) -> Arc<Session> {
        let made = self.sessions.mint(claims).unwrap();
        self.sessions.open(&made.session_token, &made.access_key_id).unwrap()
    }

    fn of_identity(&self, identity_id: &str, logins: &[&str]) -> Arc<Session> {
        let identity = CallerIdentity {
            pool_id: POOL.to_owned(),
            identity_id: identity_id.to_owned(),
            merged_id: None,
            born: self.clock.now(),
            logins: logins.iter().map(|login| (*login).to_owned()).collect(),
            amr: Vec::new(),
            principal_tags: BTreeMap::new(),
        };
        let issued = self.clock.now();
        let expires = issued.plus(Duration::from_secs(3600));
        self.session(&SessionClaims::of_identity(role("app"), "s", identity, issued, expires))
    }

    fn of_role(&self, role: SessionRole<'_>, origin: Origin) -> Arc<Session> {
        let issued = self.clock.now();
        let expires = issued.plus(Duration::from_secs(3600));
        self.session(&SessionClaims::of_role(role, "s", origin, issued, expires))
    }

    /// As AssumeRole makes it: the identity is gone, the origin stays.
    fn assumed(&self, from: &Session, name: &str) -> Arc<Session> {
        self.of_role(role(name), Origin::of_caller(&from.caller, self.clock.now()))
    }

    /// As a gateway answers that has not seen the session before.
    fn is_revoked(&self, session: &Session) -> bool {
        let key = &session.caller.access_key_id;
        is_revoked(self.revocations.as_ref(), &session.claims, key, &Cleared::default())
    }

    async fn revoke(&self, scope: Scope) {
        self.revocations.revoke(AccountId::DEFAULT, scope, false).await.unwrap();
    }

    async fn check(&self, identity: Option<(&str, bool)>, issued: &[i64]) -> Result<(), Refusal> {
        let logins: Vec<_> = issued
            .iter()
            .map(|seconds| Presented { provider: IDP, issued: Timestamp::from_seconds(*seconds) })
            .collect();
        let identity = identity.map(|(identity_id, is_guest)| Holder {
            identity_id,
            guest_born: is_guest.then_some(Timestamp::from_seconds(1_000_000)),
        });
        self.revocations.check(POOL, identity, &logins).await.unwrap()
    }
}

fn revoked(revocations: &dyn Revoked, session: &Session) -> bool {
    is_revoked(revocations, &session.claims, &session.caller.access_key_id, &session.cleared)
}

fn role(name: &str) -> SessionRole<'_> {
    SessionRole { account: AccountId::DEFAULT, name, id: "AROAEXAMPLE" }
}

fn scopes(session: &Session) -> Vec<Scope> {
    let pool_id = POOL.to_owned();
    let account = AccountId::DEFAULT;
    vec![
        Scope::Pool { pool_id: pool_id.clone() },
        Scope::Identity { identity_id: USER_ID.to_owned() },
        Scope::AccessKey { id: session.caller.access_key_id.to_string() },
        Scope::Provider { pool_id, provider: IDP.to_owned() },
        Scope::Role { account, name: "app".to_owned() },
    ]
}

#[tokio::test]
async fn each_scope_ends_its_sessions_and_those_that_they_began_over_a_restart() {
    for at in 0..5 {
        let mut stage = Stage::new().await;
        let first = stage.of_identity(USER_ID, &[IDP]);
        let child = stage.assumed(&first, "other");
        let grandchild = stage.assumed(&child, "third");
        let scope = scopes(&first).swap_remove(at);
        for session in [&first, &child, &grandchild] {
            assert!(!stage.is_revoked(session), "{scope}");
        }
        stage.tick();
        stage.revoke(scope.clone()).await;
        for _ in 0..2 {
            for session in [&first, &child, &grandchild] {
                assert!(stage.is_revoked(session), "{scope}");
            }
            // A chain that goes on after the revocation leads nowhere either.
            stage.tick();
            assert!(stage.is_revoked(&stage.assumed(&child, "fourth")), "{scope}");
            stage.restart().await;
        }
        // What begins afterwards is in order.
        assert!(!stage.is_revoked(&stage.of_identity(USER_ID, &[IDP])), "{scope}");
    }
}

#[tokio::test]
async fn a_user_ends_with_the_sessions_that_it_began() {
    let stage = Stage::new().await;
    let began = |name: &str| {
        let parent = stage.of_role(role("any"), Origin::default());
        let user = Caller {
            principal: Principal::User {
                name: name.into(),
                id: format!("AIDA{name}").into(),
                path: "/".into(),
            },
            access_key_id: format!("AKIA{name}").into(),
            session: None,
            ..Caller::clone(&parent.caller)
        };
        stage.of_role(role("ops"), Origin::of_caller(&user, stage.clock.now()))
    };
    let (ann, bob) = (began("ann"), began("bob"));
    let child = stage.assumed(&ann, "other");
    stage.tick();
    stage.revoke(Scope::User { account: AccountId::DEFAULT, name: "ann".to_owned() }).await;
    assert!(stage.is_revoked(&ann) && stage.is_revoked(&child));
    assert!(!stage.is_revoked(&bob));
    stage.revoke(Scope::AccessKey { id: "AKIAbob".to_owned() }).await;
    assert!(stage.is_revoked(&bob));
}

#[tokio::test]
async fn others_go_on() {
    let stage = Stage::new().await;
    let (guest, user) = (stage.of_identity(GUEST_ID, &[]), stage.of_identity(USER_ID, &["other.example"]));
    let foreign = SessionRole { account: "111111111111".parse().unwrap(), ..role("app") };
    let foreign = stage.of_role(foreign, Origin::at(stage.clock.now()));
    stage.tick();
    stage.revoke(Scope::Provider { pool_id: POOL.to_owned(), provider: IDP.to_owned() }).await;
    stage.revoke(Scope::Identity { identity_id: "r:0".to_owned() }).await;
    stage.revoke(Scope::Pool { pool_id: "r:1".to_owned() }).await;
    stage.revoke(Scope::Role { account: AccountId::DEFAULT, name: "ap".to_owned() }).await;
    assert!(!stage.is_revoked(&guest) && !stage.is_revoked(&user));
    stage.revoke(Scope::Role { account: AccountId::DEFAULT, name: "app".to_owned() }).await;
    assert!(stage.is_revoked(&guest) && stage.is_revoked(&user));
    assert!(!stage.is_revoked(&foreign), "a role of that name in another account");
}

#[tokio::test]
async fn a_first_login_ends_the_guest_alone_and_what_the_guest_had_begun() {
    let mut stage = Stage::new().await;
    let guest = stage.of_identity(GUEST_ID, &[]);
    let child = stage.assumed(&guest, "other");
    let seen = stage.store.identity(GUEST_ID).await.unwrap().unwrap();
    let login = Login { provider: IDP.to_owned(), subject: "bob".to_owned() };
    assert_eq!(stage.store.link(&seen, &[login], stage.clock.now()).await.unwrap(), Written::Done);
    stage.revocations.refresh().await.unwrap();
    for _ in 0..2 {
        assert!(stage.is_revoked(&guest) && stage.is_revoked(&child));
        // Whatever the clocks say: a guest's session of an identity that is none any more.
        stage.tick();
        assert!(stage.is_revoked(&stage.of_identity(GUEST_ID, &[])));
        assert!(stage.revocations.ends_identity(POOL, GUEST_ID, &[], stage.clock.now()));
        assert!(!stage.is_revoked(&stage.of_identity(GUEST_ID, &[IDP])), "the owner's own");
        stage.restart().await;
    }
}

#[tokio::test]
async fn login_tokens_from_before_are_refused_for_as_long_as_they_may_last() {
    let mut stage = Stage::new().await;
    let user = Some((USER_ID, false));
    stage.clock.advance(Duration::from_secs(10));
    for scope in [
        Scope::Pool { pool_id: POOL.to_owned() },
        Scope::Provider { pool_id: POOL.to_owned(), provider: IDP.to_owned() },
        Scope::Identity { identity_id: USER_ID.to_owned() },
    ] {
        assert_eq!(stage.check(user, &[1_000_009]).await, Ok(()), "{scope}");
        stage.revoke(scope.clone()).await;
        let now = stage.clock.now().seconds();
        stage.clock.advance(SESSION_MAX + Duration::from_secs(1));
        stage.revocations.prune().await.unwrap();
        stage.restart().await;
        let refused = Err(Refusal::Login(IDP.to_owned()));
        assert_eq!(stage.check(user, &[now]).await, refused, "{scope}");
        assert_eq!(stage.check(user, &[now + 1, now]).await, refused, "{scope}");
        assert_eq!(stage.check(user, &[now + 1]).await, Ok(()), "{scope}");
        // A fresh start for the next scope.
        stage = Stage::new().await;
        stage.clock.advance(Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_revoked_guests_id_opens_nothing_until_it_is_restored() {
    let mut stage = Stage::new().await;
    let guest = Some((GUEST_ID, true));
    let disabled = Err(Refusal::Disabled(GUEST_ID.to_owned()));
    stage.tick();
    stage.revoke(Scope::Identity { identity_id: GUEST_ID.to_owned() }).await;
    stage.restart().await;
    assert_eq!(stage.check(guest, &[]).await, disabled);
    assert_eq!(stage.check(guest, &[2_000_000]).await, disabled, "nor with a login");
    stage.revocations.restore(AccountId::DEFAULT, GUEST_ID).await.unwrap();
    assert_eq!(stage.check(guest, &[]).await, Ok(()));
    assert!(stage.revocations.restore(AccountId::DEFAULT, "r:0").await.is_err());
    // A pool's revocation leaves guests their ids.
    stage.tick();
    stage.revoke(Scope::Pool { pool_id: POOL.to_owned() }).await;
    assert_eq!(stage.check(guest, &[]).await, Ok(()));
    let pool = Scope::Pool { pool_id: POOL.to_owned() };
    stage.revocations.revoke(AccountId::DEFAULT, pool, true).await.unwrap();
    assert_eq!(stage.check(guest, &[]).await, disabled);
    assert_eq!(stage.check(Some((USER_ID, false)), &[2_000_000]).await, Ok(()));
    stage.tick();
    stage.revocations.restore(AccountId::DEFAULT, GUEST_ID).await.unwrap();
    stage.restart().await;
    assert_eq!(stage.check(guest, &[]).await, Ok(()));
}

#[tokio::test]
async fn while_it_is_revoked_nothing_of_the_scope_counts() {
    let stage = Stage::new().await;
    let user = stage.of_identity(USER_ID, &[IDP]);
    assert!(!stage.is_revoked(&user));
    let closed = stage.revocations.table.close(vec![format!("pool/{POOL}").into()]);
    assert!(stage.is_revoked(&user));
    assert!(stage.check(Some((USER_ID, false)), &[2_000_000]).await.is_err());
    let closed_guest = stage.revocations.table.close(vec![format!("identity/{GUEST_ID}").into()]);
    assert!(stage.check(Some((GUEST_ID, true)), &[]).await.is_err());
    drop(closed_guest);
    // The commit failed: as before.
    drop(closed);
    assert!(!stage.is_revoked(&user));
    assert_eq!(stage.revocations.table.len(), 0);
}

#[tokio::test]
async fn a_session_is_looked_up_once_until_something_is_revoked() {
    struct Counting<'a>(&'a Revocations, std::sync::atomic::AtomicUsize);
    impl Revoked for Counting<'_> {
        fn generation(&self) -> u64 {
            self.0.generation()
        }
        fn ends(&self, claims: &SessionClaims, access_key_id: &str) -> bool {
            self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            self.0.ends(claims, access_key_id)
        }
        fn ends_guest(&self, identity_id: &str) -> bool {
            self.0.ends_guest(identity_id)
        }
    }
    let stage = Stage::new().await;
    let user = stage.of_identity(USER_ID, &[IDP]);
    let counting = Counting(&stage.revocations, 0.into());
    for _ in 0..10 {
        assert!(!revoked(&counting, &user));
    }
    stage.revoke(Scope::Pool { pool_id: "r:1".to_owned() }).await;
    for _ in 0..10 {
        assert!(!revoked(&counting, &user));
    }
    assert_eq!(counting.1.into_inner(), 2);
}

#[tokio::test]
async fn the_table_is_bounded_and_forgets_what_has_ended() {
    let stage = Stage::new().await;
    for at in 0..3 {
        stage.revoke(Scope::Identity { identity_id: format!("r:{at}") }).await;
        stage.store.revoke(&[former_guest(&stage, at)], None).await.unwrap();
    }
    stage.revocations.refresh().await.unwrap();
    assert_eq!((stage.revocations.table.len(), stage.revocations.table.guests()), (3, 3));
    assert!(stage.store.fold_guests(1, stage.clock.now()).await.unwrap() == 2);
    stage.revocations.refresh().await.unwrap();
    assert_eq!((stage.revocations.table.len(), stage.revocations.table.guests()), (4, 1));
    // Those that were put together end the sessions of every guest of the pool, and of guests alone.
    assert!(stage.is_revoked(&stage.of_identity(GUEST_ID, &[])));
    assert!(!stage.is_revoked(&stage.of_identity(USER_ID, &[IDP])));
    stage.tick();
    assert!(!stage.is_revoked(&stage.of_identity(GUEST_ID, &[])));
    stage.clock.advance(SESSION_MAX);
    stage.revocations.prune().await.unwrap();
    assert_eq!((stage.revocations.table.len(), stage.revocations.table.guests()), (0, 0));
    assert_eq!(stage.store.revocations().await.unwrap(), []);
}

fn former_guest(stage: &Stage, at: usize) -> RevocationRecord {
    let now = stage.clock.now();
    RevocationRecord {
        scope: guest_scope(&format!("r:{at}")),
        account: AccountId::DEFAULT,
        pool_id: Some(POOL.to_owned()),
        not_before: now,
        ends: Some(now.plus(SESSION_MAX)),
    }
}
