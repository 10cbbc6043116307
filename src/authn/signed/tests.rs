//! Vectors of botocore's signer, and every way to forge.

use http::{HeaderName, HeaderValue, Request, Uri};
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{
    authn::sigv4::test_signer::TestSigner,
    base::{
        AccountId, KeyRing, Origin, Principal, Secret, SessionClaims, SessionRole, clock::MockClock,
        rng::SeededRng,
    },
};

pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(super) const KEY: &str = "AKIDEXAMPLEAKIDEXAMP";
pub(super) const INACTIVE: &str = "AKIDINACTIVEINACTIVE";
pub(super) const SERVICES: &[&str] = &["lambda", "cognito-identity", "sts", "iam", "callgate"];

/// Knows [`KEY`] and, with the same secret, [`INACTIVE`].
struct Keys;

impl KeyStore for Keys {
    fn access_key(&self, id: &str) -> Option<Arc<AccessKey>> {
        (id == KEY || id == INACTIVE).then(|| {
            let caller = Caller {
                account: AccountId::DEFAULT,
                principal: Principal::Root,
                access_key_id: id.into(),
                identity: None,
                session: None,
            };
            let secret = Secret::from(SECRET.to_owned());
            Arc::new(AccessKey {
                caller: Arc::new(caller),
                secret: SigningSecret::new(secret),
                active: id == KEY,
            })
        })
    }
}

/// Nothing is revoked.
struct Nothing;

impl Revoked for Nothing {
    fn generation(&self) -> u64 {
        1
    }

    fn ends(&self, _: &SessionClaims, _: &str) -> bool {
        false
    }

    fn ends_guest(&self, _: &str) -> bool {
        false
    }
}

pub(super) struct Stage {
    pub(super) authn: Authn,
    pub(super) sessions: Arc<Sessions>,
    pub(super) clock: Arc<MockClock>,
    pub(super) now: Timestamp,
}

pub(super) fn stage(region: &str) -> Stage {
    let now = Timestamp::parse_sigv4("20150830T123600Z").unwrap();
    let clock = MockClock::at(now);
    let ring = Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap());
    let sessions = Arc::new(Sessions::new(ring, clock.clone(), Arc::new(SeededRng::new(1))));
    let authn = Authn::new(Arc::new(Keys), sessions.clone(), Arc::new(Nothing), Region::new(region));
    Stage { authn, sessions, clock, now }
}

impl Stage {
    pub(super) fn check(&self, head: &Parts, body: &[u8]) -> Result<Arc<Caller>, AuthnError> {
        let pending = self.authn.begin(head, SERVICES, self.now)?;
        self.authn.finish(pending, body).map(|verified| verified.caller)
    }

    pub(super) fn signer(&self) -> TestSigner {
        TestSigner {
            access_key_id: KEY.to_owned(),
            secret: Secret::from(SECRET.to_owned()),
            token: None,
            region: "us-east-1",
            service: "lambda",
            at: self.now,
        }
    }

    pub(super) fn session_signer(&self, lifetime: Duration) -> TestSigner {
        let role = SessionRole { account: AccountId::DEFAULT, name: "app", id: "AROAEXAMPLE" };
        let (issued, expires) = (self.now, self.now.plus(lifetime));
        let claims = SessionClaims::of_role(role, "s", Origin::at(issued), issued, expires);
        let credentials = self.sessions.mint(&claims).unwrap();
        TestSigner {
            access_key_id: credentials.access_key_id,
            secret: credentials.secret_access_key,
            token: Some(credentials.session_token),
            ..self.signer()
        }
    }
}

pub(super) fn head() -> Parts {
    let request = Request::post("/2015-03-31/functions/greet/invocations?Qualifier=PROD&b=1")
        .header("host", "127.0.0.1:7070")
        .header("content-type", "application/json")
        .header("x-amz-client-context", "eyJ9")
        .header("callgate-timeout-ms", "500")
        .header("idempotency-key", "k-1");
    request.body(()).unwrap().into_parts().0
}

pub(super) const BODY: &[u8] = br#"{"name":"Ada"}"#;

#[derive(Deserialize)]
struct Vectors {
    region: String,
    time: String,
    requests: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    service: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[test]
fn requests_that_botocore_signed_are_believed() {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../../tests/vectors/sigv4/requests.json")).unwrap();
    let stage = stage(&vectors.region);
    assert_eq!(Timestamp::parse_sigv4(&vectors.time), Some(stage.now));
    assert!(vectors.requests.len() >= 50);
    for vector in vectors.requests {
        let mut request = Request::builder().method(vector.method.as_str()).uri(&vector.target);
        for (name, value) in &vector.headers {
            // A server's HTTP parser cuts white space off the ends of values.
            request = request.header(name, HeaderValue::from_str(value.trim()).unwrap());
        }
        let head = request.body(()).unwrap().into_parts().0;
        let caller = stage.check(&head, vector.body.as_bytes());
        assert!(caller.is_ok(), "{}: {caller:?}", vector.id);
        let pending = stage.authn.begin(&head, SERVICES, stage.now).unwrap();
        assert_eq!(pending.service(), vector.service, "{}", vector.id);
        let changed = [vector.body.as_bytes(), b" "].concat();
        assert!(stage.check(&head, &changed).is_err(), "{} with another body", vector.id);
    }
}

#[test]
fn a_session_is_believed_with_its_own_token() {
    let stage = stage("us-east-1");
    let mut head = head();
    stage.session_signer(Duration::from_secs(3600)).sign(&mut head, BODY);
    let caller = stage.check(&head, BODY).unwrap();
    assert_eq!(caller.principal.user_id(caller.account), "AROAEXAMPLE:s");
    assert_eq!(caller.session_expires(), Some(stage.now.plus(Duration::from_secs(3600))));
}

/// A change that a forger could make to a request that was rightly signed.
type Forgery = fn(&mut Parts);

fn set(head: &mut Parts, name: &'static str, value: &str) {
    head.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
}

/// Changes the `Authorization` header's text.
fn edit(head: &mut Parts, from: &str, to: &str) {
    let value = head.headers["authorization"].to_str().unwrap();
    assert!(value.contains(from), "{value}");
    let edited = value.replace(from, to);
    set(head, "authorization", &edited);
}

const FORGERIES: &[(&str, Forgery)] = &[
    ("another method", |head| head.method = http::Method::PUT),
    ("another path", |head| {
        head.uri = Uri::from_static("/2015-03-31/functions/other/invocations?Qualifier=PROD&b=1")
    }),
    ("a path encoded otherwise", |head| {
        head.uri = Uri::from_static("/2015-03-31/functions/%67reet/invocations?Qualifier=PROD&b=1");
    }),
    ("another query value", |head| {
        head.uri = Uri::from_static("/2015-03-31/functions/greet/invocations?Qualifier=DEV&b=1")
    }),
    ("another query name", |head| {
        head.uri = Uri::from_static("/2015-03-31/functions/greet/invocations?qualifier=PROD&b=1")
    }),
    ("a query without a pair", |head| {
        head.uri = Uri::from_static("/2015-03-31/functions/greet/invocations?Qualifier=PROD")
    }),
    ("a query with one more pair", |head| {
        head.uri = Uri::from_static("/2015-03-31/functions/greet/invocations?Qualifier=PROD&b=1&b=2");
    }),
    ("no query", |head| head.uri = Uri::from_static("/2015-03-31/functions/greet/invocations")),
    ("another host", |head| set(head, "host", "127.0.0.1:7071")),
    ("another signed header", |head| set(head, "x-amz-client-context", "eyJ8")),
    ("a signed header twice", |head| {
        head.headers.append("x-amz-client-context", HeaderValue::from_static("eyJ9"));
    }),
    ("a signed header gone", |head| drop(head.headers.remove("content-type"))),
    ("a new x-amz header", |head| set(head, "x-amz-invocation-type", "Event")),
    ("a new callgate header", |head| set(head, "callgate-on-disconnect", "cancel")),
    ("another idempotency key", |head| set(head, "idempotency-key", "k-2")),
    ("an idempotency key no longer signed", |head| edit(head, ";idempotency-key", "")),
    ("a signed header taken off the list", |head| edit(head, "content-type;", "")),
    ("a host taken off the list", |head| edit(head, ";host", "")),
    ("a header put onto the list", |head| {
        set(head, "zebra", "1");
        edit(head, "x-amz-date", "x-amz-date;zebra");
    }),
    ("a list out of order", |head| edit(head, "content-type;host", "host;content-type")),
    ("a list with a name twice", |head| edit(head, "content-type;host", "content-type;host;host")),
    ("a list in capitals", |head| edit(head, "content-type", "Content-Type")),
    ("an empty list", |head| {
        let value = head.headers["authorization"].to_str().unwrap().to_owned();
        let (before, after) = value.split_once("SignedHeaders=").unwrap();
        let after = after.split_once(',').unwrap().1;
        set(head, "authorization", &format!("{before}SignedHeaders=,{after}"));
    }),
    ("another signing time", |head| set(head, "x-amz-date", "20150830T123601Z")),
    ("a signing time twice", |head| {
        head.headers.append("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    }),
    ("no signing time", |head| drop(head.headers.remove("x-amz-date"))),
    ("another day in the scope", |head| edit(head, "/20150830/", "/20150829/")),
    ("another region in the scope", |head| edit(head, "/us-east-1/", "/eu-west-1/")),
    ("another service in the scope", |head| edit(head, "/lambda/", "/iam/")),
    ("a service that is not ours", |head| edit(head, "/lambda/", "/s3/")),
    ("another access key", |head| edit(head, KEY, INACTIVE)),
    ("an unknown access key", |head| edit(head, KEY, "AKIDUNKNOWNUNKNOWNXX")),
    ("a session's access key", |head| edit(head, KEY, "ASIAEXAMPLEEXAMPLEXX")),
    ("a token beside a long-lived key", |head| set(head, "x-amz-security-token", "AQ==")),
    ("another signature", |head| {
        let value = head.headers["authorization"].to_str().unwrap().to_owned();
        let last = if value.ends_with('0') { '1' } else { '0' };
        set(head, "authorization", &format!("{}{last}", &value[..value.len() - 1]));
    }),
    ("no signature", |head| edit(head, "Signature=", "Signatur=")),
    ("a second Authorization header", |head| {
        let value = head.headers["authorization"].clone();
        head.headers.append("authorization", value);
    }),
    ("no Authorization header", |head| drop(head.headers.remove("authorization"))),
    ("an unsigned body", |head| set(head, "x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
    ("a streamed body", |head| set(head, "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")),
];

#[test]
fn no_forgery_passes() {
    let stage = stage("us-east-1");
    for cached in [false, true] {
        let mut signed = head();
        stage.signer().sign(&mut signed, BODY);
        if cached {
            stage.check(&signed, BODY).unwrap();
        }
        for (name, forge) in FORGERIES {
            let mut forged = signed.clone();
            forge(&mut forged);
            assert!(stage.check(&forged, BODY).is_err(), "{name}");
        }
        for body in [&b""[..], b"{}", b"{\"name\":\"Ada\"} "] {
            assert_eq!(stage.check(&signed, body).unwrap_err(), AuthnError::MISMATCH);
        }
        assert!(stage.check(&signed, BODY).is_ok(), "the request itself");
    }
}

#[test]
fn a_body_that_is_not_signed_is_refused_even_if_the_signature_says_so() {
    let stage = stage("us-east-1");
    for value in ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", "abc"] {
        let mut head = head();
        set(&mut head, "x-amz-content-sha256", value);
        stage.signer().sign(&mut head, BODY);
        let error = stage.check(&head, BODY).unwrap_err().to_string();
        assert!(error.contains("The body must be under the signature"), "{error}");
    }
    let mut head = head();
    set(&mut head, "x-amz-content-sha256", &"0".repeat(64));
    stage.signer().sign(&mut head, BODY);
    let error = stage.check(&head, BODY).unwrap_err().to_string();
    assert!(error.contains("does not match what was computed"), "{error}");
}

#[test]
fn tokens_and_keys_of_sessions_belong_together() {
    let stage = stage("us-east-1");
    let (one, two) =
        (stage.session_signer(Duration::from_secs(60)), stage.session_signer(Duration::from_secs(60)));
    let swapped = TestSigner { token: two.token.clone(), ..one.clone() };
    let without = TestSigner { token: None, ..one.clone() };
    let other_secret = TestSigner { secret: two.secret.clone(), ..one.clone() };
    let long_lived = TestSigner { token: one.token.clone(), ..stage.signer() };
    let check = |signer: &TestSigner| {
        let mut head = head();
        signer.sign(&mut head, BODY);
        stage.check(&head, BODY).map(drop)
    };
    assert_eq!(check(&one), Ok(()));
    assert_eq!(check(&swapped), Err(AuthnError::UnrecognizedClient));
    assert_eq!(check(&without), Err(AuthnError::UnrecognizedClient));
    assert_eq!(check(&long_lived), Err(AuthnError::UnrecognizedClient));
    assert_eq!(check(&other_secret), Err(AuthnError::MISMATCH));
}

#[test]
fn a_session_that_has_ended_is_told_so_before_its_body_is_read() {
    let stage = stage("us-east-1");
    let mut head = head();
    stage.session_signer(Duration::from_secs(60)).sign(&mut head, BODY);
    stage.check(&head, BODY).unwrap();
    stage.clock.advance(Duration::from_secs(60));
    let begun = stage.authn.begin(&head, SERVICES, stage.now);
    assert_eq!(begun.unwrap_err(), AuthnError::ExpiredToken);
}

#[test]
fn the_signing_time_may_lie_fifteen_minutes_off_and_no_more() {
    let stage = stage("us-east-1");
    let check = |at: Timestamp| {
        let mut head = head();
        TestSigner { at, ..stage.signer() }.sign(&mut head, BODY);
        stage.check(&head, BODY).map(drop)
    };
    let second = Duration::from_secs(1);
    assert_eq!(check(stage.now.minus(SKEW)), Ok(()));
    assert_eq!(check(stage.now.plus(SKEW)), Ok(()));
    assert_eq!(
        check(stage.now.minus(SKEW + second)).unwrap_err().to_string(),
        "Signature expired: 20150830T122059Z is now earlier than 20150830T122100Z (20150830T123600Z - 15 min.)"
    );
    assert_eq!(
        check(stage.now.plus(SKEW + second)).unwrap_err().to_string(),
        "Signature not yet current: 20150830T125101Z is still later than 20150830T125100Z (20150830T123600Z + 15 min.)"
    );
}

#[test]
fn global_services_are_signed_for_their_own_region_or_ours() {
    let stage = stage("eu-west-1");
    let check = |service, region| {
        let mut head = head();
        TestSigner { service, region, ..stage.signer() }.sign(&mut head, BODY);
        stage.check(&head, BODY).is_ok()
    };
    assert!(check("iam", "us-east-1") && check("sts", "us-east-1"));
    assert!(check("iam", "eu-west-1") && check("lambda", "eu-west-1"));
    assert!(!check("lambda", "us-east-1") && !check("iam", "us-west-2"));
}

#[test]
fn http_2_has_its_host_in_the_uri() {
    let stage = stage("us-east-1");
    let mut head = head();
    stage.signer().sign(&mut head, BODY);
    head.headers.remove("host");
    assert_eq!(stage.check(&head, BODY).unwrap_err(), AuthnError::MISMATCH);
    let target = head.uri.to_string();
    head.uri = format!("http://127.0.0.1:7070{target}").parse().unwrap();
    assert!(stage.check(&head, BODY).is_ok());
    head.uri = format!("http://127.0.0.2:7070{target}").parse().unwrap();
    assert_eq!(stage.check(&head, BODY).unwrap_err(), AuthnError::MISMATCH);
}

proptest! {
    /// Whatever stands in an Authorization header is refused or believed, and nothing else happens.
    #[test]
    fn no_authorization_header_is_believed_by_chance(value in "(AWS4-HMAC-SHA256 )?[ -~]{0,120}") {
        let stage = stage("us-east-1");
        let mut head = head();
        set(&mut head, "x-amz-date", "20150830T123600Z");
        set(&mut head, "authorization", &value);
        prop_assert!(stage.check(&head, BODY).is_err());
    }

    /// One changed character anywhere in the signed header is noticed.
    #[test]
    fn a_changed_authorization_header_is_refused(at in any::<prop::sample::Index>(), to in "[!-~]") {
        let stage = stage("us-east-1");
        let mut head = head();
        stage.signer().sign(&mut head, BODY);
        let signed = head.headers["authorization"].to_str().unwrap().to_owned();
        let mut changed = signed.clone();
        let at = at.index(changed.len());
        changed.replace_range(at..=at, &to);
        prop_assume!(changed != signed);
        set(&mut head, "authorization", &changed);
        prop_assert!(stage.check(&head, BODY).is_err(), "{}", changed);
    }
}
