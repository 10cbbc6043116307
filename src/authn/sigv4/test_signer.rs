//! Signs requests in tests. That the canonical form is right is for the vectors to say, not for this signer.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION, request::Parts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

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
        let (names, scope) = (names(head), self.scope());
        let credential = format!("{}/{scope}", self.access_key_id);
        let signature = self.signature(head, &names, body);
        let value =
            format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}");
        head.headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
    }

    /// Puts a signature into the query that is good for so many seconds; every header that is there is signed. `more` are
    /// further pairs of the query, which are signed too.
    pub(crate) fn presign(&self, head: &mut Parts, body: &[u8], seconds: &str, more: &[(&str, &str)]) {
        let (at, names) = (self.at.sigv4(), names(head));
        let credential = format!("{}/{}", self.access_key_id, self.scope());
        let mut pairs = vec![
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &at),
            ("X-Amz-Expires", seconds),
            ("X-Amz-SignedHeaders", &names),
        ];
        pairs.extend(self.token.as_deref().map(|token| ("X-Amz-Security-Token", token)));
        pairs.extend(more);
        let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        add_to_query(head, &pairs.join("&"));
        let signature = self.signature(head, &names, body);
        add_to_query(head, &format!("X-Amz-Signature={signature}"));
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", &self.at.sigv4()[..8], self.region, self.service)
    }

    fn signature(&self, head: &Parts, names: &str, body: &[u8]) -> String {
        let at = self.at.sigv4();
        let canonical = Canonical::new(&head.method, &head.uri, &head.headers, names).unwrap();
        let body = hex(digest(&SHA256, body).as_ref());
        let hash = hex(digest(&SHA256, &[canonical.as_sent(), body.as_bytes()].concat()).as_ref());
        let scope = self.scope();
        let credential = format!("{}/{scope}", self.access_key_id);
        let authorization = Authorization {
            credential: &credential,
            access_key_id: &self.access_key_id,
            date: &at[..8],
            region: self.region,
            service: self.service,
            signed_headers: names,
            signature: [0; 32],
        };
        let key = SigningSecret::new(self.secret.clone()).key(&authorization);
        let signature = hmac::sign(key.key(), format!("{ALGORITHM}\n{at}\n{scope}\n{hash}").as_bytes());
        hex(signature.as_ref())
    }
}

/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn names(head: &Parts) -> String {
    let mut names: Vec<&str> = head.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names.join(";")
}

/// Adds pairs to a head's query.
pub(crate) fn add_to_query(head: &mut Parts, pairs: &str) {
    let target = head.uri.to_string();
    let sign = if target.contains('?') { '&' } else { '?' };
    head.uri = format!("{target}{sign}{pairs}").parse().unwrap();
}

fn hex(bytes: &[u8]) -> String {
    String::from_utf8(to_hex(bytes.try_into().unwrap()).to_vec()).unwrap()
}
