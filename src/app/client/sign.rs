//! Signing requests: AWS Signature Version 4 in its header form, for what the commands send.

use std::fmt::Write;

use aws_lc_rs::{digest, hmac};
use http::{HeaderMap, HeaderValue, Method, header::HOST};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use url::Url;

use crate::base::{Secret, Timestamp};

/// Keys to sign with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret: Secret,
    /// The token, for temporary credentials.
    pub session_token: Option<Secret>,
}

/// Where and when a signature holds.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The region.
    pub region: &'a str,
    /// The service's signing name, for example `lambda`.
    pub service: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Everything but RFC 3986's unreserved characters.
pub const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A header's value could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be signed: {0}")]
pub struct SignError(#[from] http::header::InvalidHeaderValue);

/// Signs a request with all the headers it has, and adds `host`, `x-amz-date`, `x-amz-security-token` and
/// `authorization`.
pub fn sign(
    method: &Method,
    url: &Url,
    headers: &mut HeaderMap,
    body: &[u8],
    credentials: &Credentials,
    scope: Scope<'_>,
) -> Result<(), SignError> {
    let date = scope.at.sigv4();
    headers.insert(HOST, HeaderValue::from_str(&host(url))?);
    headers.insert("x-amz-date", HeaderValue::from_str(&date)?);
    if let Some(token) = &credentials.session_token {
        let mut token = HeaderValue::from_bytes(token.expose())?;
        token.set_sensitive(true);
        headers.insert("x-amz-security-token", token);
    }
    let (canonical, signed) = canonical_request(method, url, headers, body);
    let day = date.get(..8).unwrap_or_default();
    let scoped = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let string =
        format!("AWS4-HMAC-SHA256\n{date}\n{scoped}\n{}", hex(sha256(canonical.as_bytes()).as_ref()));
    let secret = [b"AWS4", credentials.secret.expose()].concat();
    let key = [day, scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(Secret::new(secret), |key, part| Secret::new(hmac_sha256(key.expose(), part.as_bytes())));
    let signature = hex(&hmac_sha256(key.expose(), string.as_bytes()));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scoped}, SignedHeaders={signed}, Signature={signature}",
        credentials.access_key_id
    );
    headers.insert(http::header::AUTHORIZATION, HeaderValue::from_str(&authorization)?);
    Ok(())
}

/// The host as HTTP clients send it: the port only where it is not the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn canonical_request(method: &Method, url: &Url, headers: &HeaderMap, body: &[u8]) -> (String, String) {
    // Every service but S3 has the path encoded once more than it is sent.
    let path: Vec<String> = url
        .path()
        .split('/')
        .map(|segment| percent_encode(segment.as_bytes(), RESERVED).to_string())
        .collect();
    let mut query: Vec<String> = url
        .query_pairs()
        .map(|(name, value)| {
            let encode = |text: &str| percent_encode(text.as_bytes(), RESERVED).to_string();
            format!("{}={}", encode(&name), encode(&value))
        })
        .collect();
    query.sort_unstable();
    let mut names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let mut canonical = format!("{method}\n{}\n{}\n", path.join("/"), query.join("&"));
    for name in &names {
        let values: Vec<String> = headers
            .get_all(*name)
            .iter()
            .map(|value| {
                let text = String::from_utf8_lossy(value.as_bytes());
                text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        let _ = writeln!(canonical, "{name}:{}", values.join(","));
    }
    let signed = names.join(";");
    let _ = write!(canonical, "\n{signed}\n{}", hex(sha256(body).as_ref()));
    (canonical, signed)
}

fn sha256(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

fn hmac_sha256(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(method: &Method, url: &str, service: &str, content_type: Option<&str>) -> (String, String) {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned().into(),
            session_token: None,
        };
        let at = Timestamp::parse_sigv4("20150830T123600Z").unwrap();
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert("content-type", content_type.parse().unwrap());
        }
        let scope = Scope { region: "us-east-1", service, at };
        sign(method, &url.parse().unwrap(), &mut headers, b"", &credentials, scope).unwrap();
        let authorization = headers["authorization"].to_str().unwrap();
        let part =
            |name: &str| authorization.split_once(name).unwrap().1.split(", ").next().unwrap().to_owned();
        (part("SignedHeaders="), part("Signature="))
    }

    /// From AWS's Signature Version 4 test suite (get-vanilla, post-vanilla, get-vanilla-query-order-key-case) and the
    /// worked example of the IAM documentation (ListUsers).
    #[test]
    fn the_published_examples_come_out() {
        for (method, url, service, content_type, expected) in [
            (
                Method::GET,
                "https://example.amazonaws.com/",
                "service",
                None,
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                Method::POST,
                "https://example.amazonaws.com/",
                "service",
                None,
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                Method::GET,
                "https://example.amazonaws.com/?Param2=value2&Param1=value1",
                "service",
                None,
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                Method::GET,
                "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
                "iam",
                Some("application/x-www-form-urlencoded; charset=utf-8"),
                "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ] {
            assert_eq!(signature(&method, url, service, content_type).1, expected, "{url}");
        }
    }

    #[test]
    fn a_port_is_part_of_the_host_and_the_path_is_encoded_twice() {
        let url = "http://127.0.0.1:7070/2017-03-31/tags/arn%3Aaws%3Alambda?a=b%20c".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(&host(&url)).unwrap());
        let (canonical, _) = canonical_request(&Method::GET, &url, &headers, b"");
        assert!(
            canonical.starts_with(
                "GET\n/2017-03-31/tags/arn%253Aaws%253Alambda\na=b%20c\nhost:127.0.0.1:7070\n\nhost\n"
            ),
            "{canonical}"
        );
    }
}
