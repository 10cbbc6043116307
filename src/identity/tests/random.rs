//! Random histories of a pool, with a model beside it that knows nothing of how the pool is kept.
//!
//! Each step picks an operation and devices: one alone, one whose store fails or whose caller is gone in the middle, or two at once. After each step
//! the whole pool is read and must be what the model says: of a step that was broken off, its old state or its new one; of
//! two steps at once, one of the two orders.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    super::*,
    Fixture,
    fixture::verified_at,
    random_model::{Answer, DEVELOPER, Model, Name, PROVIDERS, Revoked, SUBJECTS, Step, Tokens},
    random_store::{Flaky, failure},
};
use crate::{
    base::{Clock, Timestamp, rng::SeededRng},
    revocation::RevocationError,
    store::{identity::PoolRecord, sqlite::SqliteStore},
};

/// So many identities are kept at most: when there are more, they are deleted.
const IDENTITIES_MAX: usize = 12;

/// The real thing.
async fn run(fixture: &Fixture, pool: &Arc<PoolRecord>, step: &Step) -> Result<String> {
    let identities = &fixture.identities;
    let verified = |tokens: &Tokens| verified_at(&tokens.logins, Timestamp::from_millis(tokens.issued));
    match step {
        Step::GetId(tokens) => identities.find_or_make(pool, &verified(tokens)).await,
        Step::SpeakFor(id, tokens) => {
            identities.speak_for(pool.clone(), id, None, verified(tokens)).await.map(|resolved| resolved.id)
        }
        Step::Unlink(id, tokens, provider) => {
            identities.unlink_verified(pool, id, &verified(tokens), &[(*provider).to_owned()]).await
        }
        Step::MergeUsers(from, into) => {
            identities.merge_developer_identities(pool.account, &pool.id, DEVELOPER, (from, into)).await
        }
        Step::Delete(id) => match identities.delete(pool.account, std::slice::from_ref(id)).await.pop() {
            None => Ok(id.clone()),
            Some((_, NotDeleted::NotTheirs)) => Err(IdentityError::IdentityNotFound(id.clone())),
            Some((_, NotDeleted::Failed)) => Err(IdentityError::Store(failure())),
        },
        Step::Revoke(revoked) => {
            let disable_guests = *revoked == Revoked::Pool(true);
            let made = fixture.revocations.revoke(pool.account, revoked.scope(pool), disable_guests).await;
            made.map(|_| String::new()).map_err(of_operator)
        }
        Step::Restore(id) => {
            let restored = fixture.revocations.restore(pool.account, id).await;
            restored.map(|()| String::new()).map_err(of_operator)
        }
    }
}

fn of_operator(error: RevocationError) -> IdentityError {
    match error {
        RevocationError::IdentityNotFound(id) => IdentityError::IdentityNotFound(id),
        RevocationError::Store(cause) => IdentityError::Store(cause),
        RevocationError::Full => panic!("{error}"),
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
        Err(IdentityError::Revoked(_)) => Some(Err("revoked")),
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

    fn tokens(&self, now: i64) -> Tokens {
        let age = i64::try_from(self.below(TOKENS_AGE_MAX)).unwrap();
        Tokens { logins: self.logins(), issued: now - age }
    }

    fn logins(&self) -> Vec<Name> {
        let mut logins = BTreeMap::new();
        for _ in 0..[0, 1, 1, 1, 2, 3][self.below(6)] {
            logins.insert(*self.of(&["p", "q", "r", DEVELOPER]), *self.of(&SUBJECTS));
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
        match self.below(24) {
            0..=5 => Step::GetId(self.tokens(model.now)),
            6..=14 => Step::SpeakFor(id, self.tokens(model.now)),
            15 | 16 => Step::Unlink(id, self.tokens(model.now), self.word(&PROVIDERS)),
            17 | 18 => Step::MergeUsers(self.word(&SUBJECTS), self.word(&SUBJECTS)),
            19 => Step::Delete(id),
            20 | 21 if model.identities.contains_key(&id) => Step::Revoke(Revoked::Identity(id)),
            22 => Step::Revoke(match self.below(4) {
                0 => Revoked::Pool(self.below(2) == 0),
                1 => Revoked::Provider(DEVELOPER),
                _ => Revoked::Provider(self.word(&PROVIDERS)),
            }),
            _ => Step::Restore(id),
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

/// How much time passes from step to step: so little that no revocation ends by itself in a long history.
const TICK: Duration = Duration::from_millis(1);
/// How old tokens are at most, in milliseconds.
const TOKENS_AGE_MAX: usize = 30;
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
    let (dice, store) = (Dice(SeededRng::new(seed)), &fixture.store);
    let mut model = Model::default();
    // Where something is different, the seed and the step tell how to see it again.
    let mut counts = [0_usize; 4];
    for at in 0..steps {
        fixture.clock.advance(TICK);
        model.now = fixture.clock.now().millis();
        let step = dice.step(&model);
        let place = format!("seed {seed}, step {at}: {step:?}");
        let before = model.clone();
        match dice.below(8) {
            0 => {
                counts[0] += 1;
                flaky.fail_after(dice.below(6));
                let ended = answer(run(&fixture, &pool, &step).await);
                flaky.work();
                model = settle(before, &[(&step, ended)], store, &pool, &place).await;
            }
            1 => {
                counts[1] += 1;
                let ended = broken_off(run(&fixture, &pool, &step), dice.below(12)).await;
                store.settled().await;
                // As whoever follows the store does.
                fixture.revocations.refresh().await.unwrap();
                model = settle(before, &[(&step, ended.and_then(answer))], store, &pool, &place).await;
            }
            2 | 3 => {
                counts[2] += 1;
                let other = dice.step(&model);
                let (one, two) = tokio::join!(run(&fixture, &pool, &step), run(&fixture, &pool, &other));
                let ended = [(&step, answer(one)), (&other, answer(two))];
                model = settle(before, &ended, store, &pool, &format!("{place} and {other:?}")).await;
            }
            _ => {
                counts[3] += 1;
                let ended = answer(run(&fixture, &pool, &step).await);
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
    store: &SqliteStore,
    pool: &PoolRecord,
    place: &str,
) -> Model {
    let found = Model::read(store, pool, before.now).await;
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
