//! The canonical request: what a signature is over.
//!
//! Path: dot segments and doubled slashes are resolved and the path as it was sent is percent-encoded once more, as for
//! every service but S3. Headers: values with spaces folded, repeated ones joined by commas, in the order of
//! `SignedHeaders`, which must be ascending.
//!
//! Query: AWS documents names and values as percent-encoded anew; botocore and others sign the pairs as they stand in the
//! URL. The two agree on a query that is in normal form already, which is what SDKs send. For any other query both are
//! candidates. Each binds the whole meaning of the query (`+` means a space in both, as the decoders of operations take
//! it), so a signature made for one request fits no request of another meaning.

use std::borrow::Cow;

use http::{HeaderMap, Method, Uri, header::HOST};
use percent_encoding::percent_decode_str;

use crate::authn::AuthnError;

/// Headers that change what a request does must be signed where they are present: those that begin so.
const GUARDED_PREFIXES: [&str; 2] = ["x-amz-", "callgate-"];
/// … and this one.
const GUARDED: &str = "idempotency-key";

/// A canonical request up to the body's hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Canonical {
    text: Vec<u8>,
    query_start: usize,
    query_end: usize,
    encoded_anew: Option<Vec<u8>>,
}

impl Canonical {
    /// Builds it from a request's head, and checks that the list of signed headers is whole.
    pub fn new(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        signed_headers: &str,
    ) -> Result<Self, AuthnError> {
        Self::with_query(method, uri, uri.query().unwrap_or_default(), headers, signed_headers)
    }

    /// The same with the part of the query that is signed.
    pub fn with_query(
        method: &Method,
        uri: &Uri,
        query: &str,
        headers: &HeaderMap,
        signed_headers: &str,
    ) -> Result<Self, AuthnError> {
        // Room for a session token and the usual headers, so that the buffer seldom grows.
        let mut text = Vec::with_capacity(3072);
        text.extend_from_slice(method.as_str().as_bytes());
        text.push(b'\n');
        write_path(uri.path(), &mut text);
        text.push(b'\n');
        let query_start = text.len();
        write_pairs(pairs(query).collect(), &mut text);
        let query_end = text.len();
        text.push(b'\n');
        write_headers(uri, headers, signed_headers, &mut text)?;
        text.push(b'\n');
        text.extend_from_slice(signed_headers.as_bytes());
        text.push(b'\n');
        let encoded_anew = (!is_normal(query)).then(|| encode_anew(query));
        Ok(Self { text, query_start, query_end, encoded_anew })
    }

    /// The request with the query's pairs as they were sent.
    pub fn as_sent(&self) -> &[u8] {
        &self.text
    }

    /// The request with the query's pairs encoded anew, in three pieces; `None` if that is the same.
    pub fn encoded_anew(&self) -> Option<[&[u8]; 3]> {
        let query = self.encoded_anew.as_deref()?;
        Some([self.text.get(..self.query_start)?, query, self.text.get(self.query_end..)?])
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn encode(bytes: impl IntoIterator<Item = u8>, keep: fn(u8) -> bool, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        if keep(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }
}

fn write_path(path: &str, out: &mut Vec<u8>) {
    let keep = |byte| is_unreserved(byte) || byte == b'/';
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    if path.is_empty() || path.starts_with('/') {
        out.push(b'/');
    }
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            out.push(b'/');
        }
        encode(segment.bytes(), keep, out);
    }
    if path.ends_with('/') && !segments.is_empty() {
        out.push(b'/');
    }
}

/// A name and a value of a query, percent-encoded.
type Pair<'q> = (Cow<'q, [u8]>, Cow<'q, [u8]>);

/// The pairs of a query as they were sent.
fn pairs(query: &str) -> impl Iterator<Item = Pair<'_>> {
    let pieces = (!query.is_empty()).then(|| query.split('&')).into_iter().flatten();
    pieces.map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (Cow::Borrowed(name.as_bytes()), Cow::Borrowed(value.as_bytes()))
    })
}

/// Sorted by name and then by value, each as encoded: not as whole pairs, where `=` would take part in the order.
fn write_pairs(mut pairs: Vec<Pair<'_>>, out: &mut Vec<u8>) {
    pairs.sort();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

fn encode_anew(query: &str) -> Vec<u8> {
    let anew = |text: &str| {
        let mut out = Vec::with_capacity(text.len() + 16);
        let spaced = text.replace('+', " ");
        encode(percent_decode_str(&spaced), is_unreserved, &mut out);
        Cow::Owned(out)
    };
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    let pairs = pieces.map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (anew(name), anew(value))
    });
    let mut out = Vec::with_capacity(query.len() + 16);
    write_pairs(pairs.collect(), &mut out);
    out
}

/// Whether encoding the query's pairs anew would change nothing.
fn is_normal(query: &str) -> bool {
    let normal_text = |text: &str| {
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            let fine = match byte {
                b'%' => match (bytes.next().and_then(upper_hex), bytes.next().and_then(upper_hex)) {
                    (Some(high), Some(low)) => !is_unreserved(high << 4 | low),
                    _ => false,
                },
                byte => is_unreserved(byte),
            };
            if !fine {
                return false;
            }
        }
        true
    };
    query.is_empty()
        || query.split('&').all(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            !piece.is_empty() && normal_text(name) && normal_text(value)
        })
}

fn upper_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn write_headers(
    uri: &Uri,
    headers: &HeaderMap,
    signed_headers: &str,
    out: &mut Vec<u8>,
) -> Result<(), AuthnError> {
    let guarded =
        |name: &str| GUARDED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || name == GUARDED;
    let (mut previous, mut host, mut guarded_signed) = ("", false, 0);
    for name in signed_headers.split(';') {
        if name <= previous || name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'\n') {
            return Err(AuthnError::incomplete(
                "SignedHeaders must hold names in lower case, in ascending order, each once.",
            ));
        }
        previous = name;
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        let mut values = headers.get_all(name).iter().enumerate().peekable();
        // HTTP/2 carries the host as `:authority`, which is the URI's.
        match (values.peek(), uri.authority()) {
            (None, Some(authority)) if name == HOST.as_str() => {
                out.extend_from_slice(authority.as_str().as_bytes());
            }
            (None, _) => return Err(AuthnError::MISMATCH),
            (Some(_), _) => {}
        }
        for (index, value) in values {
            if index > 0 {
                out.push(b',');
            }
            write_folded(value.as_bytes(), out);
        }
        out.push(b'\n');
        host |= name == HOST.as_str();
        guarded_signed += usize::from(guarded(name));
    }
    if !host {
        return Err(AuthnError::invalid(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ));
    }
    // Every signed name was found above, so the counts agree exactly if no guarded header is left unsigned.
    if headers.keys().filter(|name| guarded(name.as_str())).count() != guarded_signed {
        return Err(unsigned_header(headers, signed_headers, guarded));
    }
    Ok(())
}

fn unsigned_header(headers: &HeaderMap, signed_headers: &str, guarded: impl Fn(&str) -> bool) -> AuthnError {
    let names = headers.keys().map(http::HeaderName::as_str);
    let unsigned =
        names.filter(|name| guarded(name)).find(|name| !signed_headers.split(';').any(|s| s == *name));
    AuthnError::invalid(format!(
        "The header '{}' is present and must be a 'SignedHeader' in the AWS Authorization.",
        unsigned.unwrap_or_default()
    ))
}

/// Without white space at the ends, and with one space for each run of it within.
fn write_folded(value: &[u8], out: &mut Vec<u8>) {
    // One look at all of it, which a processor does sixteen bytes at a time.
    if !value.iter().fold(false, |found, byte| found | matches!(byte, b' ' | b'\t')) {
        out.extend_from_slice(value);
        return;
    }
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(path: &str) -> String {
        let mut out = Vec::new();
        write_path(path, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn query(query: &str) -> (String, Option<String>) {
        let mut out = Vec::new();
        write_pairs(pairs(query).collect(), &mut out);
        let anew = (!is_normal(query)).then(|| String::from_utf8(encode_anew(query)).unwrap());
        (String::from_utf8(out).unwrap(), anew)
    }

    #[test]
    fn paths_are_resolved_and_encoded_once_more() {
        for (sent, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/a/b/", "/a/b/"),
            ("//a//b", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/a/..", "/"),
            ("/../../a", "/a"),
            ("/a/b/.", "/a/b"),
            ("/a%20b", "/a%2520b"),
            ("/arn:aws:x", "/arn%3Aaws%3Ax"),
            ("/ä", "/%C3%A4"),
            ("/-._~", "/-._~"),
        ] {
            assert_eq!(path(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn pairs_are_sorted_by_name_then_value() {
        for (sent, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a&a=", "a=&a="),
            ("a-b=1&a=1", "a=1&a-b=1"),
            ("k=%20%2F", "k=%20%2F"),
        ] {
            assert_eq!(query(sent), (canonical.to_owned(), None), "{sent}");
        }
    }

    #[test]
    fn a_query_out_of_normal_form_has_two_candidates() {
        for (sent, as_sent, anew) in [
            ("a=b:c", "a=b:c", "a=b%3Ac"),
            ("a=b=c", "a=b=c", "a=b%3Dc"),
            ("a=%2f", "a=%2f", "a=%2F"),
            ("a=%41", "a=%41", "a=A"),
            ("a=x+y", "a=x+y", "a=x%20y"),
            ("a=1&&b=2", "=&a=1&b=2", "a=1&b=2"),
            ("a=%", "a=%", "a=%25"),
            ("é=1", "é=1", "%C3%A9=1"),
        ] {
            assert_eq!(query(sent), (as_sent.to_owned(), Some(anew.to_owned())), "{sent}");
        }
    }

    proptest! {
        /// Two queries that share a canonical form say the same to whoever decodes them.
        #[test]
        fn no_canonical_form_stands_for_two_meanings(
            one in "[ab+%=&:]{0,6}(%2B|%20|%3D|%26)?[ab=&]{0,3}",
            two in "[ab+%=&:]{0,6}(%2B|%20|%3D|%26)?[ab=&]{0,3}",
        ) {
            let forms = |text: &str| { let (sent, anew) = query(text); [Some(sent), anew].into_iter().flatten().collect::<Vec<_>>() };
            let meaning = |text: &str| {
                // A pair of nothing and nothing means nothing to any operation.
                let mut pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes())
                    .into_owned()
                    .filter(|(name, value)| !name.is_empty() || !value.is_empty())
                    .collect();
                pairs.sort();
                pairs
            };
            if forms(&one).iter().any(|form| forms(&two).contains(form)) {
                prop_assert_eq!(meaning(&one), meaning(&two));
            }
        }

        #[test]
        fn encoding_anew_reaches_a_normal_form(text in "[ -~é]{0,24}") {
            let anew = String::from_utf8(encode_anew(&text)).unwrap();
            prop_assert!(is_normal(&anew), "{}", anew);
            prop_assert_eq!(&query(&anew).0, &anew);
        }
    }
}
