//! Temporary credentials: what the gateway verified, or was asked for and granted, when it made them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{AccountId, Caller, CallerIdentity, Principal, Timestamp};

/// What a session is, from the moment it is made until it ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionClaims {
    /// The account the session acts in.
    pub account: AccountId,
    /// As whom. The ids are part of it: a role made anew under an old name does not inherit its sessions.
    pub principal: Principal,
    /// The identity, when the credentials came from an identity pool; `None` after AssumeRole.
    pub identity: Option<Arc<CallerIdentity>>,
    /// Who was vouched for, when the credentials came from another OpenID Connect provider's token.
    pub web_identity: Option<WebIdentity>,
    /// The session tags of a session without an identity. Those of one with an identity are its principal tags:
    /// [`Self::principal_tags`] knows both.
    pub tags: BTreeMap<String, String>,
    /// The keys of the tags that a session made from this one has too.
    pub transitive_tags: Vec<String>,
    /// The session policies, which must allow as well; `None` where there are none.
    pub policy: Option<PolicyHash>,
    /// When it was made.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// Where it began, for revocation.
    pub origin: Origin,
}

/// A role that a session acts as.
#[derive(Clone, Copy, Debug)]
pub struct SessionRole<'a> {
    /// Whose it is.
    pub account: AccountId,
    /// Its name, without its path.
    pub name: &'a str,
    /// `AROA…`
    pub id: &'a str,
}

impl SessionClaims {
    /// A session of a role, without identity, tags and session policies.
    pub fn of_role(
        role: SessionRole<'_>,
        session: &str,
        origin: Origin,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Self {
        Self {
            account: role.account,
            principal: Principal::AssumedRole {
                role: role.name.into(),
                role_id: role.id.into(),
                session: session.into(),
            },
            identity: None,
            web_identity: None,
            tags: BTreeMap::new(),
            transitive_tags: Vec::new(),
            policy: None,
            issued,
            expires,
            origin: origin.through(role.account, role.name),
        }
    }

    /// A session of a role that an identity gets from its pool.
    pub fn of_identity(
        role: SessionRole<'_>,
        session: &str,
        identity: CallerIdentity,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Self {
        let origin = Origin::of_identity(&identity, issued);
        let claims = Self::of_role(role, session, origin, issued, expires);
        Self { identity: Some(Arc::new(identity)), ..claims }
    }

    /// The tags that `aws:PrincipalTag` shows.
    pub fn principal_tags(&self) -> &BTreeMap<String, String> {
        self.identity.as_deref().map_or(&self.tags, |identity| &identity.principal_tags)
    }
}

/// Who an OpenID Connect provider of the account vouched for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebIdentity {
    /// The provider's URL without its scheme, with which its condition keys begin.
    pub provider: String,
    /// The token's `aud`, or its `azp` where it has one.
    pub audience: String,
    /// The token's `sub`.
    pub subject: String,
}

/// The SHA-256 hash of a session's policies, as they are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PolicyHash(pub [u8; 32]);

impl fmt::Display for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
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
    /// The access keys it descends from; its own is not among them.
    pub access_keys: Vec<String>,
    /// The users and roles it is of and descends from, as [`Origin::user`] and [`Origin::role`] name them.
    pub principals: Vec<String>,
    /// When the first session of the chain was made.
    pub issued: Timestamp,
}

impl Origin {
    /// How origins name a role: `<account>:role/<name>`.
    pub fn role(account: AccountId, name: &str) -> String {
        format!("{account}:role/{name}")
    }

    /// How origins name a user: `<account>:user/<name>`.
    pub fn user(account: AccountId, name: &str) -> String {
        format!("{account}:user/{name}")
    }

    /// The origin of a session that begins now, with nobody's credentials.
    pub fn at(issued: Timestamp) -> Self {
        Self { issued, ..Self::default() }
    }

    /// The origin of a session that an identity gets now, before the role is known.
    pub fn of_identity(identity: &CallerIdentity, issued: Timestamp) -> Self {
        Self {
            pool_id: Some(identity.pool_id.clone()),
            identity_id: Some(identity.identity_id.clone()),
            providers: identity.logins.clone(),
            ..Self::at(issued)
        }
    }

    /// The origin of a session that `caller` makes now from its own credentials: all of its own, and itself.
    pub fn of_caller(caller: &Caller, issued: Timestamp) -> Self {
        let mut origin = match &caller.session {
            Some(session) => session.origin.clone(),
            None => Self::at(issued),
        };
        add(&mut origin.access_keys, caller.access_key_id.to_string());
        match &caller.principal {
            Principal::Root => origin,
            Principal::User { name, .. } => {
                add(&mut origin.principals, Self::user(caller.account, name));
                origin
            }
            Principal::AssumedRole { role, .. } => origin.through(caller.account, role),
        }
    }

    /// The origin of a session of this role.
    #[must_use]
    pub fn through(mut self, account: AccountId, role: &str) -> Self {
        add(&mut self.principals, Self::role(account, role));
        self
    }
}

/// Adds what is not there yet: a chain that goes in circles does not grow by its principals.
fn add(to: &mut Vec<String>, one: String) {
    if !to.contains(&one) {
        to.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: SessionRole<'_> = SessionRole { account: AccountId::DEFAULT, name: "app", id: "AROA1" };

    fn caller(claims: SessionClaims) -> Caller {
        Caller::of_session(Arc::new(claims), "ASIAPARENT")
    }

    #[test]
    fn an_origin_outlives_the_identity_and_the_time_of_the_first_session() {
        let identity = CallerIdentity {
            pool_id: "r:pool".to_owned(),
            identity_id: "r:me".to_owned(),
            logins: vec!["idp".to_owned()],
            ..CallerIdentity::default()
        };
        let first = Timestamp::from_seconds(10);
        let parent = SessionClaims::of_identity(ROLE, "s", identity, first, Timestamp::from_seconds(90));
        let later = Timestamp::from_seconds(20);
        let other = SessionRole { account: "111111111111".parse().unwrap(), name: "other", id: "AROA2" };
        let origin = Origin::of_caller(&caller(parent), later);
        let child = SessionClaims::of_role(other, "t", origin, later, Timestamp::from_seconds(80));
        assert_eq!(child.identity, None);
        assert_eq!(
            child.origin,
            Origin {
                pool_id: Some("r:pool".to_owned()),
                identity_id: Some("r:me".to_owned()),
                providers: vec!["idp".to_owned()],
                access_keys: vec!["ASIAPARENT".to_owned()],
                principals: vec!["000000000000:role/app".to_owned(), "111111111111:role/other".to_owned()],
                issued: first,
            }
        );
    }

    #[test]
    fn a_long_lived_keys_session_begins_with_its_user_and_now() {
        let user = Caller {
            principal: Principal::User { name: "ann".into(), id: "AIDA1".into(), path: "/".into() },
            session: None,
            ..caller(SessionClaims::of_role(
                ROLE,
                "s",
                Origin::default(),
                Timestamp::default(),
                Timestamp::default(),
            ))
        };
        let origin = Origin::of_caller(&user, Timestamp::from_seconds(5));
        assert_eq!(origin.principals, ["000000000000:user/ann"]);
        assert_eq!(origin.access_keys, ["ASIAPARENT"]);
        assert_eq!(origin.issued, Timestamp::from_seconds(5));
    }

    #[test]
    fn an_identitys_principal_tags_are_the_sessions() {
        let tags = |value: &str| BTreeMap::from([("team".to_owned(), value.to_owned())]);
        let now = Timestamp::default();
        let identity = CallerIdentity { principal_tags: tags("blue"), ..CallerIdentity::default() };
        assert_eq!(*SessionClaims::of_identity(ROLE, "s", identity, now, now).principal_tags(), tags("blue"));
        let assumed = SessionClaims::of_role(ROLE, "s", Origin::at(now), now, now);
        assert_eq!(*SessionClaims { tags: tags("red"), ..assumed }.principal_tags(), tags("red"));
    }

    #[test]
    fn a_hash_prints_as_hex() {
        assert!(PolicyHash([0xab; 32]).to_string().starts_with("abab"));
    }
}
