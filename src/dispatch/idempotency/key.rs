//! What makes two requests one call: who calls, which function, and the id that the caller gave the call.
//!
//! Everything is told by hashes (SHA-256), because ids and names are of any length and most of them are only compared. The
//! owner's half of a key is over nothing that a client chooses, so that nobody can make a key that lies in another's half.

use std::{
    hash::{Hash, Hasher},
    net::IpAddr,
};

use aws_lc_rs::digest::{SHA256, digest};

use crate::{
    base::{Caller, Principal},
    functions::FunctionRef,
};

/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 255;

/// The two kinds of id: what one of them names is never what the other names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `Idempotency-Key`: a promise, kept on disk.
    Key,
    /// An SDK's own id of the call (`amz-sdk-invocation-id`, `aws-sdk-invocation-id`): a courtesy, kept in memory.
    Sdk,
}

/// Whether this can be an id: 1–255 visible ASCII characters.
pub fn is_id(text: &[u8]) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic)
}

/// Whose calls these are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner(pub(super) [u8; 16]);

/// Who is charged for what is kept: an identity or principal, an address, an identity pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder(pub(super) [u8; 16]);

/// Caller, function and id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// The caller.
    pub owner: Owner,
    /// The function without its qualifier, the kind of id, and the id.
    pub call: [u8; 16],
}

impl Hash for Owner {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_ne_bytes(self.0));
    }
}

impl Hash for Holder {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_ne_bytes(self.0));
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Both are hashes, or ids that nobody chooses.
        state.write_u128(u128::from_ne_bytes(self.owner.0) ^ u128::from_ne_bytes(self.call));
    }
}

/// What else tells calls of one id apart: qualifier and invocation type.
pub type Shape = [u8; 16];
/// The payload, by its hash.
pub type Print = [u8; 32];

/// Hashes parts, each with its length, so that no two lists of parts are the same bytes.
fn hash(label: u8, parts: &[&[u8]]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(1 + parts.iter().map(|part| 4 + part.len()).sum::<usize>());
    bytes.push(label);
    for part in parts {
        // Names and ids have a few hundred bytes at most.
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    sha256(&bytes)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

fn half(label: u8, parts: &[&[u8]]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&hash(label, parts)[..16]);
    out
}

// The labels are part of what is kept on disk: never change one.
const IDENTITY: u8 = 1;
const USER: u8 = 2;
const ROOT: u8 = 3;
const WEB: u8 = 4;
const FROM_IDENTITY: u8 = 5;
const FROM_KEY: u8 = 6;
const ROLE: u8 = 7;
const CALL: u8 = 8;
const SHAPE: u8 = 9;
const POOL: u8 = 10;

impl Owner {
    /// The caller: the identity; without one, whom an issuer vouched for; else the principal that the session began from.
    /// Names of sessions, which clients choose, make no difference.
    pub fn of(caller: &Caller) -> Self {
        if let Some(identity) = &caller.identity {
            return Self::identity(&identity.identity_id);
        }
        let account = caller.account.as_str().as_bytes();
        let role_id = match &caller.principal {
            Principal::Root => return Self(half(ROOT, &[account])),
            Principal::User { id, .. } => return Self(half(USER, &[account, id.as_bytes()])),
            Principal::AssumedRole { role_id, .. } => role_id,
        };
        let Some(session) = &caller.session else { return Self(half(ROLE, &[account, role_id.as_bytes()])) };
        if let Some(web) = &session.web_identity {
            return Self(half(WEB, &[web.provider.as_bytes(), web.subject.as_bytes()]));
        }
        let origin = &session.origin;
        let first = |of: &[String]| of.first().cloned().unwrap_or_default();
        match (&origin.identity_id, origin.access_keys.is_empty()) {
            (Some(identity), _) => Self(half(FROM_IDENTITY, &[identity.as_bytes()])),
            // The name of the first principal may be used again later, and a role may be many people's; its key is not.
            (None, false) => {
                let (principal, key) = (first(&origin.principals), first(&origin.access_keys));
                Self(half(FROM_KEY, &[principal.as_bytes(), key.as_bytes()]))
            }
            (None, true) => Self(half(ROLE, &[account, role_id.as_bytes()])),
        }
    }

    /// An identity of a pool.
    pub fn identity(id: &str) -> Self {
        Self(half(IDENTITY, &[id.as_bytes()]))
    }

    /// The same as a holder of what is kept.
    pub(super) fn holder(self) -> Holder {
        Holder(self.0)
    }
}

impl Holder {
    /// A source address: an IPv4 address, or an IPv6 /64. It stands behind zeros, as no hash does.
    pub fn address(address: IpAddr) -> Self {
        let mut bytes = [0; 16];
        let [.., a, b, c, d] = &mut bytes;
        match address.to_canonical() {
            IpAddr::V4(address) => [*a, *b, *c, *d] = address.octets(),
            IpAddr::V6(address) => bytes[8..].copy_from_slice(&address.octets()[..8]),
        }
        Self(bytes)
    }

    /// An identity pool.
    pub fn pool(id: &str) -> Self {
        Self(half(POOL, &[id.as_bytes()]))
    }
}

impl Key {
    /// The key of the calls of this function that have this id.
    pub fn new(owner: Owner, function: &FunctionRef, kind: Kind, id: &str) -> Self {
        let kind: &[u8] = match kind {
            Kind::Key => b"key",
            Kind::Sdk => b"sdk",
        };
        let account = function.account.as_str().as_bytes();
        Self { owner, call: half(CALL, &[account, function.name.as_bytes(), kind, id.as_bytes()]) }
    }

    /// The same call by another caller.
    pub(super) fn by(self, owner: Owner) -> Self {
        Self { owner, ..self }
    }
}

/// The shape of a synchronous call.
pub fn shape(qualifier: Option<&str>) -> Shape {
    // Most calls name no qualifier: theirs is zero, and no hash is.
    qualifier.map_or([0; 16], |qualifier| half(SHAPE, &[b"RequestResponse", qualifier.as_bytes()]))
}

/// The print of a payload.
pub fn print(payload: &[u8]) -> Print {
    sha256(payload)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{AccountId, CallerIdentity, Origin, Region, SessionClaims, Timestamp, WebIdentity};

    fn caller(principal: Principal, session: Option<SessionClaims>) -> Caller {
        Caller {
            account: AccountId::DEFAULT,
            principal,
            access_key_id: "ASIA1".into(),
            identity: session.as_ref().and_then(|session| session.identity.clone()),
            session: session.map(Arc::new),
        }
    }

    fn role(session: &str) -> Principal {
        Principal::AssumedRole { role: "app".into(), role_id: "AROA1".into(), session: session.into() }
    }

    fn claims(name: &str, origin: Origin) -> SessionClaims {
        SessionClaims {
            account: AccountId::DEFAULT,
            principal: role(name),
            identity: None,
            web_identity: None,
            tags: std::collections::BTreeMap::new(),
            transitive_tags: Vec::new(),
            policy: None,
            issued: Timestamp::default(),
            expires: Timestamp::default(),
            origin,
        }
    }

    fn of(name: &str, change: impl FnOnce(&mut SessionClaims)) -> Owner {
        let mut claims = claims(name, Origin::default());
        change(&mut claims);
        Owner::of(&caller(role(name), Some(claims)))
    }

    #[test]
    fn identities_are_told_apart_and_session_names_are_not() {
        let identity = |name: &str, id: &str| {
            of(name, |claims| {
                claims.identity = Some(Arc::new(CallerIdentity {
                    identity_id: id.to_owned(),
                    ..CallerIdentity::default()
                }));
            })
        };
        assert_eq!(identity("a", "r:1"), identity("b", "r:1"));
        assert_eq!(identity("a", "r:1"), Owner::identity("r:1"));
        assert_ne!(identity("a", "r:1"), identity("a", "r:2"));
        assert_eq!(of("a", |_| {}), of("b", |_| {}));
    }

    #[test]
    fn an_issuers_subjects_are_told_apart_in_whatever_role() {
        let web = |subject: &str| {
            of("a", |claims| {
                claims.web_identity = Some(WebIdentity {
                    provider: "idp.example".to_owned(),
                    audience: "app".to_owned(),
                    subject: subject.to_owned(),
                });
            })
        };
        assert_eq!(web("ann"), web("ann"));
        assert_ne!(web("ann"), web("bob"));
    }

    #[test]
    fn assumed_roles_belong_to_where_they_began() {
        let began = |identity: Option<&str>, key: &str| {
            of("a", |claims| {
                claims.origin.identity_id = identity.map(str::to_owned);
                claims.origin.access_keys = vec![key.to_owned(), "ASIAX".to_owned()];
            })
        };
        assert_eq!(began(Some("r:1"), "ASIA1"), began(Some("r:1"), "ASIA2"));
        assert_ne!(began(Some("r:1"), "ASIA1"), began(Some("r:2"), "ASIA1"));
        // Another role's power is another caller than the identity itself.
        assert_ne!(began(Some("r:1"), "ASIA1"), Owner::identity("r:1"));
        assert_eq!(began(None, "AKIA1"), began(None, "AKIA1"));
        assert_ne!(began(None, "AKIA1"), began(None, "AKIA2"));
        let user = |id: &str| {
            Owner::of(&caller(Principal::User { name: "ann".into(), id: id.into(), path: "/".into() }, None))
        };
        assert_ne!(user("AIDA1"), user("AIDA2"));
        assert_ne!(user("AIDA1"), Owner::of(&caller(Principal::Root, None)));
    }

    #[test]
    fn every_part_of_a_key_counts() {
        let function = |name: &str| FunctionRef {
            region: Region::new("us-east-1"),
            account: AccountId::DEFAULT,
            name: name.to_owned(),
            qualifier: None,
        };
        let owner = Owner::identity("r:1");
        let key = Key::new(owner, &function("f"), Kind::Key, "id");
        assert_eq!(key, Key::new(owner, &function("f"), Kind::Key, "id"));
        for other in [
            Key::new(Owner::identity("r:2"), &function("f"), Kind::Key, "id"),
            Key::new(owner, &function("g"), Kind::Key, "id"),
            Key::new(owner, &function("f"), Kind::Sdk, "id"),
            Key::new(owner, &function("f"), Kind::Key, "ie"),
            // Where one part ends and the next begins.
            Key::new(owner, &function("fi"), Kind::Key, "d"),
        ] {
            assert_ne!(key, other);
        }
        assert_ne!(shape(None), shape(Some("1")));
        assert_ne!(print(b"1"), print(b"2"));
    }

    #[test]
    fn ids_are_visible_ascii_of_bounded_length() {
        assert!(is_id(b"a") && is_id(&[b'~'; 255]) && is_id(b"!"));
        for bad in [&b""[..], &[b'a'; 256], b"a b", b"a\x7f", b"\xc3\xa9", b"\t"] {
            assert!(!is_id(bad), "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_told_apart_by_what_their_holder_cannot_choose() {
        let of = |text: &str| Holder::address(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_ne!(of("192.0.2.1"), of("0:0:0:0::1"));
    }
}
