//! Signs requests in tests. That the canonical form is right is for the vectors to say, not for this signer.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION, request::Parts};

use super::{
    canonical::Canonical,
    header::{ALGORITHM, Authorization, TOKEN, to_hex},
    key::SigningSecret,
};
use crate::base::{Secret, Timestamp};

/// What to sign with.
#[derive(Clone)]
pub(crate) struct TestSigner {
    pub(crate) access_key_id: String,
    pub(crate) secret: Secret,
    pub(crate) token: Option<String>,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
    pub(crate) at: Timestamp,
}

impl TestSigner {
    /// Adds `X-Amz-Date`, the token and `Authorization` to a head; every header that is there is signed.
    pub(crate) fn sign(&self, head: &mut Parts, body: &[u8]) {
        let at = self.at.sigv4();
        head.headers.insert("x-amz-date", at.parse().unwrap());
        if let Some(token) = &self.token {
            head.headers.insert(TOKEN, token.parse().unwrap());
        }
        let mut names: Vec<&str> = head.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let names = names.join(";");
        let canonical = Canonical::new(&head.method, &head.uri, &head.headers, &names).unwrap();
        let body = hex(digest(&SHA256, body).as_ref());
        let hash = hex(digest(&SHA256, &[canonical.as_sent(), body.as_bytes()].concat()).as_ref());
        let scope = format!("{}/{}/{}/aws4_request", &at[..8], self.region, self.service);
        let credential = format!("{}/{scope}", self.access_key_id);
        let authorization = Authorization {
            credential: &credential,
            access_key_id: &self.access_key_id,
            date: &at[..8],
            region: self.region,
            service: self.service,
            signed_headers: &names,
            signature: [0; 32],
        };
        let key = SigningSecret::new(self.secret.clone()).key(&authorization);
        let signature = hmac::sign(key.key(), format!("{ALGORITHM}\n{at}\n{scope}\n{hash}").as_bytes());
        let value = format!(
            "{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={}",
            hex(signature.as_ref())
        );
        head.headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
    }
}

fn hex(bytes: &[u8]) -> String {
    String::from_utf8(to_hex(bytes.try_into().unwrap()).to_vec()).unwrap()
}
