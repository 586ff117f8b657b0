//! Telling what a variation does from what a moment does. On `host` time goes on: the hour that a step writes down is another one in
//! another time zone, and also an hour later. Where such a difference could be either, the step is built with it and without it in
//! turn, one right after the other: what comes with it must then always be something else.

use super::ask::{Answer, Ask, Asker};
use super::lab::Came;
use super::noise::sorted;
use super::select::{Set, name};
use crate::args::MachineName;
use std::collections::{BTreeMap, BTreeSet};

/// So many times in turn. If a coin decided what a step makes, one of 256 would be taken for a difference.
const TURNS: usize = 4;

/// What building in turn told of sets, by name: whether each makes a difference; nothing where that could not be told.
pub type Verdicts = BTreeMap<String, Option<bool>>;

impl Asker<'_> {
    /// What is asked to know it; nothing where a moment makes no difference, or the set needs a boot of its own.
    pub(super) fn in_turn(&self, subject: usize, set: &Set) -> Vec<Ask> {
        if self.lab.args.machine != MachineName::Host || set.iter().any(|one| one.alteration().is_some()) {
            return vec![];
        }
        let without = Ask { beside: true, ..self.control(subject) };
        let with = Ask { set: set.clone(), ..without.clone() };
        let turns = (0..TURNS).flat_map(|_| [with.clone(), without.clone()]);
        [without.clone()].into_iter().chain(turns).collect()
    }

    /// What building in turn tells.
    pub(super) fn verdicts(&self, answers: &[(Ask, Answer)]) -> Verdicts {
        let sets = answers.iter().filter(|(ask, _)| !ask.set.is_empty());
        let sets: BTreeSet<String> = sets.map(|(ask, _)| name(&ask.set)).collect();
        let verdict = |set: &String| {
            // All of one set stand together, between those without it.
            let turns: Vec<_> = answers.windows(3).filter(|turn| name(&turn[1].0.set) == *set).collect();
            let came = |at: usize| turns.iter().map(move |turn| turn[at].1.as_ref().ok());
            let without: Vec<&Came> = came(0).take(1).chain(came(2)).collect::<Option<_>>()?;
            let with: Vec<&Came> = came(1).collect::<Option<_>>()?;
            is_other(&without, &with).or_else(|| {
                let bytes =
                    |all: &[&Came]| all.iter().map(|came| self.bytes(came)).collect::<Option<Vec<_>>>();
                has_places(&bytes(&without)?, &bytes(&with)?).then_some(true)
            })
        };
        sets.iter().map(|set| (set.clone(), verdict(set))).collect()
    }

    /// All that a step made.
    fn bytes(&self, came: &Came) -> Option<Vec<u8>> {
        let outputs = came.outputs()?.values().map(|sha256| self.lab.scratch.bytes(sha256));
        Some(outputs.collect::<Option<Vec<_>>>()?.concat())
    }
}

/// Whether the second differ from the first: no if one of them is the same as any of the first; yes if the first are all the
/// same, but that their time may have gone on once. Else it can't be told so.
fn is_other(without: &[&Came], with: &[&Came]) -> Option<bool> {
    if without.iter().any(|came| matches!(came, Came::Failed(_))) {
        return None;
    }
    if with.iter().any(|came| without.contains(came)) {
        return Some(false);
    }
    let changes = without.windows(2).filter(|pair| pair[0] != pair[1]).count();
    (changes <= 1).then_some(true)
}

/// Whether some place is the same in all of the first, and the same in all of the second, but not that of the first. Where the
/// same words come in another order by themselves, places tell nothing.
fn has_places(without: &[Vec<u8>], with: &[Vec<u8>]) -> bool {
    let first = &without[0];
    if without.iter().chain(with).any(|one| one.len() != first.len()) || reordered(without) {
        return false;
    }
    (0..first.len()).any(|at| {
        let stays = |all: &[Vec<u8>]| all.iter().all(|one| one[at] == all[0][at]);
        with[0][at] != first[at] && stays(without) && stays(with)
    })
}

/// Whether two that differ have the same words.
fn reordered(all: &[Vec<u8>]) -> bool {
    all.windows(2).any(|pair| pair[0] != pair[1] && sorted(&pair[0]) == sorted(&pair[1]))
}

#[cfg(test)]
mod tests {
    use super::super::lab::Built;
    use super::*;

    /// What came of asking in turn, by the first letter of what was made.
    fn in_turn(made: &str) -> Option<bool> {
        let came = |letter: char| {
            let outputs = [("out".to_owned(), letter.to_string())].into();
            Came::Built(Built { outputs, references: Default::default(), milliseconds: 0 })
        };
        let came: Vec<Came> = made.chars().map(came).collect();
        let every_second = |from: usize| came.iter().skip(from).step_by(2).collect::<Vec<_>>();
        is_other(&every_second(0), &every_second(1))
    }

    #[test]
    fn only_what_differs_in_every_turn_counts() {
        assert_eq!(in_turn("abababaca"), Some(true));
        assert_eq!(in_turn("aaaaaaaaa"), Some(false));
        // Time went on once, and what was varied did nothing;
        assert_eq!(in_turn("aaaaaabbb"), Some(false));
        assert_eq!(in_turn("ababababb"), Some(false));
        // or it did.
        assert_eq!(in_turn("axaxaybyb"), Some(true));
        // What never comes again tells nothing.
        assert_eq!(in_turn("abcdefghi"), None);
    }

    #[test]
    fn what_stays_in_its_place_beside_noise_counts() {
        let places = |without: [&str; 3], with: [&str; 2]| {
            let bytes = |text: &&str| text.as_bytes().to_vec();
            has_places(
                &without.iter().map(bytes).collect::<Vec<_>>(),
                &with.iter().map(bytes).collect::<Vec<_>>(),
            )
        };
        assert!(places(["x01", "x17", "x23"], ["y45", "y36"]));
        assert!(!places(["x01", "x17", "x23"], ["x45", "x46"]));
        assert!(!places(["x01", "x17", "x23"], ["x455", "x466"]));
        // A race.
        assert!(!places(["a b c", "a c b", "a b c"], ["b a c", "b c a"]));
    }
}
