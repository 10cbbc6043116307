use serde_json::{Value, json};

use super::*;
use crate::outbound::OutboundConfig;
use crate::{
    authn::oidc::test_issuer::{TestIssuer, outbound},
    base::{Timestamp, clock::MockClock},
};

fn keys(ids: &[&str]) -> Value {
    let key = |id: &&str| json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": "A".repeat(43)});
    json!({ "keys": ids.iter().map(key).collect::<Vec<_>>() })
}

async fn start(ids: &[&str]) -> (TestIssuer, Arc<Issuers>, Arc<MockClock>) {
    let clock = MockClock::at(Timestamp::from_seconds(1000));
    let issuers = Arc::new(Issuers::new(outbound(), clock.clone()));
    (TestIssuer::start(keys(ids)).await, issuers, clock)
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_callers() {
    let (issuer, issuers, _) = start(&["a"]).await;
    let ask = || issuers.keys(&issuer.url, Some("a"));
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    assert!([one, two, three].into_iter().all(|keys| keys.unwrap().knows(Some("a"))));
    ask().await.unwrap();
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn an_unknown_key_id_leads_to_a_fetch_at_a_bounded_rate() {
    let (issuer, issuers, clock) = start(&["a"]).await;
    issuers.keys(&issuer.url, Some("a")).await.unwrap();
    *issuer.jwks.lock().unwrap() = keys(&["a", "b"]);
    for made_up in ["b", "c", "d"] {
        assert!(!issuers.keys(&issuer.url, Some(made_up)).await.unwrap().knows(Some(made_up)));
    }
    assert_eq!(issuer.fetches(), 1);
    clock.advance(INTERVAL_MIN);
    assert!(issuers.keys(&issuer.url, Some("b")).await.unwrap().knows(Some("b")));
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn old_keys_serve_at_once_while_newer_ones_are_fetched() {
    let (issuer, issuers, clock) = start(&["a"]).await;
    issuers.keys(&issuer.url, Some("a")).await.unwrap();
    clock.advance(FRESH);
    issuer.shut();
    *issuer.jwks.lock().unwrap() = keys(&["b"]);
    // The issuer hangs; whoever has a token of a known key does not notice.
    assert!(issuers.keys(&issuer.url, Some("a")).await.unwrap().knows(Some("a")));
    issuer.open();
    // This caller's key is new: it waits for the fetch that the one before began.
    assert!(issuers.keys(&issuer.url, Some("b")).await.unwrap().knows(Some("b")));
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn while_an_issuer_is_down_its_keys_serve_for_a_bounded_time() {
    let (issuer, issuers, clock) = start(&["a"]).await;
    issuers.keys(&issuer.url, Some("a")).await.unwrap();
    *issuer.discovery.lock().unwrap() = Value::Null;
    clock.advance(STALE_MAX - Duration::from_secs(1));
    assert!(issuers.keys(&issuer.url, Some("a")).await.unwrap().knows(Some("a")));
    // An unknown key makes it ask, in vain; what is there is answered.
    clock.advance(Duration::from_millis(500));
    assert!(issuers.keys(&issuer.url, Some("b")).await.unwrap().knows(Some("a")));
    clock.advance(INTERVAL_MIN);
    let failed = issuers.keys(&issuer.url, Some("a")).await;
    assert!(matches!(failed, Err(IssuerError::Fetch { .. })), "{failed:?}");
    // Nor is it asked again at once.
    assert!(matches!(issuers.keys(&issuer.url, Some("a")).await, Err(IssuerError::Resting(_))));
}

#[tokio::test]
async fn one_issuer_that_hangs_keeps_nobody_elses_users_waiting() {
    let (hanging, issuers, _) = start(&["a"]).await;
    hanging.shut();
    let waiting = tokio::spawn({
        let (issuers, url) = (issuers.clone(), hanging.url.clone());
        async move { issuers.keys(&url, Some("a")).await.map(drop) }
    });
    let other = TestIssuer::start(keys(&["a"])).await;
    issuers.keys(&other.url, Some("a")).await.unwrap();
    assert!(!waiting.is_finished());
    hanging.open();
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_stop_the_fetch_for_others() {
    let (issuer, issuers, _) = start(&["a"]).await;
    issuer.shut();
    let leaving = issuers.keys(&issuer.url, Some("a"));
    // Polled until it waits for the issuer, then dropped.
    assert!(futures_util::FutureExt::now_or_never(leaving).is_none());
    issuer.open();
    assert!(issuers.keys(&issuer.url, Some("a")).await.unwrap().knows(Some("a")));
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_huge_a_redirecting_and_a_dripping_issuer_fail_alone() {
    let clock = MockClock::at(Timestamp::from_seconds(1000));
    let config = OutboundConfig {
        allow_loopback_http: true,
        body_bytes_max: 64 * 1024,
        time_max: Duration::from_millis(300),
        ..OutboundConfig::default()
    };
    let issuers = Arc::new(Issuers::new(Outbound::new(&config).unwrap(), clock));
    let good = TestIssuer::start(keys(&["a"])).await;
    let inside = TestIssuer::start(keys(&["inside"])).await;
    let moved = format!("HTTP/1.1 302 Found\r\nlocation: {}/keys\r\ncontent-length: 0\r\n\r\n", inside.url);
    let huge = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", " ".repeat(80 * 1024));
    // It announces more than it sends, and keeps the connection.
    let dripping = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned();
    for (answer, expected) in
        [(moved, "status is 302"), (huge, "larger than 65536 bytes"), (dripping, "took longer")]
    {
        let bad = TestIssuer::start(keys(&["a"])).await;
        *bad.raw.lock().unwrap() = Some(answer);
        let asked = issuers.keys(&bad.url, Some("a"));
        let others = issuers.keys(&good.url, Some("a"));
        let (refused, served) = tokio::join!(asked, others);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
        assert!(served.unwrap().knows(Some("a")));
    }
    assert_eq!(inside.fetches(), 0, "a redirect leads nowhere");
}

#[tokio::test]
async fn an_issuer_that_changes_its_keys_is_followed_and_its_old_ones_are_dropped() {
    let (issuer, issuers, clock) = start(&["a"]).await;
    issuers.keys(&issuer.url, Some("a")).await.unwrap();
    *issuer.jwks.lock().unwrap() = keys(&["b"]);
    clock.advance(INTERVAL_MIN);
    let now = issuers.keys(&issuer.url, Some("b")).await.unwrap();
    assert!(now.knows(Some("b")) && !now.knows(Some("a")), "a withdrawn key verifies nothing");
    // Tokens that name it make the issuer be asked, but not more often than is decent.
    for _ in 0..100 {
        assert!(!issuers.keys(&issuer.url, Some("a")).await.unwrap().knows(Some("a")));
    }
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn many_that_hang_leave_others_their_turn() {
    let (good, issuers, _) = start(&["a"]).await;
    let mut hanging = Vec::new();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let issuer = TestIssuer::start(keys(&["a"])).await;
        issuer.shut();
        let (issuers, url) = (issuers.clone(), issuer.url.clone());
        waiting.spawn(async move { issuers.keys(&url, Some("a")).await.map(drop) });
        hanging.push(issuer);
    }
    for issuer in &hanging {
        issuer.asked().await;
    }
    issuers.keys(&good.url, Some("a")).await.unwrap();
    assert!(waiting.try_join_next().is_none(), "none of them has ended");
}

#[tokio::test]
async fn documents_that_lie_are_refused() {
    let lies = [
        json!({"issuer": "https://other.example", "jwks_uri": "KEYS"}),
        json!({"issuer": "ISSUER/", "jwks_uri": "KEYS"}),
        json!({"issuer": "ISSUER"}),
        json!(["ISSUER"]),
        json!({"issuer": "ISSUER", "jwks_uri": "http://10.0.0.1/keys"}),
        json!({"issuer": "ISSUER", "jwks_uri": "https://169.254.169.254/keys"}),
        json!({"issuer": "ISSUER", "jwks_uri": "file:///etc/passwd"}),
    ];
    for lie in lies {
        let (issuer, issuers, _) = start(&["a"]).await;
        let text = lie.to_string().replace("KEYS", &format!("{}/keys", issuer.url));
        *issuer.discovery.lock().unwrap() =
            serde_json::from_str(&text.replace("ISSUER", &issuer.url)).unwrap();
        assert!(issuers.keys(&issuer.url, None).await.is_err(), "{lie}");
        assert_eq!(issuer.fetches(), 0, "{lie}");
    }
    let (issuer, issuers, _) = start(&["a"]).await;
    *issuer.jwks.lock().unwrap() = json!({"keys": "none"});
    let refused = issuers.keys(&issuer.url, None).await;
    assert!(matches!(refused, Err(IssuerError::Document { .. })), "{refused:?}");
}
