//! What a session token says, and its compact form.
//!
//! The form begins with its version; fields follow in a fixed order, so a change of any is a new version. Texts that
//! repeat (the pool in the identity and in the origin, a provider in `logins` and in `amr`) are written once.

use std::collections::BTreeMap;

use super::wire::{Reader, Writer};
use crate::base::{AccountId, CallerIdentity, Timestamp};

const FORM: u64 = 1;

/// What the gateway verified when it made the session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionClaims {
    /// The account the session acts in.
    pub account: AccountId,
    /// The role's name, without its path.
    pub role: String,
    /// `AROA…`: a role made anew under an old name does not inherit its sessions.
    pub role_id: String,
    /// The session's name.
    pub session: String,
    /// The identity, when the credentials came straight from an identity pool; `None` after AssumeRole.
    pub identity: Option<CallerIdentity>,
    /// When it was made.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// Where it began, for revocation.
    pub origin: Origin,
}

/// Where a session began. It is handed on from session to session when roles are assumed, although the identity is not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The identity pool, if it began there.
    pub pool_id: Option<String>,
    /// The identity, if it began with one.
    pub identity_id: Option<String>,
    /// The providers whose logins were presented.
    pub providers: Vec<String>,
    /// The access keys it descends from.
    pub access_keys: Vec<String>,
    /// The users and roles it descends from, as `user/name` and `role/name`.
    pub principals: Vec<String>,
    /// When the first session of the chain was made.
    pub issued: Timestamp,
}

impl Origin {
    /// The origin of a session that an identity pool gives out now.
    pub fn of_identity(identity: &CallerIdentity, role: &str, issued: Timestamp) -> Self {
        Self {
            pool_id: Some(identity.pool_id.clone()),
            identity_id: Some(identity.identity_id.clone()),
            providers: identity.logins.clone(),
            access_keys: Vec::new(),
            principals: vec![format!("role/{role}")],
            issued,
        }
    }
}

impl SessionClaims {
    /// The compact form.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.number(FORM);
        to.text(self.account.as_str());
        to.text(&self.role);
        to.text(&self.role_id);
        to.text(&self.session);
        to.moment(self.issued);
        to.moment(self.expires);
        to.number(self.identity.is_some().into());
        if let Some(identity) = &self.identity {
            to.text(&identity.pool_id);
            to.text(&identity.identity_id);
            to.moment(identity.born);
            to.texts(&identity.logins);
            to.texts(&identity.amr);
            to.number(identity.principal_tags.len() as u64);
            for (name, value) in &identity.principal_tags {
                to.text(name);
                to.text(value);
            }
        }
        let origin = &self.origin;
        to.texts(origin.pool_id.as_slice());
        to.texts(origin.identity_id.as_slice());
        to.texts(&origin.providers);
        to.texts(&origin.access_keys);
        to.texts(&origin.principals);
        to.moment(origin.issued);
        to.finish()
    }

    /// Reads the compact form; `None` if it is not one, or has anything after its end.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader::new(bytes);
        if from.number()? != FORM {
            return None;
        }
        let claims = Self {
            account: from.text()?.parse().ok()?,
            role: from.text()?.to_owned(),
            role_id: from.text()?.to_owned(),
            session: from.text()?.to_owned(),
            issued: from.moment()?,
            expires: from.moment()?,
            identity: match from.number()? {
                0 => None,
                1 => Some(read_identity(&mut from)?),
                _ => return None,
            },
            origin: Origin {
                pool_id: from.optional_text()?,
                identity_id: from.optional_text()?,
                providers: from.texts()?,
                access_keys: from.texts()?,
                principals: from.texts()?,
                issued: from.moment()?,
            },
        };
        from.is_at_end().then_some(claims)
    }
}

fn read_identity(from: &mut Reader<'_>) -> Option<CallerIdentity> {
    Some(CallerIdentity {
        pool_id: from.text()?.to_owned(),
        identity_id: from.text()?.to_owned(),
        born: from.moment()?,
        logins: from.texts()?,
        amr: from.texts()?,
        principal_tags: (0..from.number()?)
            .map(|_| Some((from.text()?.to_owned(), from.text()?.to_owned())))
            .collect::<Option<BTreeMap<_, _>>>()?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in super::super) fn signed_in() -> SessionClaims {
        let identity = CallerIdentity {
            pool_id: "us-east-1:11111111-1111-4111-8111-111111111111".to_owned(),
            identity_id: "us-east-1:22222222-2222-4222-8222-222222222222".to_owned(),
            born: Timestamp::from_seconds(900),
            logins: vec!["accounts.example.com".to_owned()],
            amr: ["authenticated", "accounts.example.com", "accounts.example.com:app:user-1"]
                .map(str::to_owned)
                .to_vec(),
            principal_tags: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
        };
        let issued = Timestamp::from_seconds(1000);
        SessionClaims {
            account: AccountId::DEFAULT,
            role: "app".to_owned(),
            role_id: "AROAEXAMPLEEXAMPLEAB".to_owned(),
            session: "CognitoIdentityCredentials".to_owned(),
            origin: Origin::of_identity(&identity, "app", issued),
            identity: Some(identity),
            issued,
            expires: Timestamp::from_seconds(4600),
        }
    }

    #[test]
    fn a_texts_second_use_costs_a_byte() {
        let claims = signed_in();
        let mut without = claims.clone();
        without.origin.pool_id = None;
        assert_eq!(claims.to_bytes().len(), without.to_bytes().len() + 1);
    }

    #[test]
    fn a_cut_or_lengthened_form_is_none() {
        let bytes = signed_in().to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(SessionClaims::from_bytes(&bytes[..end]), None, "cut at {end}");
        }
        assert_eq!(SessionClaims::from_bytes(&[&bytes[..], &[0]].concat()), None);
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        // Few different texts, so that they repeat.
        proptest::collection::vec("[a-bé]{0,2}", 0..5)
    }

    proptest! {
        #[test]
        fn claims_survive_the_round_trip(
            (role, session, with_identity) in (".{0,9}", ".{0,9}", any::<bool>()),
            (logins, amr, providers, keys) in (texts(), texts(), texts(), texts()),
            tags in proptest::collection::btree_map("[a-c]{0,2}", ".{0,3}", 0..4),
            (issued, expires) in (any::<i64>(), any::<i64>()),
        ) {
            let mut claims = signed_in();
            claims.role = role;
            claims.session = session;
            claims.issued = Timestamp::from_millis(issued);
            claims.expires = Timestamp::from_millis(expires);
            claims.origin.providers = providers;
            claims.origin.access_keys = keys;
            claims.identity = claims.identity.filter(|_| with_identity).map(|identity| CallerIdentity {
                logins, amr, principal_tags: tags, ..identity
            });
            prop_assert_eq!(SessionClaims::from_bytes(&claims.to_bytes()), Some(claims));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            // What matters is that it comes back at all, and within the input's own size.
            if let Some(claims) = SessionClaims::from_bytes(&[&[1], &bytes[..]].concat()) {
                prop_assert!(claims.to_bytes().len() <= bytes.len() + 1);
            }
        }
    }
}
