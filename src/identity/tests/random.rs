//! Random histories of a pool, with a model beside it that knows nothing of how the pool is kept.
//!
//! The model is the table of logins as sentences ([`Model::present`]), and what deleting and unlinking do. Each step picks an
//! operation and devices: one alone, one whose store fails or whose caller is gone in the middle, or two at once. After each step
//! the whole pool is read and must be what the model says: of a step that was broken off, its old state or its new one; of
//! two steps at once, one of the two orders.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{super::*, Fixture, fixture::verified, random_store::Flaky};
use crate::{
    base::rng::SeededRng,
    store::identity::{IdentityStore, PoolRecord},
};

/// A login as the model has it: provider and subject.
type Name = (&'static str, &'static str);
/// What a step answers: the identity, or which kind of refusal.
type Answer = std::result::Result<String, &'static str>;

const PROVIDERS: [&str; 3] = ["p", "q", "r"];
const SUBJECTS: [&str; 4] = ["ann", "bob", "carl", "dora"];
/// So many identities are kept at most: when there are more, they are deleted.
const IDENTITIES_MAX: usize = 12;

/// One device's call.
#[derive(Clone, PartialEq, Debug)]
enum Step {
    /// GetId with these logins.
    GetId(Vec<Name>),
    /// Credentials for this identity with these logins: links, signs in, merges.
    SpeakFor(String, Vec<Name>),
    /// Unlinks a provider from this identity with these logins.
    Unlink(String, Vec<Name>, &'static str),
    /// Merges the developer's user into another.
    MergeUsers(&'static str, &'static str),
    /// Deletes this identity.
    Delete(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Kept {
    signed_in: bool,
    became: Option<String>,
}

/// The pool as it should be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Model {
    identities: BTreeMap<String, Kept>,
    logins: BTreeMap<Name, String>,
}

impl Model {
    /// What the pool holds.
    async fn read(store: &dyn IdentityStore, pool: &PoolRecord) -> Self {
        let mut model = Self::default();
        for identity in store.identities(&pool.id, None, 1000).await.unwrap() {
            for login in identity.logins {
                let provider = PROVIDERS.iter().chain(&["login.app"]).find(|name| **name == login.provider);
                let subject = SUBJECTS.iter().find(|name| **name == login.subject);
                model.logins.insert((provider.unwrap(), subject.unwrap()), identity.id.clone());
            }
            let kept = Kept {
                signed_in: identity.signed_in.is_some(),
                became: identity.merged.map(|merged| merged.into),
            };
            model.identities.insert(identity.id, kept);
        }
        model
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
    fn present(&mut self, id: Option<&str>, logins: &[Name], fresh: Option<&str>) -> Answer {
        let known = id.map(|id| self.identities.get(id).cloned().ok_or("not found")).transpose()?;
        let owners = self.owners(logins);
        let mut owners = owners.iter();
        let owner = owners.next().cloned();
        if owners.next().is_some() {
            return Err("conflict");
        }
        let (Some(id), Some(known)) = (id, known) else {
            let id = match owner {
                Some(owner) => owner,
                None => {
                    let fresh = fresh.ok_or("a new identity was expected")?.to_owned();
                    if self.identities.contains_key(&fresh) {
                        return Err("a new identity was expected, not one that there is");
                    }
                    self.identities.insert(fresh.clone(), Kept { signed_in: false, became: None });
                    fresh
                }
            };
            self.give(&id, logins);
            return Ok(id);
        };
        let is_guest = !known.signed_in && known.became.is_none();
        match owner {
            Some(owner) if owner == self.end_of(id) => {
                self.give(&owner, logins);
                Ok(owner)
            }
            Some(owner) if is_guest => {
                self.identities.insert(id.to_owned(), Kept { signed_in: false, became: Some(owner.clone()) });
                self.give(&owner, logins);
                Ok(owner)
            }
            None if is_guest => {
                self.give(id, logins);
                Ok(id.to_owned())
            }
            _ => Err("not authorized"),
        }
    }

    fn step(&mut self, step: &Step, fresh: Option<&str>) -> Answer {
        match step {
            Step::GetId(logins) => self.present(None, logins, fresh),
            Step::SpeakFor(id, logins) => self.present(Some(id), logins, None),
            Step::Unlink(id, logins, provider) => {
                if !self.identities.contains_key(id) {
                    return Err("not found");
                }
                let owners = self.owners(logins);
                let end = self.end_of(id);
                if owners.len() > 1 {
                    return Err("conflict");
                }
                if !owners.contains(&end) {
                    return Err("not authorized");
                }
                self.logins.retain(|login, owner| login.0 != *provider || *owner != end);
                Ok(end)
            }
            Step::MergeUsers(from, into) => {
                let find =
                    |user: &'static str| self.logins.get(&("login.app", user)).cloned().ok_or("not found");
                let (from, into) = (find(from)?, find(into)?);
                let public = |id: &String| {
                    let of =
                        self.logins.iter().filter(|(login, owner)| *owner == id && login.0 != "login.app");
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
        }
    }
}

/// The real thing.
async fn run(identities: &Identities, pool: &Arc<PoolRecord>, step: &Step) -> Result<String> {
    match step {
        Step::GetId(logins) => identities.find_or_make(pool, &verified(logins)).await,
        Step::SpeakFor(id, logins) => {
            identities.speak_for(pool.clone(), id, None, verified(logins)).await.map(|resolved| resolved.id)
        }
        Step::Unlink(id, logins, provider) => {
            identities.unlink_verified(pool, id, &verified(logins), &[(*provider).to_owned()]).await
        }
        Step::MergeUsers(from, into) => {
            identities.merge_developer_identities(pool.account, &pool.id, "login.app", (from, into)).await
        }
        Step::Delete(id) => match identities.delete(pool.account, std::slice::from_ref(id)).await.pop() {
            None => Ok(id.clone()),
            Some((_, NotDeleted::NotTheirs)) => Err(IdentityError::IdentityNotFound(id.clone())),
            Some((_, NotDeleted::Failed)) => Err(IdentityError::Store(super::random_store::failure())),
        },
    }
}

/// The refusal's kind; `None` where the step was broken off, so that nobody knows whether it was done.
fn answer(ended: Result<String>) -> Option<Answer> {
    match ended {
        Ok(id) => Some(Ok(id)),
        Err(IdentityError::Store(_)) => None,
        Err(IdentityError::IdentityNotFound(_) | IdentityError::DeveloperUserNotFound(_)) => {
            Some(Err("not found"))
        }
        Err(IdentityError::SeveralIdentities | IdentityError::DifferentUsers(_)) => Some(Err("conflict")),
        Err(IdentityError::Forbidden(_) | IdentityError::LoginsDoNotMatch) => Some(Err("not authorized")),
        Err(other) => panic!("{other}"),
    }
}

/// Draws steps.
struct Dice(SeededRng);

impl Dice {
    fn below(&self, limit: usize) -> usize {
        let mut bytes = [0; 8];
        crate::base::Rng::fill(&self.0, &mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % (limit as u64)).unwrap()
    }

    fn of<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn word(&self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }

    fn logins(&self) -> Vec<Name> {
        let mut logins = BTreeMap::new();
        for _ in 0..[0, 1, 1, 1, 2, 3][self.below(6)] {
            logins.insert(*self.of(&["p", "q", "r", "login.app"]), *self.of(&SUBJECTS));
        }
        logins.into_iter().collect()
    }

    fn step(&self, model: &Model) -> Step {
        let mut known: Vec<String> = model.identities.keys().cloned().collect();
        known.push("r:0".to_owned());
        let id = self.of(&known).clone();
        if known.len() > IDENTITIES_MAX {
            return Step::Delete(id);
        }
        match self.below(10) {
            0..=2 => Step::GetId(self.logins()),
            3..=6 => Step::SpeakFor(id, self.logins()),
            7 => Step::Unlink(id, self.logins(), self.word(&PROVIDERS)),
            8 => Step::MergeUsers(self.word(&SUBJECTS), self.word(&SUBJECTS)),
            _ => Step::Delete(id),
        }
    }
}

/// Polls a future so often and drops it: its caller is gone, or its process.
async fn broken_off<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// How many steps `make test` takes, and `make soak`, which says so by this variable.
const STEPS: usize = 10_000;
const STEPS_VARIABLE: &str = "IDENTITY_STEPS";
const SEED_VARIABLE: &str = "IDENTITY_SEED";

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test]
async fn a_random_history_is_the_models() {
    let steps = number(STEPS_VARIABLE).map_or(STEPS, |steps| steps.try_into().unwrap());
    let seed = number(SEED_VARIABLE).unwrap_or(7);
    let flaky = Flaky::default();
    let fixture = Fixture::start_with(|store| flaky.over(store)).await;
    let pool = fixture.pool(true).await;
    let (dice, identities, store) = (Dice(SeededRng::new(seed)), &fixture.identities, &fixture.store);
    let mut model = Model::default();
    // Where something is different, the seed and the step tell how to see it again.
    let mut counts = [0_usize; 4];
    for at in 0..steps {
        let step = dice.step(&model);
        let place = format!("seed {seed}, step {at}: {step:?}");
        let before = model.clone();
        match dice.below(8) {
            0 => {
                counts[0] += 1;
                flaky.fail_after(dice.below(6));
                let ended = answer(run(identities, &pool, &step).await);
                flaky.work();
                model = settle(before, &[(&step, ended)], store, &pool, &place).await;
            }
            1 => {
                counts[1] += 1;
                let ended = broken_off(run(identities, &pool, &step), dice.below(12)).await;
                store.settled().await;
                model = settle(before, &[(&step, ended.and_then(answer))], store, &pool, &place).await;
            }
            2 | 3 => {
                counts[2] += 1;
                let other = dice.step(&model);
                let (one, two) = tokio::join!(run(identities, &pool, &step), run(identities, &pool, &other));
                let ended = [(&step, answer(one)), (&other, answer(two))];
                model = settle(before, &ended, store, &pool, &format!("{place} and {other:?}")).await;
            }
            _ => {
                counts[3] += 1;
                let ended = answer(run(identities, &pool, &step).await);
                assert!(ended.is_some(), "{place}");
                model = settle(before, &[(&step, ended)], store, &pool, &place).await;
            }
        }
    }
    assert!(counts.iter().all(|count| *count > steps / 50), "{counts:?}");
}

/// The state after these steps, which began at once: it must be the model's in one of their orders, with the answers that were
/// given. A step without an answer may have been done or not.
async fn settle(
    before: Model,
    ended: &[(&Step, Option<Answer>)],
    store: &dyn IdentityStore,
    pool: &PoolRecord,
    place: &str,
) -> Model {
    let found = Model::read(store, pool).await;
    let orders: &[&[usize]] = match ended.len() {
        1 => &[&[0]],
        _ => &[&[0, 1], &[1, 0]],
    };
    let mut tried = Vec::new();
    for order in orders {
        // Each step that has no answer may have been done (bit set) or not.
        for done in 0..1 << ended.len() {
            let mut model = before.clone();
            let mut agrees = true;
            for at in *order {
                let (step, answer) = &ended[*at];
                match answer {
                    Some(answer) => {
                        let fresh = answer.as_ref().ok().map(String::as_str);
                        agrees &= model.step(step, fresh) == *answer;
                    }
                    None if done & (1 << at) != 0 => {
                        let fresh = found.identities.keys().find(|id| !before.identities.contains_key(*id));
                        let _ = model.step(step, fresh.map(String::as_str));
                    }
                    None => {}
                }
            }
            if agrees && model == found {
                return found;
            }
            tried.push(model);
        }
    }
    panic!("{place}\nanswered {ended:?}\nbefore {before:?}\nfound {found:?}\nnone of {tried:#?}");
}
