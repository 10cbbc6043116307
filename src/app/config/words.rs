//! Types of fields beyond numbers and texts: networks, URLs, origins, regions.

use super::field::{Field, Given, Item, quote};
use crate::{
    base::{Network, Region},
    outbound::Allowed,
};

impl Field for Network {
    const KIND: &'static str = "an IP address or a network such as 10.0.0.0/8";

    fn read(given: &Given<'_>) -> Option<Self> {
        given.text()?.parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

impl Item for Network {
    const LIST: &'static str = "a list of IP addresses and networks such as 10.0.0.0/8";
}

/// An organization's id, as AWS writes them: `o-` and 10 to 32 small letters and digits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrganizationId(String);

impl OrganizationId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("o-")?;
        let fits = (10..=32).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        fits.then(|| Self(text.to_owned()))
    }
}

impl Field for OrganizationId {
    const KIND: &'static str = "an organization's id such as o-a1b2c3d4e5";

    fn read(given: &Given<'_>) -> Option<Self> {
        Self::parse(given.text()?)
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.0))
    }
}

/// The base of links: `https://host` or `http://host:port`, without a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One that is known to be such a URL.
    pub(super) fn of(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        plain.then(|| Self(url.origin().ascii_serialization()))
    }
}

impl Field for BaseUrl {
    const KIND: &'static str =
        "an http or https URL of a host without a path, such as https://gate.example.com";

    fn read(given: &Given<'_>) -> Option<Self> {
        Self::parse(given.text()?)
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.0))
    }
}

/// A web origin that browsers may call from, or `*` for any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Every origin.
    Any,
    /// This one, as browsers send it.
    Exactly(String),
}

impl Field for Origin {
    const KIND: &'static str = "an origin such as https://app.example.com, or *";

    fn read(given: &Given<'_>) -> Option<Self> {
        match given.text()? {
            "*" => Some(Self::Any),
            text => BaseUrl::parse(text).map(|BaseUrl(origin)| Self::Exactly(origin)),
        }
    }

    fn show(&self) -> Option<String> {
        Some(match self {
            Self::Any => quote("*"),
            Self::Exactly(origin) => quote(origin),
        })
    }
}

impl Item for Origin {
    const LIST: &'static str = "a list of origins such as https://app.example.com, or *";
}

impl Field for Allowed {
    const KIND: &'static str = "an IP address, a network such as 10.0.0.0/8, or a host's name";

    fn read(given: &Given<'_>) -> Option<Self> {
        given.text()?.parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

impl Item for Allowed {
    const LIST: &'static str = "a list of IP addresses, networks such as 10.0.0.0/8, and hosts' names";
}

impl Field for Region {
    const KIND: &'static str = "a region's name such as us-east-1";

    fn read(given: &Given<'_>) -> Option<Self> {
        let text = given.text()?;
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-');
        fits.then(|| Self::new(text))
    }

    fn show(&self) -> Option<String> {
        Some(quote(self.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_has_a_host_and_nothing_after_it() {
        let read = |text| BaseUrl::read(&Given::Text(text)).map(|url| url.as_str().to_owned());
        assert_eq!(read("https://Gate.Example.com:443/").as_deref(), Some("https://gate.example.com"));
        assert_eq!(read("http://127.0.0.1:7070").as_deref(), Some("http://127.0.0.1:7070"));
        for bad in
            ["gate.example.com", "ftp://a", "https://a/b", "https://u:p@a", "https://a?b", "https://a#b", ""]
        {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_organizations_id_is_written_as_aws_does() {
        let read = |text| OrganizationId::read(&Given::Text(text)).map(|id| id.as_str().to_owned());
        assert_eq!(read("o-a1b2c3d4e5").as_deref(), Some("o-a1b2c3d4e5"));
        let long = format!("o-{}", "a".repeat(33));
        for bad in ["", "o-", "o-short", "a1b2c3d4e5", "o-A1B2C3D4E5", "o-a1b2c3d4e5*", &long] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
