//! The model of a pool: the table of logins as sentences ([`Model::present`]), what deleting and unlinking do, and what is revoked
//! ([`Model::admit`]). It knows nothing of how the pool is kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    revocation::Scope,
    store::{
        identity::{IdentityStore, PoolRecord},
        revocation::RevocationStore,
        sqlite::SqliteStore,
    },
};

/// A login as the model has it: provider and subject.
pub(super) type Name = (&'static str, &'static str);
/// What a step answers: the identity, or which kind of refusal.
pub(super) type Answer = std::result::Result<String, &'static str>;

/// The name of the developer's own users.
pub(super) const DEVELOPER: &str = "login.app";
pub(super) const PROVIDERS: [&str; 3] = ["p", "q", "r"];
pub(super) const SUBJECTS: [&str; 4] = ["ann", "bob", "carl", "dora"];
/// Logins with tokens, all of one age.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Tokens {
    pub(super) logins: Vec<Name>,
    /// When they were issued, in milliseconds.
    pub(super) issued: i64,
}

/// What an operator revokes.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Revoked {
    Identity(String),
    Provider(&'static str),
    /// The pool, and the ids of its guests with it or not.
    Pool(bool),
}

impl Revoked {
    pub(super) fn scope(&self, pool: &PoolRecord) -> Scope {
        let pool_id = pool.id.clone();
        match self {
            Self::Identity(id) => Scope::Identity { identity_id: id.clone() },
            Self::Provider(provider) => Scope::Provider { pool_id, provider: (*provider).to_owned() },
            Self::Pool(_) => Scope::Pool { pool_id },
        }
    }
}

/// One device's call, or an operator's.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    /// GetId with these logins.
    GetId(Tokens),
    /// Credentials for this identity with these logins: links, signs in, merges.
    SpeakFor(String, Tokens),
    /// Unlinks a provider from this identity with these logins.
    Unlink(String, Tokens, &'static str),
    /// Merges the developer's user into another.
    MergeUsers(&'static str, &'static str),
    /// Deletes this identity.
    Delete(String),
    /// Revokes what was issued until now.
    Revoke(Revoked),
    /// Has the id of a guest open again what it did.
    Restore(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Kept {
    signed_in: bool,
    became: Option<String>,
    born: i64,
    hold: Hold,
}

/// What an operator's word left of an identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Hold {
    not_before: Option<i64>,
    disabled: bool,
    restored: Option<i64>,
}

/// The pool as it should be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Model {
    /// The time, in milliseconds.
    pub(super) now: i64,
    pub(super) identities: BTreeMap<String, Kept>,
    logins: BTreeMap<Name, String>,
    /// Up to when tokens do not count, by provider.
    providers: BTreeMap<&'static str, i64>,
    /// Up to when no token counts.
    pool: Option<i64>,
    /// Until when guests were born whose ids open nothing.
    guest_ids: Option<i64>,
}

impl Model {
    /// What the pool holds at this time.
    pub(super) async fn read(store: &SqliteStore, pool: &PoolRecord, now: i64) -> Self {
        let mut model = Self { now, ..Self::default() };
        let held = store.held(u32::MAX).await.unwrap();
        for identity in IdentityStore::identities(store, &pool.id, None, 1000).await.unwrap() {
            for login in identity.logins {
                let provider = PROVIDERS.iter().chain(&[DEVELOPER]).find(|name| **name == login.provider);
                let subject = SUBJECTS.iter().find(|name| **name == login.subject);
                model.logins.insert((provider.unwrap(), subject.unwrap()), identity.id.clone());
            }
            let mut hold = Hold::default();
            if held.contains(&identity.id) {
                let kept = store.hold(&identity.id).await.unwrap().unwrap();
                hold.not_before = kept.not_before.map(|at| at.millis());
                hold.disabled = kept.disabled.is_some();
                hold.restored = kept.restored.map(|at| at.millis());
            }
            let kept = Kept {
                signed_in: identity.signed_in.is_some(),
                became: identity.merged.map(|merged| merged.into),
                born: identity.born.millis(),
                hold,
            };
            model.identities.insert(identity.id, kept);
        }
        for record in store.revocations().await.unwrap() {
            let not_before = record.not_before.millis();
            if record.scope == (Scope::Pool { pool_id: pool.id.clone() }).to_string() {
                model.pool = Some(not_before);
            } else if record.scope == (Scope::GuestIds { pool_id: pool.id.clone() }).to_string() {
                model.guest_ids = Some(not_before);
            }
            for provider in PROVIDERS.iter().chain(&[DEVELOPER]) {
                if record.scope == Revoked::Provider(provider).scope(pool).to_string() {
                    model.providers.insert(provider, not_before);
                }
            }
        }
        model
    }

    /// Whether an exchange of these tokens is refused, which lead to this identity, if there is one already; `as_guest` where its
    /// id is presented without a login that it has.
    fn admit(&self, identity: Option<(&str, bool)>, tokens: &Tokens) -> Result<(), &'static str> {
        let ended = |not_before: Option<i64>| not_before.is_some_and(|at| tokens.issued <= at);
        let known = identity.map(|(id, as_guest)| (&self.identities[id], as_guest));
        let of_logins = tokens.logins.iter().any(|(provider, _)| {
            ended(self.pool)
                || ended(self.providers.get(provider).copied())
                || known.is_some_and(|(kept, _)| ended(kept.hold.not_before))
        });
        let of_id = known.is_some_and(|(kept, as_guest)| {
            let all = self.guest_ids.filter(|at| as_guest && kept.born <= *at);
            kept.hold.disabled
                || all.is_some_and(|at| kept.hold.restored.is_none_or(|restored| restored <= at))
        });
        if of_logins || of_id { Err("revoked") } else { Ok(()) }
    }

    fn end_of(&self, id: &str) -> String {
        let mut id = id.to_owned();
        while let Some(next) = self.identities[&id].became.clone() {
            id = next;
        }
        id
    }

    fn owners(&self, logins: &[Name]) -> BTreeSet<String> {
        logins.iter().filter_map(|login| self.logins.get(login).cloned()).collect()
    }

    fn give(&mut self, id: &str, logins: &[Name]) {
        for login in logins {
            self.logins.insert(*login, id.to_owned());
        }
        if let (Some(kept), false) = (self.identities.get_mut(id), logins.is_empty()) {
            kept.signed_in = true;
        }
    }

    /// The table of logins: who is meant by this id and these logins. `fresh` is the id that a new identity gets.
    fn present(&mut self, id: Option<&str>, tokens: &Tokens, fresh: Option<&str>) -> Answer {
        let logins = &tokens.logins[..];
        let known = id.map(|id| self.identities.get(id).cloned().ok_or("not found")).transpose()?;
        let owners = self.owners(logins);
        let mut owners = owners.iter();
        let owner = owners.next().cloned();
        if owners.next().is_some() {
            return Err("conflict");
        }
        let (Some(id), Some(known)) = (id, known) else {
            let id = match owner {
                Some(owner) => {
                    self.admit(Some((&owner, false)), tokens)?;
                    owner
                }
                None => {
                    self.admit(None, tokens)?;
                    let fresh = fresh.ok_or("a new identity was expected")?.to_owned();
                    if self.identities.contains_key(&fresh) {
                        return Err("a new identity was expected, not one that there is");
                    }
                    let (born, hold) = (self.now, Hold::default());
                    self.identities
                        .insert(fresh.clone(), Kept { signed_in: false, became: None, born, hold });
                    fresh
                }
            };
            self.give(&id, logins);
            return Ok(id);
        };
        let is_guest = !known.signed_in && known.became.is_none();
        let end = self.end_of(id);
        match owner {
            Some(owner) if owner == end => {
                self.admit(Some((&owner, false)), tokens)?;
                self.give(&owner, logins);
                Ok(owner)
            }
            Some(owner) if is_guest => {
                self.admit(Some((id, true)), tokens)?;
                self.admit(Some((&owner, false)), tokens)?;
                self.identities.entry(id.to_owned()).and_modify(|kept| kept.became = Some(owner.clone()));
                self.give(&owner, logins);
                Ok(owner)
            }
            None if is_guest => {
                self.admit(Some((id, true)), tokens)?;
                self.give(id, logins);
                Ok(id.to_owned())
            }
            _ => Err("not authorized"),
        }
    }

    pub(super) fn step(&mut self, step: &Step, fresh: Option<&str>) -> Answer {
        match step {
            Step::GetId(tokens) => self.present(None, tokens, fresh),
            Step::SpeakFor(id, tokens) => self.present(Some(id), tokens, None),
            Step::Unlink(id, tokens, provider) => {
                if !self.identities.contains_key(id) {
                    return Err("not found");
                }
                let owners = self.owners(&tokens.logins);
                let end = self.end_of(id);
                if owners.len() > 1 {
                    return Err("conflict");
                }
                if !owners.contains(&end) {
                    return Err("not authorized");
                }
                self.admit(Some((&end, false)), tokens)?;
                self.logins.retain(|login, owner| login.0 != *provider || *owner != end);
                Ok(end)
            }
            Step::MergeUsers(from, into) => {
                let find =
                    |user: &'static str| self.logins.get(&(DEVELOPER, user)).cloned().ok_or("not found");
                let (from, into) = (find(from)?, find(into)?);
                let public = |id: &String| {
                    let of = self.logins.iter().filter(|(login, owner)| *owner == id && login.0 != DEVELOPER);
                    of.map(|(login, _)| login.0).collect::<BTreeSet<_>>()
                };
                if from != into {
                    if !public(&from).is_disjoint(&public(&into)) {
                        return Err("conflict");
                    }
                    for owner in self.logins.values_mut().filter(|owner| **owner == from) {
                        owner.clone_from(&into);
                    }
                    self.identities.entry(from).and_modify(|kept| kept.became = Some(into.clone()));
                }
                Ok(into)
            }
            Step::Delete(id) => {
                if !self.identities.contains_key(id) {
                    return Err("not found");
                }
                let gone: BTreeSet<String> = self
                    .identities
                    .keys()
                    .filter(|other| {
                        let mut at = Some((*other).clone());
                        while let Some(one) = at {
                            if one == *id {
                                return true;
                            }
                            at = self.identities[&one].became.clone();
                        }
                        false
                    })
                    .cloned()
                    .collect();
                self.identities.retain(|id, _| !gone.contains(id));
                self.logins.retain(|_, owner| !gone.contains(owner));
                Ok(id.clone())
            }
            Step::Revoke(revoked) => {
                match revoked {
                    Revoked::Identity(id) => {
                        let now = self.now;
                        self.identities.entry(id.clone()).and_modify(|kept| {
                            kept.hold.not_before = Some(now);
                            kept.hold.disabled |= !kept.signed_in;
                        });
                    }
                    Revoked::Provider(provider) => drop(self.providers.insert(provider, self.now)),
                    Revoked::Pool(disable_guests) => {
                        self.pool = Some(self.now);
                        self.guest_ids = if *disable_guests { Some(self.now) } else { self.guest_ids };
                    }
                }
                Ok(String::new())
            }
            Step::Restore(id) => {
                let now = self.now;
                let kept = self.identities.get_mut(id).ok_or("not found")?;
                kept.hold.disabled = false;
                kept.hold.restored = Some(now);
                Ok(String::new())
            }
        }
    }
}
