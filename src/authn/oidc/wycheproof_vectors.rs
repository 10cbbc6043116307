//! Project Wycheproof's vectors for every algorithm that is taken, in the form that JOSE gives keys and signatures (RFC 7518): through
//! the reading of a key set and the choice of its keys, as a token goes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, crypto};
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::jwks::KeySet;

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A number without leading zeros, as RFC 7518 §2 has it.
fn number(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    b64(&bytes[zeros..])
}

/// Whether a signature is the key's, as [`super::Verifier`] asks.
fn verifies(key: &Value, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let set = KeySet::parse(json!({"keys": [key]}).to_string().as_bytes()).unwrap();
    let mut candidates = set.candidates(None, algorithm);
    candidates.any(|key| matches!(crypto::verify(&b64(signature), message, key, algorithm), Ok(true)))
}

/// Counts the cases; says what is wrong.
#[derive(Default)]
struct Tally {
    good: usize,
    bad: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn case(&mut self, name: &str, id: usize, result: TestResult, accepted: bool) {
        match (result, accepted) {
            (TestResult::Valid, true) => self.good += 1,
            (TestResult::Invalid, false) => self.bad += 1,
            (TestResult::Acceptable, _) => {}
            _ => self.wrong.push(format!("{name} {id}: {result:?}, but accepted: {accepted}")),
        }
    }

    fn check(self, at_least: (usize, usize)) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        assert!(self.good >= at_least.0 && self.bad >= at_least.1, "{} good, {} bad", self.good, self.bad);
    }
}

#[test]
fn ecdsa_signatures_of_joses_form() {
    let mut tally = Tally::default();
    for (name, algorithm, curve) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Algorithm::ES256, "P-256"),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Algorithm::ES384, "P-384"),
    ] {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let (x, y) = group.key.key[1..].split_at((group.key.key.len() - 1) / 2);
            let key = json!({"kty": "EC", "crv": curve, "x": b64(x), "y": b64(y)});
            for test in group.tests {
                let accepted = verifies(&key, algorithm, &test.msg, &test.sig);
                tally.case(curve, test.tc_id, test.result, accepted);
            }
        }
    }
    tally.check((150, 150));
}

#[test]
fn ed25519_signatures() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(&group.key.pk)});
        for test in group.tests {
            let accepted = verifies(&key, Algorithm::EdDSA, &test.msg, &test.sig);
            tally.case("Ed25519", test.tc_id, test.result, accepted);
        }
    }
    tally.check((50, 50));
}

#[test]
fn rsa_signatures_of_both_paddings() {
    use rsa_pkcs1_verify::TestName as Pkcs1;
    use rsa_pss_verify::TestName as Pss;
    let mut tally = Tally::default();
    for (name, algorithm) in [
        (Pkcs1::Rsa2048Sha256, Algorithm::RS256),
        (Pkcs1::Rsa2048Sha384, Algorithm::RS384),
        (Pkcs1::Rsa2048Sha512, Algorithm::RS512),
        (Pkcs1::Rsa4096Sha256, Algorithm::RS256),
    ] {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let key = json!({"kty": "RSA", "n": number(&group.key.n), "e": number(&group.key.e)});
            for test in group.tests {
                let accepted = verifies(&key, algorithm, &test.msg, &test.sig);
                tally.case("PKCS #1", test.tc_id, test.result, accepted);
            }
        }
    }
    for (name, algorithm) in [
        (Pss::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::PS256),
        (Pss::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::PS384),
        (Pss::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::PS512),
    ] {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let key = json!({"kty": "RSA", "n": number(&group.key.n), "e": number(&group.key.e)});
            for test in group.tests {
                let accepted = verifies(&key, algorithm, &test.msg, &test.sig);
                tally.case("PSS", test.tc_id, test.result, accepted);
            }
        }
    }
    tally.check((200, 200));
}
