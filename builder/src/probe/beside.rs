//! Telling what a variation does from what a moment does. On `host` time goes on: the hour that a step writes down is another one in
//! another time zone, and also an hour later. Where such a difference could be either, the step is built with it and without it in
//! turn, one right after the other: all without it must then be the same, and all with it something else.

use super::ask::{Answer, Ask, Asker};
use super::lab::Came;
use super::select::{Set, name};
use crate::args::MachineName;
use std::collections::BTreeSet;

/// So many times in turn. If a coin decided what a step makes, one of 256 would be taken for a difference.
const TURNS: usize = 4;

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
}

/// The names of the sets that were asked for in turn, and of those that made a difference then.
pub fn told(answers: &[(Ask, Answer)]) -> (BTreeSet<String>, BTreeSet<String>) {
    let sets = answers.iter().filter(|(ask, _)| !ask.set.is_empty());
    let asked: BTreeSet<String> = sets.map(|(ask, _)| name(&ask.set)).collect();
    // All of one set stand together, between those without it.
    let differs = |set: &String| {
        let turns: Vec<_> = answers.windows(3).filter(|turn| name(&turn[1].0.set) == *set).collect();
        let without = turns.iter().flat_map(|turn| [&turn[0].1, &turn[2].1]);
        is_other(without, turns.iter().map(|turn| &turn[1].1))
    };
    let other = asked.iter().filter(|set| differs(set)).cloned().collect();
    (asked, other)
}

/// Whether all of the first were built and are the same, and all of the second something else.
fn is_other<'a>(
    mut without: impl Iterator<Item = &'a Answer>,
    mut with: impl Iterator<Item = &'a Answer>,
) -> bool {
    let Some(usual @ Ok(Came::Built(_))) = without.next() else { return false };
    without.all(|came| came == usual) && with.all(|came| came.is_ok() && came != usual)
}

#[cfg(test)]
mod tests {
    use super::super::lab::Built;
    use super::*;

    /// What came of asking in turn, by the first letter of what was made.
    fn in_turn(made: &str) -> bool {
        let zone = graphs::vary::VARIATIONS.iter().find(|one| one.name == "time-zone").unwrap();
        let answer = |(at, letter): (usize, char)| {
            let set = if at % 2 == 1 { vec![zone] } else { vec![] };
            let ask = Ask { subject: 0, set, seed: 0, beside: true };
            let outputs = [("out".to_owned(), letter.to_string())].into();
            let built = Built { outputs, references: Default::default(), milliseconds: 0 };
            (ask, Ok(Came::Built(built)))
        };
        let (asked, other) = told(&made.chars().enumerate().map(answer).collect::<Vec<_>>());
        assert_eq!(asked, ["time-zone".to_owned()].into());
        other == asked
    }

    #[test]
    fn only_what_differs_in_every_turn_counts() {
        assert!(in_turn("abababaca"));
        assert!(!in_turn("aaaaaaaaa"));
        // It may have been the moment.
        assert!(!in_turn("ababababc"));
        assert!(!in_turn("cbababa"));
        assert!(!in_turn("abaaababa"));
    }
}
