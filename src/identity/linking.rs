//! The table of logins: which identity a request means.
//!
//! G is a guest, U and V are identities with logins; a login is new if no identity of the pool has it.
//!
//! | identity presented | logins presented | result |
//! |---|---|---|
//! | none | none | a new guest |
//! | none | new | a new identity with it |
//! | none | of U, or of U and new ones | U, with all of them |
//! | G | none | G |
//! | G | new | G itself, now signed in: same id |
//! | G | of U, or of U and new ones | U; G is merged into it |
//! | G, merged into U | of U, or of U and new ones | U, with all of them |
//! | G, merged into U | none; new alone; of V alone | refused: a merged id attributes and never authorises |
//! | U | of U, or of U and new ones | U, with all of them |
//! | U | none; new alone; of V alone | refused: knowing an id opens nothing |
//! | any | of U and of V | refused |
//! | one whose last login was unlinked | anything | refused |

use super::IdentityError;
use crate::store::identity::{IdentityRecord, Login};

/// A login of a request, and the identity of the pool that has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Presented {
    /// The login.
    pub login: Login,
    /// Whose it is; `None` if it is new.
    pub owner: Option<String>,
}

/// An identity that a request presents, as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The identity itself.
    pub named: IdentityRecord,
    /// Who it has become, if it was merged.
    pub became: Option<IdentityRecord>,
}

impl Seen {
    /// Who it is now.
    pub fn now(&self) -> &IdentityRecord {
        self.became.as_ref().unwrap_or(&self.named)
    }
}

/// Which identity is meant, and what must be written before it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// A new one, with all of the logins; a guest if there are none.
    New,
    /// This one, as it is.
    Is(String),
    /// This one, with these logins added.
    Link {
        /// Its id.
        identity: String,
        /// The new logins.
        new: Vec<Login>,
    },
    /// `into`, when the guest that was presented is merged into it, with these logins added.
    Merge {
        /// The id of the identity that has the logins.
        into: String,
        /// The new logins.
        new: Vec<Login>,
    },
}

/// Reads the table. Whether the pool has guests is not asked here.
pub fn decide(seen: Option<&Seen>, logins: &[Presented]) -> Result<Decision, IdentityError> {
    let mut owners = logins.iter().filter_map(|presented| presented.owner.as_deref());
    let owner = owners.next();
    if owner.is_some_and(|owner| owners.any(|other| other != owner)) {
        return Err(IdentityError::SeveralIdentities);
    }
    let new = || {
        logins
            .iter()
            .filter(|presented| presented.owner.is_none())
            .map(|presented| presented.login.clone())
            .collect::<Vec<_>>()
    };
    let with_all = |identity: &str| match new() {
        new if new.is_empty() => Decision::Is(identity.to_owned()),
        new => Decision::Link { identity: identity.to_owned(), new },
    };
    let Some(seen) = seen else {
        return Ok(owner.map_or(Decision::New, with_all));
    };
    let is_guest = seen.named.is_guest();
    match owner {
        Some(owner) if owner == seen.now().id => Ok(with_all(owner)),
        Some(owner) if is_guest => Ok(Decision::Merge { into: owner.to_owned(), new: new() }),
        Some(_) => Err(IdentityError::LoginsDoNotMatch),
        None if is_guest => Ok(with_all(&seen.named.id)),
        // Also a guest that was merged, and an identity whose last login was unlinked: neither is a guest again.
        None if logins.is_empty() => Err(IdentityError::Forbidden(seen.named.id.clone())),
        None => Err(IdentityError::LoginsDoNotMatch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Timestamp, store::identity::Merged};

    fn login(subject: &str) -> Login {
        Login { provider: "idp".to_owned(), subject: subject.to_owned() }
    }

    fn seen(id: &str, signed_in: bool, logins: &[&str]) -> Seen {
        Seen { named: identity(id, signed_in, logins), became: None }
    }

    fn identity(id: &str, signed_in: bool, logins: &[&str]) -> IdentityRecord {
        IdentityRecord {
            id: id.to_owned(),
            pool_id: "pool".to_owned(),
            born: Timestamp::from_seconds(1),
            modified: Timestamp::from_seconds(2),
            used: Timestamp::from_seconds(1),
            merged: None,
            signed_in: signed_in.then_some(Timestamp::from_seconds(2)),
            revision: 0,
            logins: logins.iter().map(|subject| login(subject)).collect(),
        }
    }

    /// `u1` and `u2` are U's, `v1` is V's; other logins are new.
    fn decided(presented: Option<&Seen>, logins: &[&str]) -> String {
        let logins: Vec<Presented> = logins
            .iter()
            .map(|subject| Presented {
                login: login(subject),
                owner: ["U", "V"]
                    .iter()
                    .find(|id| subject.to_uppercase().starts_with(*id))
                    .map(|id| (*id).into()),
            })
            .collect();
        match decide(presented, &logins) {
            Ok(Decision::New) => "new".to_owned(),
            Ok(Decision::Is(id)) => id,
            Ok(Decision::Link { identity, new }) => format!("{identity} with {}", listed(new)),
            Ok(Decision::Merge { into, new }) => format!("merge into {into} with {}", listed(new)),
            Err(error) => format!("{error:?}"),
        }
    }

    fn listed(new: Vec<Login>) -> String {
        let subjects: Vec<String> = new.into_iter().map(|login| login.subject).collect();
        subjects.join(" and ")
    }

    #[test]
    fn every_row_of_the_table() {
        let g = seen("G", false, &[]);
        let u = seen("U", true, &["u1", "u2"]);
        let unlinked = seen("X", true, &[]);
        let merged = |from: &str, signed_in: bool| {
            let mut seen = seen(from, signed_in, &[]);
            seen.named.merged = Some(Merged { into: "U".to_owned(), at: Timestamp::from_seconds(3) });
            seen.became = Some(identity("U", true, &["u1", "u2"]));
            seen
        };
        let (guest_of_u, user_of_u) = (merged("M", false), merged("W", true));
        let rows: &[(Option<&Seen>, &[&str], &str)] = &[
            (None, &[], "new"),
            (None, &["n"], "new"),
            (None, &["n", "m"], "new"),
            (None, &["u1"], "U"),
            (None, &["u1", "u2"], "U"),
            (None, &["n", "u1", "m"], "U with n and m"),
            (Some(&g), &[], "G"),
            (Some(&g), &["n"], "G with n"),
            (Some(&g), &["u1"], "merge into U with "),
            (Some(&g), &["u1", "u2"], "merge into U with "),
            (Some(&g), &["u1", "n"], "merge into U with n"),
            (Some(&guest_of_u), &["u1"], "U"),
            (Some(&guest_of_u), &["u1", "n"], "U with n"),
            (Some(&guest_of_u), &[], r#"Forbidden("M")"#),
            (Some(&guest_of_u), &["n"], "LoginsDoNotMatch"),
            (Some(&guest_of_u), &["v1"], "LoginsDoNotMatch"),
            (Some(&guest_of_u), &["u1", "v1"], "SeveralIdentities"),
            (Some(&user_of_u), &["u2", "n"], "U with n"),
            (Some(&user_of_u), &[], r#"Forbidden("W")"#),
            (Some(&user_of_u), &["n"], "LoginsDoNotMatch"),
            (Some(&u), &["u1"], "U"),
            (Some(&u), &["n", "u2"], "U with n"),
            (Some(&u), &[], r#"Forbidden("U")"#),
            (Some(&u), &["n"], "LoginsDoNotMatch"),
            (Some(&u), &["v1"], "LoginsDoNotMatch"),
            (Some(&u), &["v1", "n"], "LoginsDoNotMatch"),
            (None, &["u1", "v1"], "SeveralIdentities"),
            (Some(&g), &["u1", "v1", "n"], "SeveralIdentities"),
            (Some(&u), &["u1", "v1"], "SeveralIdentities"),
            (Some(&unlinked), &[], r#"Forbidden("X")"#),
            (Some(&unlinked), &["n"], "LoginsDoNotMatch"),
            (Some(&unlinked), &["u1"], "LoginsDoNotMatch"),
        ];
        for (presented, logins, expected) in rows {
            let id = presented.map(|seen| seen.named.id.as_str());
            assert_eq!(decided(*presented, logins), *expected, "{id:?} with {logins:?}");
        }
    }
}
