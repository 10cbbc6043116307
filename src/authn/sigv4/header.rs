//! The parts of a signature as they stand in a request's head.

use std::borrow::Cow;

use http::{
    HeaderMap, HeaderName, Uri,
    header::{self, AUTHORIZATION},
};

use super::query;
use crate::{authn::AuthnError, base::Timestamp};

/// The one algorithm. Its asymmetric kin (`AWS4-ECDSA-P256-SHA256`) is refused by name.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What every credential scope ends with.
pub const TERMINATOR: &str = "aws4_request";
/// The header of the signing time.
pub const DATE: HeaderName = HeaderName::from_static("x-amz-date");
/// The header of a session's token.
pub const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// The header of the body's hash.
pub const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// A parsed `Authorization` header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authorization<'a> {
    /// The whole credential: `key id/date/region/service/aws4_request`.
    pub credential: &'a str,
    /// `AKIA…` or `ASIA…`
    pub access_key_id: &'a str,
    /// `20150830`
    pub date: &'a str,
    /// The region it was signed for.
    pub region: &'a str,
    /// The service it was signed for.
    pub service: &'a str,
    /// Names in lower case, separated by semicolons. Not checked further here.
    pub signed_headers: &'a str,
    /// The signature's 32 bytes.
    pub signature: [u8; 32],
}

impl<'a> Authorization<'a> {
    /// Reads the header of a request.
    pub fn read(headers: &'a HeaderMap, uri: &Uri) -> Result<Self, AuthnError> {
        if !headers.contains_key(AUTHORIZATION) {
            return Err(AuthnError::MissingAuthenticationToken);
        }
        if query::names_signature(uri) {
            return Err(AuthnError::incomplete(
                "The request is signed twice, in its Authorization header and in its query string.",
            ));
        }
        let Some((scheme, rest)) = single(headers, &AUTHORIZATION)?.split_once(' ') else {
            return Err(AuthnError::MissingAuthenticationToken);
        };
        match scheme {
            ALGORITHM => Self::parse(rest),
            _ if scheme.starts_with("AWS") => Err(AuthnError::incomplete(format!(
                "Unsupported algorithm: Callgate takes '{ALGORITHM}' alone."
            ))),
            _ => Err(AuthnError::MissingAuthenticationToken),
        }
    }

    fn parse(parameters: &'a str) -> Result<Self, AuthnError> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for parameter in parameters.split(',') {
            let (name, value) = parameter.trim().split_once('=').ok_or_else(|| {
                AuthnError::incomplete("Invalid key=value pair (missing equal-sign) in Authorization header.")
            })?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(AuthnError::incomplete("Unknown parameter in Authorization header.")),
            };
            if slot.replace(value).is_some() {
                return Err(AuthnError::incomplete(format!("Duplicate '{name}' in Authorization header.")));
            }
        }
        let (Some(credential), Some(signed_headers), Some(signature)) =
            (credential, signed_headers, signature)
        else {
            return Err(lacking(credential, signature, signed_headers));
        };
        Self::of(credential, signed_headers, signature)
    }

    /// Puts together what was read, from wherever it was.
    pub(super) fn of(
        credential: &'a str,
        signed_headers: &'a str,
        signature: &str,
    ) -> Result<Self, AuthnError> {
        let mut parts = credential.split('/');
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let (Some(access_key_id), Some(date), Some(region), Some(service), Some(terminator), None) =
            (part(), part(), part(), part(), part(), part())
        else {
            return Err(AuthnError::incomplete(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
            ));
        };
        if terminator != TERMINATOR {
            return Err(AuthnError::invalid(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}'."
            )));
        }
        let signature = from_hex(signature.as_bytes()).ok_or(AuthnError::MISMATCH)?;
        Ok(Self { credential, access_key_id, date, region, service, signed_headers, signature })
    }

    /// Whether this header is among those that are signed.
    pub fn signs(&self, name: &str) -> bool {
        self.signed_headers.split(';').any(|signed| signed == name)
    }
}

fn lacking(credential: Option<&str>, signature: Option<&str>, signed_headers: Option<&str>) -> AuthnError {
    let parameters =
        [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)];
    let lacking: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
        .collect();
    AuthnError::incomplete(lacking.join(" "))
}

/// A header that may stand there once, as text. A second one is refused: two readers could take different ones.
pub fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, AuthnError> {
    optional(headers, name)?
        .ok_or_else(|| AuthnError::incomplete(format!("The header '{name}' is required.")))
}

/// The same for a header that need not be there.
pub fn optional<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, AuthnError> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(AuthnError::incomplete(format!("The header '{name}' is there more than once.")));
    }
    first
        .map(|value| value.to_str())
        .transpose()
        .map_err(|_| AuthnError::incomplete(format!("The header '{name}' is not ASCII text.")))
}

/// When the request says it was signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigningTime<'a> {
    text: Cow<'a, str>,
    at: Timestamp,
}

impl<'a> SigningTime<'a> {
    /// Reads `X-Amz-Date`, or `Date` if there is no other and it is signed.
    pub fn read(headers: &'a HeaderMap, authorization: &Authorization<'_>) -> Result<Self, AuthnError> {
        if let Some(text) = optional(headers, &DATE)? {
            return Self::parse(text);
        }
        if !authorization.signs("date") {
            return Err(AuthnError::incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            ));
        }
        let text = single(headers, &header::DATE)?;
        let parsed = Timestamp::parse_sigv4(text).or_else(|| {
            let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
            Some(Timestamp::from_seconds(zoned.timestamp().as_second()))
        });
        let at = parsed.ok_or_else(|| {
            AuthnError::incomplete("The 'Date' header holds no date of RFC 9110 or ISO-8601.")
        })?;
        Ok(Self { text: at.sigv4().into(), at })
    }

    /// Reads `20150830T123600Z`.
    pub(super) fn parse(text: &'a str) -> Result<Self, AuthnError> {
        let at = Timestamp::parse_sigv4(text).ok_or_else(|| {
            AuthnError::incomplete("Date must be in ISO-8601 'basic format', as in '20150830T123600Z'.")
        })?;
        Ok(Self { text: text.into(), at })
    }

    /// The moment.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// `20150830T123600Z`
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `20150830`
    pub fn date(&self) -> &str {
        self.text.get(..8).unwrap_or_default()
    }
}

/// 32 bytes from 64 digits; upper-case digits are no signature, as on AWS.
pub fn from_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if digits.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(*pair.first()?)? << 4 | value(*pair.last()?)?;
    }
    Some(out)
}

/// 64 lower-case digits.
pub fn to_hex(bytes: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = [0; 64];
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

    fn read(value: &str) -> Result<String, AuthnError> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        Authorization::read(&headers, &Uri::from_static("/")).map(|read| read.signed_headers.to_owned())
    }

    #[test]
    fn the_three_parameters_come_in_any_order_and_spacing() {
        let credential = "Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request";
        for value in [
            format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host;x-amz-date, Signature={SIGNATURE}"),
            format!("AWS4-HMAC-SHA256 Signature={SIGNATURE},{credential},  SignedHeaders=host;x-amz-date"),
        ] {
            assert_eq!(read(&value).unwrap(), "host;x-amz-date");
        }
    }

    #[test]
    fn what_is_lacking_is_said() {
        let credential = "Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request";
        let table = [
            ("AWS4-HMAC-SHA256 x".to_owned(), "missing equal-sign"),
            (
                format!("AWS4-HMAC-SHA256 {credential}"),
                "requires 'Signature' parameter. Authorization header requires 'SignedHeaders'",
            ),
            (format!("AWS4-HMAC-SHA256 {credential}, {credential}"), "Duplicate 'Credential'"),
            (
                format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature={SIGNATURE}, Extra=1"),
                "Unknown parameter",
            ),
            (
                format!("AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature={SIGNATURE}"),
                "exactly 5",
            ),
            (
                format!("AWS4-HMAC-SHA256 {credential}/x, SignedHeaders=host, Signature={SIGNATURE}"),
                "exactly 5",
            ),
            (
                format!(
                    "AWS4-HMAC-SHA256 Credential=a//c/d/aws4_request, SignedHeaders=host, Signature={SIGNATURE}"
                ),
                "exactly 5",
            ),
            (
                format!(
                    "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws5, SignedHeaders=host, Signature={SIGNATURE}"
                ),
                "terminator",
            ),
            (
                format!(
                    "AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature={}",
                    SIGNATURE.to_uppercase()
                ),
                "does not match",
            ),
            (format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=5d67"), "does not match"),
            (format!("AWS4-ECDSA-P256-SHA256 {credential}"), "Unsupported algorithm"),
            ("Bearer abc".to_owned(), "Missing Authentication Token"),
            ("AWS4-HMAC-SHA256".to_owned(), "Missing Authentication Token"),
        ];
        for (value, expected) in table {
            let error = read(&value).unwrap_err().to_string();
            assert!(error.contains(expected), "{value}: {error}");
        }
    }

    #[test]
    fn hexadecimal_digits_survive_the_round_trip() {
        assert_eq!(to_hex(&from_hex(SIGNATURE.as_bytes()).unwrap()), SIGNATURE.as_bytes());
    }
}
