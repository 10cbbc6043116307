//! Forms: `Name=value`, and lists as `Name.member.N`.

use std::collections::BTreeMap;

use crate::api::{ApiError, Raw};

/// The most fields a form may have: more than any operation's largest input.
const FIELDS_MAX: usize = 1024;

/// A decoded form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a request's body.
    pub fn read(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let fields: Vec<_> = form_urlencoded::parse(raw.body).into_owned().take(FIELDS_MAX + 1).collect();
        if fields.len() > FIELDS_MAX {
            return Err(ApiError::bad_request(
                "MalformedInput",
                format!("The request has more than {FIELDS_MAX} parameters."),
            ));
        }
        Ok(Self { fields })
    }

    /// A field; the first, should a name stand there twice.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A list's texts in the order of their numbers. A list that is not there is empty; SDKs write an empty one as
    /// `Name=`.
    pub fn list<'f>(&'f self, name: &'f str) -> Vec<&'f str> {
        self.members(name)
            .filter(|(_, rest, _)| rest.is_empty())
            .map(|(n, _, value)| (n, value))
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .collect()
    }

    /// A list's structures in the order of their numbers: each a map of its members.
    pub fn structures<'f>(&'f self, name: &'f str) -> Vec<BTreeMap<&'f str, &'f str>> {
        let mut found: BTreeMap<u32, BTreeMap<&str, &str>> = BTreeMap::new();
        for (number, rest, value) in self.members(name) {
            if let Some(member) = rest.strip_prefix('.') {
                found.entry(number).or_default().entry(member).or_insert(value);
            }
        }
        found.into_values().collect()
    }

    /// `(N, what follows N, value)` of every field `name.member.N…`.
    fn members<'f>(&'f self, name: &'f str) -> impl Iterator<Item = (u32, &'f str, &'f str)> {
        self.fields.iter().filter_map(move |(key, value)| {
            let rest = key.strip_prefix(name)?.strip_prefix(".member.")?;
            let end = rest.find('.').unwrap_or(rest.len());
            let (number, rest) = rest.split_at(end);
            Some((number.parse().ok()?, rest, value.as_str()))
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    /// Reads a body.
    pub(crate) fn form(body: &str) -> Form {
        let (headers, body) = (HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes()));
        Form::read(&Raw { path: &[], query: &[], headers: &headers, body: &body }).unwrap()
    }

    #[test]
    fn fields_are_decoded() {
        let form = form("Action=CreateRole&RoleName=a%2Bb+c&Empty=&RoleName=second");
        assert_eq!(form.get("RoleName"), Some("a+b c"));
        assert_eq!(form.get("Empty"), Some(""));
        assert_eq!(form.get("Absent"), None);
    }

    #[test]
    fn lists_follow_their_numbers() {
        let form = form("L.member.10=c&L.member.2=b&L.member.1=a&L.member.x=d&Lx.member.1=e&E=");
        assert_eq!(form.list("L"), ["a", "b", "c"]);
        assert!(form.list("E").is_empty() && form.list("Absent").is_empty());
    }

    #[test]
    fn structures_gather_their_members() {
        let form = form("T.member.2.Key=b&T.member.1.Value=1&T.member.1.Key=a&T.member.1.Key=z");
        let tags = form.structures("T");
        assert_eq!(tags, [BTreeMap::from([("Key", "a"), ("Value", "1")]), BTreeMap::from([("Key", "b")])]);
    }

    #[test]
    fn too_many_fields_are_refused() {
        let body = Bytes::from("a=1&".repeat(FIELDS_MAX + 1));
        let headers = HeaderMap::new();
        let raw = Raw { path: &[], query: &[], headers: &headers, body: &body };
        assert_eq!(Form::read(&raw).unwrap_err().code, "MalformedInput");
    }
}
