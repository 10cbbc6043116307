//! The compact form of what a session token says.
//!
//! The form begins with its version; fields follow in a fixed order, so a change of any is a new version. Texts that
//! repeat (the pool in the identity and in the origin, a provider in `logins` and in `amr`) are written once.

use std::sync::Arc;

use super::wire::{Reader, Writer};
use crate::base::{CallerIdentity, Origin, PolicyHash, Principal, SessionClaims, WebIdentity};

const FORM: u64 = 3;

/// Writes the compact form.
pub(super) fn write(claims: &SessionClaims) -> Vec<u8> {
    let mut to = Writer::default();
    to.number(FORM);
    to.text(claims.account.as_str());
    write_principal(&mut to, &claims.principal);
    to.moment(claims.issued);
    to.moment(claims.expires);
    to.number(claims.identity.is_some().into());
    if let Some(identity) = &claims.identity {
        to.text(&identity.pool_id);
        to.text(&identity.identity_id);
        to.texts(identity.merged_id.as_slice());
        to.moment(identity.born);
        to.texts(&identity.logins);
        to.texts(&identity.amr);
        to.map(&identity.principal_tags);
    }
    to.number(claims.web_identity.is_some().into());
    if let Some(web) = &claims.web_identity {
        to.text(&web.provider);
        to.text(&web.audience);
        to.text(&web.subject);
    }
    to.map(&claims.tags);
    to.texts(&claims.transitive_tags);
    to.number(claims.policy.is_some().into());
    if let Some(PolicyHash(hash)) = &claims.policy {
        to.bytes(hash);
    }
    let origin = &claims.origin;
    to.texts(origin.pool_id.as_slice());
    to.texts(origin.identity_id.as_slice());
    to.texts(&origin.providers);
    to.texts(&origin.access_keys);
    to.texts(&origin.principals);
    to.moment(origin.issued);
    to.finish()
}

/// Reads the compact form; `None` if it is not one, or has anything after its end.
pub(super) fn read(bytes: &[u8]) -> Option<SessionClaims> {
    let mut from = Reader::new(bytes);
    if from.number()? != FORM {
        return None;
    }
    let claims = SessionClaims {
        account: from.text()?.parse().ok()?,
        principal: read_principal(&mut from)?,
        issued: from.moment()?,
        expires: from.moment()?,
        identity: from.optional(read_identity)?.map(Arc::new),
        web_identity: from.optional(read_web_identity)?,
        tags: from.map()?,
        transitive_tags: from.texts()?,
        policy: from.optional(Reader::bytes)?.map(PolicyHash),
        origin: Origin {
            pool_id: from.optional(Reader::owned_text)?,
            identity_id: from.optional(Reader::owned_text)?,
            providers: from.texts()?,
            access_keys: from.texts()?,
            principals: from.texts()?,
            issued: from.moment()?,
        },
    };
    from.is_at_end().then_some(claims)
}

fn write_principal(to: &mut Writer, principal: &Principal) {
    match principal {
        Principal::Root => to.number(0),
        Principal::User { name, id, path } => {
            to.number(1);
            to.text(name);
            to.text(id);
            to.text(path);
        }
        Principal::AssumedRole { role, role_id, session } => {
            to.number(2);
            to.text(role);
            to.text(role_id);
            to.text(session);
        }
    }
}

fn read_principal(from: &mut Reader<'_>) -> Option<Principal> {
    match from.number()? {
        0 => Some(Principal::Root),
        1 => Some(Principal::User {
            name: from.text()?.into(),
            id: from.text()?.into(),
            path: from.text()?.into(),
        }),
        2 => Some(Principal::AssumedRole {
            role: from.text()?.into(),
            role_id: from.text()?.into(),
            session: from.text()?.into(),
        }),
        _ => None,
    }
}

fn read_identity(from: &mut Reader<'_>) -> Option<CallerIdentity> {
    Some(CallerIdentity {
        pool_id: from.owned_text()?,
        identity_id: from.owned_text()?,
        merged_id: from.optional(Reader::owned_text)?,
        born: from.moment()?,
        logins: from.texts()?,
        amr: from.texts()?,
        principal_tags: from.map()?,
    })
}

fn read_web_identity(from: &mut Reader<'_>) -> Option<WebIdentity> {
    Some(WebIdentity {
        provider: from.owned_text()?,
        audience: from.owned_text()?,
        subject: from.owned_text()?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::base::{AccountId, SessionRole, Timestamp};

    pub(crate) fn signed_in() -> SessionClaims {
        let identity = CallerIdentity {
            pool_id: "us-east-1:11111111-1111-4111-8111-111111111111".to_owned(),
            identity_id: "us-east-1:22222222-2222-4222-8222-222222222222".to_owned(),
            merged_id: None,
            born: Timestamp::from_seconds(900),
            logins: vec!["accounts.example.com".to_owned()],
            amr: ["authenticated", "accounts.example.com", "accounts.example.com:app:user-1"]
                .map(str::to_owned)
                .to_vec(),
            principal_tags: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
        };
        let role = SessionRole { account: AccountId::DEFAULT, name: "app", id: "AROAEXAMPLEEXAMPLEAB" };
        let (issued, expires) = (Timestamp::from_seconds(1000), Timestamp::from_seconds(4600));
        SessionClaims::of_identity(role, "CognitoIdentityCredentials", identity, issued, expires)
    }

    /// A session of each kind of principal, with everything that a session can have.
    fn all_kinds() -> Vec<SessionClaims> {
        let assumed = SessionClaims {
            identity: None,
            web_identity: Some(WebIdentity {
                provider: "idp.example.com/a".to_owned(),
                audience: "app".to_owned(),
                subject: "user-1".to_owned(),
            }),
            tags: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
            transitive_tags: vec!["team".to_owned()],
            policy: Some(PolicyHash([7; 32])),
            ..signed_in()
        };
        let user = Principal::User { name: "ann".into(), id: "AIDAEXAMPLE".into(), path: "/".into() };
        let of_user = SessionClaims { principal: user, web_identity: None, ..assumed.clone() };
        let of_root = SessionClaims { principal: Principal::Root, policy: None, ..of_user.clone() };
        vec![signed_in(), assumed, of_user, of_root]
    }

    #[test]
    fn every_kind_survives_the_round_trip_and_no_cut_or_lengthened_form_does() {
        for claims in all_kinds() {
            let bytes = write(&claims);
            assert_eq!(read(&bytes), Some(claims));
            for end in 0..bytes.len() {
                assert_eq!(read(&bytes[..end]), None, "cut at {end}");
            }
            assert_eq!(read(&[&bytes[..], &[0]].concat()), None);
        }
    }

    #[test]
    fn the_forms_version_is_looked_at() {
        let mut bytes = write(&signed_in());
        bytes[0] = 1;
        assert_eq!(read(&bytes), None);
    }

    #[test]
    fn a_texts_second_use_costs_a_byte() {
        let claims = signed_in();
        let mut without = claims.clone();
        without.origin.pool_id = None;
        assert_eq!(write(&claims).len(), write(&without).len() + 1);
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        // Few different texts, so that they repeat.
        proptest::collection::vec("[a-bé]{0,2}", 0..5)
    }

    fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
        proptest::collection::btree_map("[a-c]{0,2}", ".{0,3}", 0..4)
    }

    proptest! {
        #[test]
        fn claims_survive_the_round_trip(
            (role, session, with_identity) in (".{0,9}", ".{0,9}", any::<bool>()),
            (logins, amr, providers, keys) in (texts(), texts(), texts(), texts()),
            (principal_tags, tags, transitive_tags) in (tags(), tags(), texts()),
            (issued, expires, policy, merged_id) in
                (any::<i64>(), any::<i64>(), any::<Option<[u8; 32]>>(), any::<Option<String>>()),
        ) {
            let mut claims = signed_in();
            claims.principal = Principal::AssumedRole {
                role: role.into(), role_id: "AROA".into(), session: session.into(),
            };
            claims.issued = Timestamp::from_millis(issued);
            claims.expires = Timestamp::from_millis(expires);
            claims.origin.providers = providers;
            claims.origin.access_keys = keys;
            claims.tags = tags;
            claims.transitive_tags = transitive_tags;
            claims.policy = policy.map(PolicyHash);
            let identity = CallerIdentity { merged_id, logins, amr, principal_tags, ..CallerIdentity::default() };
            claims.identity = with_identity.then(|| Arc::new(identity));
            prop_assert_eq!(read(&write(&claims)), Some(claims));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            // What matters is that it comes back at all, and within the input's own size.
            if let Some(claims) = read(&[&[FORM as u8], &bytes[..]].concat()) {
                prop_assert!(write(&claims).len() <= bytes.len() + 1);
            }
        }
    }
}
