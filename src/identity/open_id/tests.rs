use super::*;
use crate::{
    authn::oidc::jwks::KeySet,
    base::{Clock, Secret, clock::MockClock, rng::SeededRng},
    store::sqlite::SqliteStore,
};

const PERIOD: Duration = Duration::from_secs(90 * 24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

async fn open(store: &SqliteStore, clock: &Arc<MockClock>) -> Arc<OpenIdKeys> {
    OpenIdKeys::load(OpenIdKeysParts {
        store: Arc::new(store.clone()),
        ring: Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap()),
        period: PERIOD,
        clock: clock.clone(),
        rng: Arc::new(SeededRng::new(1)),
    })
    .await
    .unwrap()
}

fn key_id(token: &str) -> String {
    let header = crate::authn::oidc::jws::key_id(token).unwrap();
    header.unwrap()
}

fn published(keys: &OpenIdKeys) -> Vec<String> {
    let keys = keys.jwks();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_until_its_tokens_have_ended() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
    let clock = MockClock::at(Timestamp::from_seconds(1_800_000_000));
    let keys = open(&store, &clock).await;
    let sign = |keys: &OpenIdKeys| key_id(&keys.sign(&json!({"sub": "x"})).unwrap());
    let first = sign(&keys);
    keys.turn().await.unwrap();
    assert_eq!(published(&keys), std::slice::from_ref(&first), "one key is enough for its time");

    clock.advance(PERIOD);
    keys.turn().await.unwrap();
    let [second, still] = &published(&keys)[..] else { panic!("two are published") };
    assert_eq!(*still, first);
    assert_eq!(sign(&keys), first, "the new one is published first");
    clock.advance(PUBLISHED_BEFORE);
    assert_eq!(sign(&keys), *second);

    // Over a restart, until the last token of the old one has ended.
    let keys = open(&store, &clock).await;
    assert_eq!((sign(&keys), published(&keys).len()), (second.clone(), 2));
    clock.advance(TOKEN_MAX);
    keys.turn().await.unwrap();
    assert_eq!(published(&keys).len(), 2);
    clock.advance(HOUR);
    keys.turn().await.unwrap();
    assert_eq!(published(&keys), std::slice::from_ref(second));
    assert!(KeySet::parse(keys.jwks().to_string().as_bytes()).unwrap().knows(Some(second)));
    assert!(clock.now() > Timestamp::from_seconds(1_800_000_000));
}

#[tokio::test]
async fn of_two_who_make_a_key_at_once_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
    let clock = MockClock::at(Timestamp::from_seconds(1_800_000_000));
    let (one, two) = tokio::join!(open(&store, &clock), open(&store, &clock));
    assert_eq!(published(&one), published(&two));
    clock.advance(PERIOD);
    let (first, second) = tokio::join!(one.turn(), two.turn());
    first.unwrap();
    second.unwrap();
    one.turn().await.unwrap();
    two.turn().await.unwrap();
    assert_eq!((published(&one).len(), published(&one)), (2, published(&two)));
}
