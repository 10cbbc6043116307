//! A line in which whoever has many places moves on no faster than whoever has one.
//!
//! Each place is in a round, and rounds are served one after the other; within a round, first come, first served. Who joins
//! comes into the round after the one that is being served, or after the last one that they have a place in: of one payer there
//! is at most one place in a round, and each place moves back by at most one place of any other payer for each place that its
//! own payer has before it, itself included, and one more for the round that is being served. A place may have several payers,
//! and is in the round that suits them all.

use std::collections::{HashMap, VecDeque};

/// The line; each place in it has `N` payers.
#[derive(Debug)]
pub(super) struct FairLine<T, const N: usize> {
    /// In the order of rounds.
    places: VecDeque<Place<T, N>>,
    /// Those who have places.
    payers: HashMap<u64, Payer>,
    /// The round that is being served.
    round: u64,
}

#[derive(Debug)]
struct Place<T, const N: usize> {
    round: u64,
    payers: [u64; N],
    item: T,
}

#[derive(Clone, Copy, Debug, Default)]
struct Payer {
    /// The last round that it has a place in.
    last: u64,
    places: usize,
}

impl<T, const N: usize> Default for FairLine<T, N> {
    fn default() -> Self {
        Self { places: VecDeque::new(), payers: HashMap::new(), round: 0 }
    }
}

impl<T, const N: usize> FairLine<T, N> {
    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The next to be served.
    pub(super) fn front(&self) -> Option<&T> {
        self.places.front().map(|place| &place.item)
    }

    /// Who pays for the next to be served.
    pub(super) fn front_payers(&self) -> Option<[u64; N]> {
        self.places.front().map(|place| place.payers)
    }

    /// The places of a payer.
    pub(super) fn places_of(&self, payer: u64) -> usize {
        self.payers.get(&payer).map_or(0, |payer| payer.places)
    }

    /// Joins the line.
    pub(super) fn push(&mut self, payers: [u64; N], item: T) {
        let last = payers.iter().filter_map(|payer| self.payers.get(payer)).map(|payer| payer.last).max();
        let round = last.unwrap_or_default().max(self.round) + 1;
        for payer in payers {
            let payer = self.payers.entry(payer).or_default();
            payer.last = round;
            payer.places += 1;
        }
        // Most join at one of the ends, where this is short.
        let at = self.places.partition_point(|place| place.round <= round);
        self.places.insert(at, Place { round, payers, item });
    }

    /// Takes the next.
    pub(super) fn pop_front(&mut self) -> Option<T> {
        self.pop_if(|_| true)
    }

    /// Takes the next of those that may be served now.
    pub(super) fn pop_if(&mut self, may: impl Fn(&T) -> bool) -> Option<T> {
        let at = self.places.iter().position(|place| may(&place.item))?;
        let place = self.places.remove(at)?;
        self.round = self.round.max(place.round);
        self.forget(place.payers);
        Some(place.item)
    }

    /// Makes room for a payer in a line that is full: who has most places loses the last one, unless that would leave them with
    /// fewer than the payer would have then.
    pub(super) fn push_out(&mut self, payer: u64) -> Option<T> {
        let own = self.places_of(payer);
        let (longest, most) = self
            .payers
            .iter()
            .map(|(number, payer)| (*number, payer.places))
            .max_by_key(|(_, most)| *most)?;
        if most <= own + 1 {
            return None;
        }
        let at = self.places.iter().rposition(|place| place.payers.contains(&longest))?;
        let place = self.places.remove(at)?;
        self.forget(place.payers);
        Some(place.item)
    }

    /// Drops the places that are not to stay.
    pub(super) fn retain(&mut self, stays: impl Fn(&T) -> bool) {
        let mut gone = Vec::new();
        self.places.retain(|place| {
            let stays = stays(&place.item);
            if !stays {
                gone.push(place.payers);
            }
            stays
        });
        gone.into_iter().for_each(|payers| self.forget(payers));
    }

    fn forget(&mut self, payers: [u64; N]) {
        for number in payers {
            if let Some(payer) = self.payers.get_mut(&number) {
                payer.places -= 1;
                if payer.places == 0 {
                    self.payers.remove(&number);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_place_each_is_first_come_first_served() {
        let mut line = FairLine::default();
        for number in 0..5_u64 {
            line.push([number], number);
        }
        assert_eq!((line.len(), line.front(), line.front_payers()), (5, Some(&0), Some([0])));
        assert_eq!(line.pop_front(), Some(0));
        line.push([0], 5);
        assert_eq!(std::iter::from_fn(|| line.pop_front()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert!(line.is_empty() && line.payers.is_empty());
    }

    #[test]
    fn who_has_many_places_takes_turns_with_who_has_one() {
        let mut line = FairLine::default();
        for number in 0..100 {
            line.push([7], ("many", number));
        }
        for number in 0..3 {
            line.push([8], ("few", number));
        }
        let order: Vec<_> = std::iter::from_fn(|| line.pop_front()).take(7).collect();
        assert_eq!(
            order,
            [("many", 0), ("few", 0), ("many", 1), ("few", 1), ("many", 2), ("few", 2), ("many", 3)]
        );
    }

    #[test]
    fn each_of_several_payers_counts() {
        let mut line = FairLine::default();
        // One caller of many functions, and many callers of one function.
        for number in 0..10 {
            line.push([1, 100 + number], "caller");
            line.push([200 + number, 2], "function");
        }
        line.push([3, 4], "other");
        let order: Vec<_> = std::iter::from_fn(|| line.pop_front()).take(4).collect();
        assert_eq!(order, ["caller", "function", "other", "caller"]);
    }

    #[test]
    fn a_full_line_makes_room_at_the_cost_of_whoever_has_most() {
        let mut line = FairLine::default();
        for number in 0..5 {
            line.push([1], number);
        }
        line.push([2], 10);
        // Who has most is not let in once more, whoever else may.
        assert_eq!(line.push_out(1), None);
        assert_eq!(line.push_out(3), Some(4));
        assert_eq!(line.push_out(2), Some(3));
        line.push([2], 11);
        assert_eq!((line.places_of(1), line.places_of(2)), (3, 2));
        assert_eq!(line.push_out(2), None, "three and two are fair");
        line.retain(|number| *number >= 10);
        assert_eq!((line.len(), line.places_of(1), line.places_of(2)), (2, 0, 2));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Joins(u64),
        Serves,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![(1..20_u64).prop_map(Step::Joins), Just(Step::Serves)]
    }

    /// Serves these steps, in which others join and the line moves on; with a flood, one payer more has always a hundred places
    /// in it. Says for each call of the others how many were served between it and its turn, of the flood's and of the
    /// others', and how many places its own payer had when it came, its own included.
    fn simulate(steps: &[Step], flood: bool) -> Vec<(usize, usize, usize)> {
        let (mut line, mut served) = (FairLine::default(), [0_usize; 2]);
        let mut waited = vec![None; steps.len()];
        let mut serve = |line: &mut FairLine<_, 1>| match line.pop_front() {
            Some(None) => served[0] += 1,
            Some(Some((call, own, before))) => {
                let [floods, others]: [usize; 2] = before;
                let call: usize = call;
                waited[call] = Some((served[0] - floods, served[1] - others, own));
                served[1] += 1;
            }
            None => {}
        };
        let mut counts = [0_usize; 2];
        for (call, step) in steps.iter().enumerate() {
            while flood && line.places_of(0) < 100 {
                line.push([0], None);
            }
            match step {
                Step::Joins(payer) => {
                    line.push([*payer], Some((call, line.places_of(*payer) + 1, counts)));
                }
                Step::Serves => {
                    match line.front() {
                        Some(None) => counts[0] += 1,
                        Some(Some(_)) => counts[1] += 1,
                        None => {}
                    }
                    serve(&mut line);
                }
            }
        }
        while !line.is_empty() {
            serve(&mut line);
        }
        waited.into_iter().flatten().collect()
    }

    proptest! {
        /// The bound that docs/limits.md states: with a hundred times its share one payer moves every call of the others back by at
        /// most as many places as that caller has in line itself, and one.
        #[test]
        fn a_flood_moves_the_others_back_by_a_bounded_number_of_places(
            steps in prop::collection::vec(step(), 0..400),
        ) {
            for (of_flood, _, own) in simulate(&steps, true) {
                prop_assert!(of_flood <= own + 1, "{of_flood} places for {own} of its own");
            }
            // Without it everybody gets the same calls served, in the order in which they would be.
            for (of_flood, _, _) in simulate(&steps, false) {
                prop_assert_eq!(of_flood, 0);
            }
        }

        #[test]
        fn nobody_is_lost_and_counts_are_right(steps in prop::collection::vec(step(), 0..400)) {
            let calls = steps.iter().filter(|step| matches!(step, Step::Joins(_))).count();
            prop_assert_eq!(simulate(&steps, true).len(), calls);
        }
    }
}
