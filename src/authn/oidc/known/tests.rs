//! Against real servers on loopback that answer as the providers' documentation says, or lie.

use serde_json::json;

use super::{
    super::{
        Issuers, Verifier,
        test_issuer::{Answers, Keys, TestIssuer, outbound},
    },
    *,
};
use crate::base::{Timestamp, clock::MockClock};

const NOW: i64 = 1_800_000_000;

fn verifier(base: &str) -> Verifier {
    let clock = MockClock::at(Timestamp::from_seconds(NOW));
    let all = |url: &str| url.to_owned();
    let config = KnownConfig {
        google_issuer: all(base),
        apple_issuer: all(base),
        facebook_api: all(base),
        amazon_api: format!("{base}/"),
    };
    Verifier::with_known(Issuers::new(outbound(), clock.clone()), &config, clock)
}

fn apps() -> Vec<String> {
    client_ids("app-1; app-2;")
}

/// The error's text, or whose it is.
async fn asked(verifier: &Verifier, provider: &str, token: &str) -> String {
    match verifier.verify_supported(provider, token, &apps()).await {
        Ok(verified) => {
            format!("{} of {} at {}", verified.subject, verified.client_id, verified.issued.seconds())
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn google_and_apple_are_issuers_with_several_clients() {
    let keys = Keys::generate();
    let issuer = TestIssuer::start(keys.jwks()).await;
    let verifier = verifier(&issuer.url);
    for (provider, client, expected) in [
        (GOOGLE_NAME, "app-1", "ann of app-1 at 1800000000"),
        (APPLE_NAME, "app-2", "ann of app-2 at 1800000000"),
        (APPLE_NAME, "app-3", "Incorrect token audience."),
    ] {
        let claims = json!({"iss": issuer.url, "sub": "ann", "aud": client, "exp": NOW + 60, "iat": NOW});
        let token = keys.token(br#"{"alg":"RS256","kid":"rsa"}"#, claims.to_string().as_bytes(), "RS256");
        assert_eq!(asked(&verifier, provider, &token).await, expected, "{provider}");
    }
}

#[tokio::test]
async fn a_user_pools_access_token_is_no_login() {
    let keys = Keys::generate();
    let issuer = TestIssuer::start(keys.jwks()).await;
    let verifier = verifier("https://nowhere.example");
    let name = issuer.url.trim_start_matches("http://");
    for (token_use, expected) in [
        (json!("id"), "ann"),
        (json!("access"), "Invalid token use. Token use must be id."),
        (json!(null), "The claim token_use is not of the form that OpenID Connect gives it."),
    ] {
        let claims = json!({
            "iss": issuer.url, "sub": "ann", "aud": "app-1", "exp": NOW + 60, "iat": NOW, "token_use": token_use,
        });
        let token = keys.token(br#"{"alg":"RS256","kid":"rsa"}"#, claims.to_string().as_bytes(), "RS256");
        let answer = match verifier.verify_user_pool(name, &token, &apps()).await {
            Ok(verified) => verified.subject,
            Err(error) => error.to_string(),
        };
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn facebook_is_asked_for_which_app_and_whose_a_token_is() {
    let server = Answers::start(|path, authorization| match (path, authorization) {
        ("/app?fields=id", Some("Bearer good" | "Bearer nobodys")) => (200, r#"{"id":"app-2"}"#.to_owned()),
        ("/app?fields=id", Some("Bearer foreign")) => (200, r#"{"id":"another-app"}"#.to_owned()),
        ("/me?fields=id", Some("Bearer good" | "Bearer foreign")) => (200, r#"{"id":"4711"}"#.to_owned()),
        ("/me?fields=id", Some("Bearer nobodys")) => (200, r#"{"name":"Ann"}"#.to_owned()),
        _ => (401, r#"{"error":{"message":"Invalid OAuth access token."}}"#.to_owned()),
    })
    .await;
    let verifier = verifier(&server.url);
    for (token, expected) in [
        ("good", "4711 of app-2 at 0"),
        ("foreign", "Incorrect token audience."),
        ("nobodys", "The provider could not be asked about the token."),
        ("made-up", "The provider does not accept the token."),
        ("two words", "Not a valid OpenId Connect identity token."),
        ("", "Not a valid OpenId Connect identity token."),
        (&"x".repeat(5000), "The token is longer than 8192 bytes."),
    ] {
        assert_eq!(asked(&verifier, "graph.facebook.com", token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn amazon_is_asked_once_and_its_answer_is_not_trusted_further_than_it_goes() {
    let server = Answers::start(|path, authorization| {
        assert_eq!(authorization, None);
        let answer = |aud: &str, user: &str, iat: i64| {
            (200, json!({"aud": aud, "user_id": user, "iat": iat, "exp": 3600, "app_id": "x"}).to_string())
        };
        match path.strip_prefix("/auth/o2/tokeninfo?access_token=") {
            Some("Atza%7Cgood") => answer("app-1", "amzn1.account.A", NOW - 5),
            Some("foreign") => answer("another", "amzn1.account.A", NOW - 5),
            Some("future") => answer("app-1", "amzn1.account.A", NOW + 500),
            Some("spaced") => answer("app-1", "amzn1 account", NOW),
            Some("twice") => (200, r#"{"aud":"app-1","user_id":"a","aud":"app-1"}"#.to_owned()),
            Some("text") => (200, "ok".to_owned()),
            Some("broken") => (503, String::new()),
            Some("moved") => (302, String::new()),
            _ => (400, r#"{"error":"invalid_token"}"#.to_owned()),
        }
    })
    .await;
    let verifier = verifier(&server.url);
    let unavailable = "The provider could not be asked about the token.";
    for (token, expected) in [
        ("Atza|good", "amzn1.account.A of app-1 at 1799999995"),
        ("foreign", "Incorrect token audience."),
        ("future", "The token is not valid yet."),
        ("spaced", unavailable),
        ("twice", unavailable),
        ("text", unavailable),
        ("broken", unavailable),
        ("moved", unavailable),
        ("Atza&access_token=good", "The provider does not accept the token."),
    ] {
        assert_eq!(asked(&verifier, "www.amazon.com", token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn what_cannot_be_verified_is_refused_by_name() {
    let verifier = verifier("https://nowhere.example");
    let twitter = asked(&verifier, TWITTER_NAME, "token;secret").await;
    assert!(
        twitter.starts_with("Signing in with Twitter (OAuth 1.0a) is not supported by Callgate"),
        "{twitter}"
    );
    let other = asked(&verifier, "login.example.com", "token").await;
    assert!(other.contains("OpenIdConnectProviderARNs"), "{other}");
    assert!(SAML.to_string().starts_with("Signing in with SAML is not supported by Callgate"));
    for name in [GOOGLE_NAME, APPLE_NAME, "graph.facebook.com", "www.amazon.com"] {
        assert!(check_name(name).is_ok(), "{name}");
    }
}

#[tokio::test]
async fn an_error_that_is_logged_has_no_token_in_it() {
    let clock = MockClock::at(Timestamp::from_seconds(NOW));
    let config = KnownConfig { amazon_api: "http://10.0.0.1".to_owned(), ..KnownConfig::default() };
    let verifier = Verifier::with_known(Issuers::new(outbound(), clock.clone()), &config, clock);
    let refused = verifier.verify_supported("www.amazon.com", "Atza|secret", &apps()).await.unwrap_err();
    let TokenError::ProviderUnavailable(cause) = &refused else { panic!("{refused:?}") };
    assert!(!format!("{refused:?} {refused} {cause}").contains("secret"), "{refused:?}");
}
