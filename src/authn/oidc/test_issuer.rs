//! A real issuer on loopback for tests: keys of every kind, and a server whose answers a test may change.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
        RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::watch,
};

use crate::outbound::{Outbound, OutboundConfig};

/// A key of each kind. Those of the same name in two of these are different keys.
pub(crate) struct Keys {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Keys {
    pub(crate) fn generate() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            p384: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
            ed25519: Ed25519KeyPair::generate().unwrap(),
        }
    }

    /// The public halves, named `rsa`, `p256`, `p384`, `ed25519`.
    pub(crate) fn jwks(&self) -> Value {
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let rsa = self.rsa.public_key();
        let ec = |kid: &str, crv: &str, pair: &EcdsaKeyPair| {
            // Uncompressed point: 4, x, y.
            let point = &pair.public_key().as_ref()[1..];
            let (x, y) = point.split_at(point.len() / 2);
            json!({"kty": "EC", "crv": crv, "kid": kid, "x": b64(x), "y": b64(y), "use": "sig"})
        };
        json!({"keys": [
            {"kty": "RSA", "kid": "rsa", "use": "sig",
             "n": b64(rsa.modulus().big_endian_without_leading_zero()),
             "e": b64(rsa.exponent().big_endian_without_leading_zero())},
            ec("p256", "P-256", &self.p256),
            ec("p384", "P-384", &self.p384),
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed25519", "x": b64(self.ed25519.public_key().as_ref())},
        ]})
    }

    /// Signs as `algorithm`; `HS256` takes the published modulus for its secret, as the classic attack does.
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(encoding, &random, message, &mut signature).unwrap();
            signature
        };
        match algorithm {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "RS384" => rsa(&RSA_PKCS1_SHA384),
            "RS512" => rsa(&RSA_PKCS1_SHA512),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "PS384" => rsa(&RSA_PSS_SHA384),
            "PS512" => rsa(&RSA_PSS_SHA512),
            "ES256" => self.p256.sign(&random, message).unwrap().as_ref().to_vec(),
            "ES384" => self.p384.sign(&random, message).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed25519.sign(message).as_ref().to_vec(),
            "HS256" => {
                let public = self.rsa.public_key().modulus();
                let key = hmac::Key::new(hmac::HMAC_SHA256, public.big_endian_without_leading_zero());
                hmac::sign(&key, message).as_ref().to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// A token of these parts, signed as `algorithm` whatever the header says.
    pub(crate) fn token(&self, header: &[u8], claims: &[u8], algorithm: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.sign(algorithm, message.as_bytes())))
    }
}

/// An issuer's server.
pub(crate) struct TestIssuer {
    pub(crate) url: String,
    /// Its keys' document.
    pub(crate) jwks: Arc<Mutex<Value>>,
    /// Its discovery document; `null` is answered 500.
    pub(crate) discovery: Arc<Mutex<Value>>,
    /// What it answers instead, head and all; it keeps the connection afterwards.
    pub(crate) raw: Arc<Mutex<Option<String>>>,
    /// How often it was asked for anything.
    asked: watch::Sender<usize>,
    /// How often its keys were asked for.
    pub(crate) fetches: Arc<AtomicUsize>,
    gate: watch::Sender<bool>,
}

impl TestIssuer {
    pub(crate) async fn start(jwks: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let discovery = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let (gate, open) = watch::channel(true);
        let issuer = Self {
            url,
            jwks: Arc::new(Mutex::new(jwks)),
            discovery: Arc::new(Mutex::new(discovery)),
            raw: Arc::default(),
            asked: watch::Sender::new(0),
            fetches: Arc::default(),
            gate,
        };
        let (jwks, discovery, fetches) =
            (issuer.jwks.clone(), issuer.discovery.clone(), issuer.fetches.clone());
        let (raw, asked) = (issuer.raw.clone(), issuer.asked.clone());
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap_or(0);
                asked.send_modify(|asked| *asked += 1);
                let mut open = open.clone();
                if open.wait_for(|open| *open).await.is_err() {
                    return;
                }
                let instead = raw.lock().unwrap().clone();
                if let Some(instead) = instead {
                    let _ = stream.write_all(instead.as_bytes()).await;
                    kept.push(stream);
                    continue;
                }
                let document = if request[..length].starts_with(b"GET /keys ") {
                    fetches.fetch_add(1, Ordering::SeqCst);
                    jwks.lock().unwrap().clone()
                } else {
                    discovery.lock().unwrap().clone()
                };
                let status = if document.is_null() { "500 Broken" } else { "200 OK" };
                let body = document.to_string();
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close", body.len());
                let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await;
            }
        });
        issuer
    }

    /// Lets no request through until [`Self::open`].
    pub(crate) fn shut(&self) {
        self.gate.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.gate.send_replace(true);
    }

    /// Waits until it was asked for something.
    pub(crate) async fn asked(&self) {
        let mut asked = self.asked.subscribe();
        asked.wait_for(|asked| *asked > 0).await.unwrap();
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

/// A server on loopback that answers by path and `Authorization`, one connection a request.
pub(crate) struct Answers {
    pub(crate) url: String,
}

impl Answers {
    pub(crate) async fn start(
        answer: impl Fn(&str, Option<&str>) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 16 * 1024];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..length]);
                let path = text.split(' ').nth(1).unwrap_or_default();
                let authorization = text.lines().find_map(|line| line.strip_prefix("authorization: "));
                let (status, body) = answer(path, authorization);
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close", body.len());
                let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await;
            }
        });
        Self { url }
    }
}

/// A client that may ask loopback.
pub(crate) fn outbound() -> Outbound {
    Outbound::new(&OutboundConfig { allow_loopback_http: true, ..OutboundConfig::default() }).unwrap()
}
