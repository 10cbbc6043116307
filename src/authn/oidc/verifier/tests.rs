//! The table of tokens in `tests/vectors/tokens/id-tokens.json`, each made and signed anew and shown to a verifier that
//! fetches the keys from a real issuer.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    authn::oidc::test_issuer::{Keys, TestIssuer, outbound},
    base::clock::MockClock,
};

const NOW: i64 = 1_800_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    why: String,
    /// Merged over `{"alg", "kid", "typ"}`; null takes a member out.
    #[serde(default)]
    header: Map<String, Value>,
    /// Merged over good claims; null takes a member out.
    #[serde(default)]
    claims: Map<String, Value>,
    /// The header's or the claims' text instead, `ISSUER` replaced.
    raw_header: Option<String>,
    raw_claims: Option<String>,
    /// What really signs; the header's `alg` unless said.
    signed_as: Option<String>,
    /// Signed by keys that the issuer does not publish.
    #[serde(default)]
    forged: bool,
    /// What is done to the finished token.
    mangle: Option<String>,
    /// `ok`, or the beginning of the refusal.
    expect: String,
}

fn merged(mut base: Value, over: &Map<String, Value>) -> String {
    if let Value::Object(base) = &mut base {
        for (name, value) in over {
            match value {
                Value::Null => drop(base.remove(name)),
                value => drop(base.insert(name.clone(), value.clone())),
            }
        }
    }
    base.to_string()
}

impl Row {
    fn token(&self, issuer: &str, published: &Keys, unpublished: &Keys) -> String {
        let algorithm = self.header.get("alg").and_then(Value::as_str).unwrap_or("RS256");
        let kid = match algorithm {
            "ES256" => "p256",
            "ES384" => "p384",
            "EdDSA" => "ed25519",
            _ => "rsa",
        };
        let header = merged(json!({"alg": algorithm, "kid": kid, "typ": "JWT"}), &self.header);
        let good = json!({
            "iss": issuer, "sub": "user-1", "aud": "client-1", "exp": NOW + 600, "iat": NOW - 60,
        });
        let header = self.raw_header.clone().unwrap_or(header);
        let claims = self.raw_claims.clone().unwrap_or(merged(good, &self.claims)).replace("ISSUER", issuer);
        let keys = if self.forged { unpublished } else { published };
        let signed_as = self.signed_as.as_deref().unwrap_or(algorithm);
        self.mangled(keys.token(header.as_bytes(), claims.as_bytes(), signed_as))
    }

    fn mangled(&self, token: String) -> String {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("{token}") };
        match self.mangle.as_deref() {
            None => token,
            Some("no signature") => format!("{header}.{claims}."),
            Some("two parts") => format!("{header}.{claims}"),
            Some("four parts") => format!("{token}.{signature}"),
            Some("padded signature") => format!("{token}=="),
            Some("signature in the other alphabet") => {
                format!("{header}.{claims}.+/{}", &signature[2..])
            }
            Some("cut signature") => {
                let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
                format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(&bytes[1..]))
            }
            Some("loose bits in the signature") => format!("{}B", &token[..token.len() - 1]),
            Some("other claims") => {
                let other = json!({"iss": "x", "sub": "user-2"}).to_string();
                format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(other))
            }
            Some("space in front") => format!(" {token}"),
            Some("oversize") => format!("{header}.{}.{signature}", "A".repeat(TOKEN_BYTES_MAX)),
            Some("zero signature") => {
                let length = URL_SAFE_NO_PAD.decode(signature).unwrap().len();
                format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(vec![0; length]))
            }
            Some("longer signature") => {
                let bytes = [URL_SAFE_NO_PAD.decode(signature).unwrap(), vec![0]].concat();
                format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(bytes))
            }
            Some("newline at the end") => format!("{token}\n"),
            Some("json serialisation") => {
                json!({"protected": header, "payload": claims, "signature": signature}).to_string()
            }
            Some("empty") => String::new(),
            Some(other) => panic!("unknown mangling {other}"),
        }
    }
}

#[tokio::test]
async fn every_token_of_the_table_is_taken_or_refused_as_it_says() {
    let table = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/tokens/id-tokens.json"));
    let rows: Vec<Row> = serde_json::from_str(table).unwrap();
    assert!(rows.len() >= 148, "{}", rows.len());
    let (published, unpublished) = (Keys::generate(), Keys::generate());
    let issuer = TestIssuer::start(published.jwks()).await;
    let clock = MockClock::at(Timestamp::from_seconds(NOW));
    let verifier = Verifier::new(Issuers::new(outbound(), clock.clone()), clock);
    let client_ids = ["client-1".to_owned(), "client-2".to_owned()];

    let mut wrong = Vec::new();
    for row in &rows {
        let token = row.token(&issuer.url, &published, &unpublished);
        let answer = match verifier.verify(&token, &issuer.url, &client_ids).await {
            Ok(verified) => {
                assert_eq!(verified.subject, "user-1", "{}", row.id);
                assert!(client_ids.contains(&verified.client_id), "{}", row.id);
                "ok".to_owned()
            }
            Err(error) => error.to_string(),
        };
        if !answer.starts_with(&row.expect) {
            wrong.push(format!("{} ({}): {answer:?}, not {:?}", row.id, row.why, row.expect));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "ids repeat");
}

#[tokio::test]
async fn a_token_of_another_trusted_issuer_is_none_of_this_one() {
    let keys = Keys::generate();
    // Both publish the same key: only `iss` tells them apart.
    let (one, two) = (TestIssuer::start(keys.jwks()).await, TestIssuer::start(keys.jwks()).await);
    let clock = MockClock::at(Timestamp::from_seconds(NOW));
    let verifier = Verifier::new(Issuers::new(outbound(), clock.clone()), clock);
    let claims = json!({"iss": one.url, "sub": "u", "aud": "c", "exp": NOW + 1, "iat": NOW}).to_string();
    let token = keys.token(br#"{"alg":"EdDSA","kid":"ed25519"}"#, claims.as_bytes(), "EdDSA");
    let client_ids = ["c".to_owned()];
    let verified = verifier.verify(&token, &one.url, &client_ids).await.unwrap();
    assert_eq!((verified.issuer, verified.client_id), (one.url.clone(), "c".to_owned()));
    let crossed = verifier.verify(&token, &two.url, &client_ids).await;
    assert!(matches!(crossed, Err(TokenError::Issuer)), "{crossed:?}");
}

#[tokio::test]
async fn which_party_asked_for_the_token_is_known() {
    let keys = Keys::generate();
    let issuer = TestIssuer::start(keys.jwks()).await;
    let clock = MockClock::at(Timestamp::from_seconds(NOW));
    let verifier = Verifier::new(Issuers::new(outbound(), clock.clone()), clock);
    let claims = json!({
        "iss": issuer.url, "sub": "u", "aud": ["web", "other"], "azp": "android", "exp": NOW + 1, "iat": NOW,
    });
    let token = keys.token(br#"{"alg":"EdDSA"}"#, claims.to_string().as_bytes(), "EdDSA");
    let client_ids = ["web".to_owned(), "android".to_owned()];
    let verified = verifier.verify(&token, &issuer.url, &client_ids).await.unwrap();
    assert_eq!(verified.client_id, "android");
    let refused = verifier.verify(&token, &issuer.url, &client_ids[..1]).await;
    assert!(matches!(refused, Err(TokenError::AuthorisedParty)), "{refused:?}");
}
