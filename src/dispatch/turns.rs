//! Who makes a sandbox now, and who next.
//!
//! Making one computes for tens of milliseconds, so only a few are made at once. A function that wants many must not keep
//! another from its first, and neither must a caller of many functions: functions that wait, and callers, take turns
//! ([`super::shares`]), and one of the few is left to others for as long as one function has the rest. Sandboxes that nobody
//! waits for are made when nobody waits.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::shares::FairLine;
use crate::quota::Share;

/// Makes turns.
#[derive(Debug)]
pub(super) struct Turns {
    state: Mutex<State>,
    /// Sandboxes made at once.
    at_once: usize,
    /// Of one function.
    each_max: usize,
    /// Starts that wait, beside the first of each function for each caller.
    waiting_max: usize,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    waiting: usize,
    /// How many turns each function has now.
    of: HashMap<Arc<str>, usize>,
    /// Starts that wait, with their functions; function and caller pay.
    line: FairLine<(Arc<str>, oneshot::Sender<Turn>), 2>,
    /// Those for nobody.
    spare: VecDeque<oneshot::Sender<Turn>>,
}

/// Leave to make one sandbox, until dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    function: Option<Arc<str>>,
}

/// Too many starts wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Busy;

impl Turns {
    /// `at_once` sandboxes are made at the same time, and about `waiting_max` starts wait.
    pub(super) fn new(at_once: usize, waiting_max: usize) -> Arc<Self> {
        let at_once = at_once.max(1);
        Arc::new(Self {
            state: Mutex::default(),
            at_once,
            each_max: (at_once - 1).max(1),
            waiting_max,
            hasher: RandomState::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are taken now.
    pub(super) fn taken(&self) -> usize {
        self.lock().taken
    }

    /// Waits for a turn of the function with this name, which a call of this share waits for, or for one that is for nobody yet.
    pub(super) async fn take(self: &Arc<Self>, wanted: Option<(&Arc<str>, Share)>) -> Result<Turn, Busy> {
        let (sender, turn) = oneshot::channel();
        self.join(wanted, sender)?;
        self.give();
        // The sender is dropped only with the line.
        turn.await.map_err(|_| Busy)
    }

    fn join(&self, wanted: Option<(&Arc<str>, Share)>, sender: oneshot::Sender<Turn>) -> Result<(), Busy> {
        let mut state = self.lock();
        let is_full = state.waiting >= self.waiting_max;
        match wanted {
            None if is_full => return Err(Busy),
            None => state.spare.push_back(sender),
            Some((function, share)) => {
                let payers = [self.hasher.hash_one(function), share.number()];
                if is_full && payers.iter().any(|payer| state.line.places_of(*payer) > 0) {
                    return Err(Busy);
                }
                state.line.push(payers, (function.clone(), sender));
            }
        }
        state.waiting += 1;
        Ok(())
    }

    /// Gives away what turns there are.
    fn give(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            let Some((function, sender)) = self.next(&mut state) else { return };
            state.taken += 1;
            if let Some(function) = &function {
                *state.of.entry(function.clone()).or_default() += 1;
            }
            drop(state);
            // Who has left gives it back at once.
            drop(sender.send(Turn { turns: self.clone(), function }));
        }
    }

    fn next(&self, state: &mut State) -> Option<(Option<Arc<str>>, oneshot::Sender<Turn>)> {
        if state.taken >= self.at_once {
            return None;
        }
        let State { of, line, .. } = state;
        let may = |(function, _): &(Arc<str>, _)| of.get(function).is_none_or(|taken| *taken < self.each_max);
        if let Some((function, sender)) = line.pop_if(may) {
            state.waiting -= 1;
            return Some((Some(function), sender));
        }
        if !line.is_empty() {
            return None;
        }
        let sender = state.spare.pop_front()?;
        state.waiting -= 1;
        Some((None, sender))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        state.taken -= 1;
        if let Some(function) = &self.function
            && let Some(taken) = state.of.get_mut(function)
        {
            *taken -= 1;
            if *taken == 0 {
                state.of.remove(function);
            }
        }
        drop(state);
        self.turns.give();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::{FutureExt, future::poll_immediate};

    use super::*;

    type Taking = Pin<Box<dyn Future<Output = Result<Turn, Busy>> + Send>>;

    /// Asks for a turn, each function for a caller of its own; it has it at once, or waits.
    async fn ask(turns: &Arc<Turns>, function: Option<&'static str>) -> Result<Turn, Taking> {
        let caller = function.map_or(0, |name| name.bytes().map(u64::from).sum());
        ask_for(turns, function, caller).await
    }

    async fn ask_for(
        turns: &Arc<Turns>,
        function: Option<&'static str>,
        caller: u64,
    ) -> Result<Turn, Taking> {
        let turns = turns.clone();
        let mut taking = async move {
            let name = function.map(Arc::from);
            turns.take(name.as_ref().map(|name| (name, Share::numbered(caller)))).await
        }
        .boxed();
        match poll_immediate(&mut taking).await {
            Some(turn) => Ok(turn.unwrap()),
            None => Err(taking),
        }
    }

    async fn has(taking: &mut Taking) -> Option<Turn> {
        poll_immediate(taking).await.map(Result::unwrap)
    }

    #[tokio::test]
    async fn one_function_leaves_a_turn_to_others() {
        let turns = Turns::new(3, 100);
        let first = ask(&turns, Some("storm")).await.ok().unwrap();
        let _second = ask(&turns, Some("storm")).await.ok().unwrap();
        let mut third = ask(&turns, Some("storm")).await.unwrap_err();
        // Nobody's sandbox waits although there is a turn: somebody waits for one.
        let mut spare = ask(&turns, None).await.unwrap_err();
        let other = ask(&turns, Some("other")).await.ok().unwrap();
        drop(first);
        let third = has(&mut third).await.unwrap();
        assert!(has(&mut spare).await.is_none(), "all turns are taken");
        drop(third);
        assert!(has(&mut spare).await.is_some());
        drop(other);
        assert_eq!(turns.lock().waiting, 0);
    }

    #[tokio::test]
    async fn functions_take_turns() {
        let turns = Turns::new(1, 100);
        let running = ask(&turns, Some("storm")).await.ok().unwrap();
        let mut storm = Vec::new();
        for _ in 0..50 {
            storm.push(ask(&turns, Some("storm")).await.unwrap_err());
        }
        let mut one = ask(&turns, Some("one")).await.unwrap_err();
        let mut two = ask(&turns, Some("two")).await.unwrap_err();
        drop(running);
        // It was first in line; after it comes everybody else, before its next.
        drop(has(&mut storm[0]).await.unwrap());
        drop(has(&mut one).await.unwrap());
        drop(has(&mut two).await.unwrap());
        drop(has(&mut storm[1]).await.unwrap());
    }

    #[tokio::test]
    async fn callers_take_turns_whatever_functions_they_call() {
        let turns = Turns::new(1, 100);
        let running = ask(&turns, Some("running")).await.ok().unwrap();
        let mut flood = Vec::new();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            flood.push(ask_for(&turns, Some(name), 1).await.unwrap_err());
        }
        let mut one = ask_for(&turns, Some("one"), 2).await.unwrap_err();
        let mut two = ask_for(&turns, Some("two"), 3).await.unwrap_err();
        drop(running);
        drop(has(&mut flood[0]).await.unwrap());
        drop(has(&mut one).await.unwrap());
        drop(has(&mut two).await.unwrap());
        drop(has(&mut flood[1]).await.unwrap());
    }

    #[tokio::test]
    async fn who_has_left_is_passed_over_and_what_waits_is_bounded() {
        let turns = Turns::new(1, 2);
        let running = ask(&turns, Some("storm")).await.ok().unwrap();
        let left = ask(&turns, Some("storm")).await.unwrap_err();
        let mut stays = ask(&turns, Some("storm")).await.unwrap_err();
        assert_eq!(turns.take(Some((&"storm".into(), Share::numbered(1)))).await.unwrap_err(), Busy);
        // Neither is a caller with a start in line let in for another function.
        let same = "storm".bytes().map(u64::from).sum();
        let another = turns.take(Some((&"another".into(), Share::numbered(same)))).await;
        assert_eq!(another.unwrap_err(), Busy);
        assert_eq!(turns.take(None).await.unwrap_err(), Busy);
        // A function without a start in line is not kept out by those of others.
        let other = ask(&turns, Some("other")).await.unwrap_err();
        drop((left, other));
        drop(running);
        drop(has(&mut stays).await.unwrap());
        let state = turns.lock();
        assert_eq!((state.waiting, state.taken, state.of.len()), (0, 0, 0));
    }
}
