//! Requests that are signed in their query.

use super::{tests::*, *};
use crate::authn::sigv4::{
    query::LIFETIME_MAX,
    test_signer::{TestSigner, add_to_query},
};

fn presigned(signer: &TestSigner, seconds: &str) -> Parts {
    let mut head = head();
    signer.presign(&mut head, BODY, seconds, &[]);
    head
}

fn query(head: &Parts) -> String {
    head.uri.query().unwrap().to_owned()
}

fn with_query(head: &Parts, query: &str) -> Parts {
    let mut changed = head.clone();
    changed.uri = format!("{}?{query}", head.uri.path()).parse().unwrap();
    changed
}

#[test]
fn a_presigned_request_is_believed_with_a_key_and_with_a_session() {
    let stage = stage("us-east-1");
    let root = presigned(&stage.signer(), "900");
    assert!(stage.check(&root, BODY).is_ok());
    let session = stage.session_signer(Duration::from_secs(3600));
    let head = presigned(&session, "900");
    let caller = stage.check(&head, BODY).unwrap();
    assert_eq!(caller.principal.user_id(caller.account), "AROAEXAMPLE:s");
    assert_eq!(stage.check(&head, b"{}").unwrap_err(), AuthnError::MISMATCH);
    stage.clock.advance(Duration::from_secs(3600));
    assert_eq!(stage.authn.begin(&head, SERVICES, stage.now).unwrap_err(), AuthnError::ExpiredToken);
}

#[test]
fn it_is_good_for_as_long_as_it_says_and_never_for_more_than_fifteen_minutes() {
    let stage = stage("us-east-1");
    let at = |now: Timestamp, seconds: &str| {
        let head = presigned(&stage.signer(), seconds);
        stage.authn.begin(&head, SERVICES, now).map(drop)
    };
    for (seconds, last) in [("1", 1), ("60", 60), ("900", 900)] {
        let last = stage.now.plus(Duration::from_secs(last));
        assert_eq!(at(last, seconds), Ok(()), "{seconds}");
        let error = at(last.plus(Duration::from_secs(1)), seconds).unwrap_err();
        assert!(error.to_string().starts_with("Signature expired: 20150830T123600Z"), "{error}");
    }
    assert_eq!(at(stage.now.minus(SKEW), "1"), Ok(()), "a client's clock may go ahead");
    let early = at(stage.now.minus(SKEW + Duration::from_secs(1)), "900").unwrap_err();
    assert!(early.to_string().starts_with("Signature not yet current"), "{early}");
    let too_long = (LIFETIME_MAX.as_secs() + 1).to_string();
    for seconds in ["0", &too_long, "604800", "-1", "+60", "60.5", "1e2", "0x10", "99999999999999999999"] {
        let error = at(stage.now, seconds).unwrap_err();
        assert!(error.to_string().starts_with("X-Amz-Expires must be"), "{seconds}: {error}");
    }
}

#[test]
fn what_is_lacking_or_twice_is_said() {
    let stage = stage("us-east-1");
    let session = stage.session_signer(Duration::from_secs(3600));
    let good = presigned(&session, "900");
    let names =
        ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"];
    for name in names.map(|name| format!("X-Amz-{name}")) {
        let whole = query(&good);
        let pair = whole.split('&').find(|pair| pair.starts_with(&format!("{name}="))).unwrap();
        let error = |query: String| {
            let begun = stage.authn.begin(&with_query(&good, &query), SERVICES, stage.now);
            begun.map(drop).unwrap_err()
        };
        let twice = error(format!("{whole}&{pair}"));
        assert!(
            matches!(&twice, AuthnError::IncompleteSignature(text) if text.contains("more than once")),
            "{name}: {twice}"
        );
        let lacking = error(whole.replace(&format!("&{pair}"), ""));
        match name.as_str() {
            "X-Amz-Security-Token" => assert_eq!(lacking, AuthnError::UnrecognizedClient),
            _ => assert!(
                matches!(&lacking, AuthnError::IncompleteSignature(text) if text.contains(&name)),
                "{name}: {lacking}"
            ),
        }
        let empty = error(whole.replace(pair, &format!("{name}=")));
        assert!(!matches!(empty, AuthnError::MissingAuthenticationToken), "{name}: {empty}");
    }
}

#[test]
fn no_forgery_of_a_presigned_request_passes() {
    let stage = stage("us-east-1");
    let good = presigned(&stage.signer(), "900");
    assert!(stage.check(&good, BODY).is_ok());
    let edits: &[(&str, &str, &str)] = &[
        ("another expiry", "X-Amz-Expires=900", "X-Amz-Expires=899"),
        ("another time", "20150830T123600Z", "20150830T123601Z"),
        ("another day", "%2F20150830%2F", "%2F20150829%2F"),
        ("another region", "us-east-1", "eu-west-1"),
        ("another service", "%2Flambda%2F", "%2Fsts%2F"),
        ("another algorithm", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        ("another value", "Qualifier=PROD", "Qualifier=DEV"),
        ("another name", "Qualifier=", "qualifier="),
        ("one pair less", "&b=1", ""),
        ("fewer headers", "content-type%3B", ""),
        ("an unsigned idempotency key", "%3Bidempotency-key", ""),
        ("no host", "%3Bhost", ""),
    ];
    for (name, from, to) in edits {
        let whole = query(&good);
        assert!(whole.contains(from), "{name}: {whole}");
        let forged = with_query(&good, &whole.replace(from, to));
        assert!(stage.check(&forged, BODY).is_err(), "{name}");
    }
    let forge = |name: &str, change: &dyn Fn(&mut Parts)| {
        let mut forged = good.clone();
        change(&mut forged);
        assert!(stage.check(&forged, BODY).is_err(), "{name}");
    };
    forge("one pair more", &|head| add_to_query(head, "c=3"));
    forge("a name written otherwise", &|head| add_to_query(head, "X-Amz%2DExpires=900"));
    forge("another method", &|head| head.method = http::Method::PUT);
    forge("a new x-amz header", &|head| {
        drop(head.headers.insert("x-amz-invocation-type", "Event".parse().unwrap()))
    });
    forge("a new callgate header", &|head| {
        drop(head.headers.insert("callgate-on-disconnect", "cancel".parse().unwrap()))
    });
    forge("an unsigned body", &|head| {
        drop(head.headers.insert(header::CONTENT_SHA256, "UNSIGNED-PAYLOAD".parse().unwrap()))
    });
    forge("a token in a header", &|head| drop(head.headers.insert(header::TOKEN, "AQ==".parse().unwrap())));
}

#[test]
fn a_request_is_signed_in_one_place() {
    let stage = stage("us-east-1");
    let mut both = presigned(&stage.signer(), "900");
    stage.signer().sign(&mut both, BODY);
    let error = stage.check(&both, BODY).unwrap_err();
    assert!(
        matches!(&error, AuthnError::IncompleteSignature(text) if text.contains("signed twice")),
        "{error}"
    );
    let mut neither = head();
    assert_eq!(stage.check(&neither, BODY).unwrap_err(), AuthnError::MissingAuthenticationToken);
    assert!(!Authn::is_signed(&neither) && Authn::is_signed(&both));
    add_to_query(&mut neither, "X-Amz-Signature=");
    assert!(Authn::is_signed(&neither), "what says that it is signed is never taken for unsigned");
}

proptest::proptest! {
    /// One changed character anywhere in a presigned query is noticed.
    #[test]
    fn a_changed_query_is_refused(at in proptest::prelude::any::<proptest::sample::Index>(), to in "[!-~]") {
        let stage = stage("us-east-1");
        let good = presigned(&stage.signer(), "900");
        let whole = query(&good);
        let mut changed = whole.clone();
        let at = at.index(changed.len());
        changed.replace_range(at..=at, &to);
        proptest::prop_assume!(!changed.contains('#'));
        let meaning = |query: &str| {
            let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            pairs.sort();
            pairs
        };
        // Another way to write the same thing may pass; it is the same request.
        proptest::prop_assume!(meaning(&changed) != meaning(&whole));
        if let Ok(uri) = format!("{}?{changed}", good.uri.path()).parse() {
            let mut forged = good.clone();
            forged.uri = uri;
            proptest::prop_assert!(stage.check(&forged, BODY).is_err(), "{}", changed);
        }
    }
}
