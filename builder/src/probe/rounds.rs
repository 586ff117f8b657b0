//! The searches of all steps, side by side: what they need next is asked in the same boots, round after round.

use super::ask::{Answer, Prober, Trial};
use super::judge::{Evidence, is_timing};
use super::outcome::BuildOutcome;
use super::search::{Found, Oracle, Stop};
use super::select::{Set, name};
use super::study::{Study, TrialResult};
use crate::failure::Failure;
use graphs::vary::Variation;
use std::cell::RefCell;

/// Values are looked for in outputs of so many bytes, to know where to begin.
const SEARCHED: u64 = 32 << 20;
/// So many builds of a step at most, where no set and no more interleavings are asked for by name.
pub const LIMIT: usize = 60;
/// So many interleavings are in that.
const REPEATS: u64 = 3;
/// A step that differs by itself is built so many times more as it is.
const NOISE: usize = 3;
/// So much is left for building again what is to be reported: the step as it is, and causes that are found last.
const LEFT: usize = 3;

/// What was asked of a step, and is asked next.
struct SearchState {
    controls: (BuildOutcome, BuildOutcome),
    answers: Vec<(Trial, Answer)>,
    next: Vec<Trial>,
    builds: usize,
    found: Option<Found<&'static Variation>>,
}

impl SearchState {
    fn known(&self, seed: u64, set: &[&'static Variation]) -> Option<&Answer> {
        let is_it = |(ask, _): &&(Trial, Answer)| ask.seed == seed && name(&ask.set) == name(set);
        self.answers.iter().find(is_it).map(|(_, answer)| answer)
    }

    /// Causes so far, each of which is built once more.
    fn causes(&self) -> usize {
        let differs = |(ask, answer): &&(Trial, Answer)| {
            ask.set.len() == 1 && answer.as_ref().is_ok_and(|came| *came != self.controls.0)
        };
        self.answers.iter().filter(differs).count()
    }
}

impl Prober<'_> {
    /// Studies of all steps.
    pub(super) fn rounds(
        &self,
        sets: &[Set],
        controls: Vec<(BuildOutcome, BuildOutcome)>,
    ) -> Result<Vec<Study>, Failure> {
        let search = |(subject, controls): (usize, (BuildOutcome, BuildOutcome))| {
            let fails = matches!(controls.0, BuildOutcome::Failed(_));
            let next = if fails { vec![] } else { self.outset(subject, sets) };
            SearchState { controls, answers: vec![], next, builds: 2, found: None }
        };
        let mut searches: Vec<SearchState> = controls.into_iter().enumerate().map(search).collect();
        for (subject, search) in searches.iter_mut().enumerate() {
            self.go_on(subject, sets, search);
        }
        while searches.iter().any(|search| !search.next.is_empty()) {
            let next = |search: &mut SearchState| {
                // What can't be varied is not built.
                search.builds += search.next.iter().filter(|ask| self.step(0, ask).is_ok()).count();
                std::mem::take(&mut search.next)
            };
            let asks = searches.iter_mut().flat_map(next).collect();
            let answers = self.answer(self.grouped(asks), None)?;
            for (subject, (search, answers)) in searches.iter_mut().zip(answers).enumerate() {
                search.answers.extend(answers);
                self.go_on(subject, sets, search);
            }
        }
        Ok(searches
            .into_iter()
            .enumerate()
            .map(|(subject, search)| self.end(subject, sets, search))
            .collect())
    }

    /// Builds of a step at most.
    pub(super) fn limit(&self, sets: &[Set]) -> usize {
        let named = sets.iter().filter(|set| set.len() > 1).count();
        LIMIT + named + self.lab.args.repeat.saturating_sub(REPEATS) as usize
    }

    /// What is asked first: what no search asks, and the step as it is once more, after others.
    fn outset(&self, subject: usize, sets: &[Set]) -> Vec<Trial> {
        let searched = self.searched(subject, sets, false);
        let is_searched = |ask: &Trial| {
            ask.seed == self.lab.args.seed && matches!(ask.set[..], [one] if searched.contains(&one))
        };
        let alone = sets.iter().flat_map(|set| self.repeated(subject, set));
        let asks = alone.filter(|ask| !is_searched(ask));
        let after = (!self.is_replay(sets)).then(|| self.control(subject));
        asks.chain(after).collect()
    }

    /// What may be tried together with others. In a step that differs from moment to moment, what moves moments may not.
    fn searched(&self, subject: usize, sets: &[Set], noisy: bool) -> Vec<&'static Variation> {
        let is_had = |one: &&'static Variation| {
            let ask = Trial { set: vec![*one], ..self.control(subject) };
            self.step(0, &ask).is_ok() && !(noisy && is_timing(&ask.set))
        };
        let single = |set: &Set| if let [one] = set[..] { Some(one) } else { None };
        sets.iter().filter_map(single).filter(is_had).collect()
    }

    /// Takes a search as far as the answers reach.
    fn go_on(&self, subject: usize, sets: &[Set], search: &mut SearchState) {
        if matches!(search.controls.0, BuildOutcome::Failed(_))
            || search.found.is_some()
            || !search.next.is_empty()
        {
            return;
        }
        let (control, twin) = &search.controls;
        let mut samples = self.samples(control, twin, &search.answers);
        let noisy = !samples.is_empty();
        let alone = |set: &Set| Trial { set: set.clone(), ..self.control(subject) };
        if noisy {
            // How it differs by itself, before anything else is asked.
            let asked = search.answers.iter().filter(|(ask, _)| ask.set.is_empty()).count();
            let timing = sets.iter().filter(|set| set.len() == 1 && is_timing(set));
            let timing = timing.filter(|set| search.known(self.lab.args.seed, set).is_none()).map(alone);
            let more = (asked..=NOISE).map(|_| self.control(subject));
            let more: Vec<Trial> = timing.chain(more).collect();
            if !more.is_empty() {
                search.next = more;
                return;
            }
        } else {
            // Whatever is varied moves what another schedule alone moves.
            let timed = search.answers.iter().filter(|(ask, _)| is_timing(&ask.set) && ask.set.len() == 1);
            let moved = timed.filter_map(|(_, answer)| answer.as_ref().ok()).filter(|came| *came != control);
            samples.extend(moved.cloned());
        }
        let known = |set: &[&'static Variation]| search.known(self.lab.args.seed, set);
        let left = self.limit(sets).saturating_sub(search.builds + search.causes() + LEFT);
        let wanted: RefCell<Vec<Trial>> = RefCell::default();
        let ask = |asked: &[Set]| {
            let answer = |set: &Set| match known(set) {
                Some(Ok(came)) => {
                    let cell = self.cell(subject, control, came, &samples, set);
                    Some(matches!(cell, TrialResult::Differs | TrialResult::Failed(_)))
                }
                // A machine that can't be had: whose fault it is must be found.
                Some(Err(_)) => Some(true),
                None => {
                    let mut wanted = wanted.borrow_mut();
                    let may = wanted.len() < left;
                    may.then(|| wanted.push(alone(set))).map(|()| false)
                }
            };
            let answers = asked.iter().map(answer).collect();
            if wanted.borrow().is_empty() { Ok(answers) } else { Err(Stop::Need) }
        };
        let likely = |observed: &[&'static Variation], now: &[&'static Variation]| match known(observed) {
            Some(Ok(came)) if self.lab.scratch.total(came) <= SEARCHED => {
                let stands = |one: &&&'static Variation| self.stands(subject, control, came, &vec![**one]);
                now.iter().filter(stands).copied().collect()
            }
            _ => vec![],
        };
        let excludes = |one: &&Variation, other: &&Variation| one.slot() == other.slot();
        // Each altered machine is a boot of its own.
        let dear = |one: &&Variation| one.alteration().is_some();
        let hides = |one: &&Variation| one.hides();
        let oracle = Oracle { ask: &ask, likely: &likely, excludes: &excludes, dear: &dear, hides: &hides };
        match oracle.search(&self.searched(subject, sets, noisy), !noisy) {
            Ok(found) => search.found = Some(found),
            Err(_) => search.next = wanted.into_inner(),
        }
    }

    /// What the answers mean.
    fn end(&self, subject: usize, sets: &[Set], mut search: SearchState) -> Study {
        let found = search.found.take().unwrap_or_default();
        let control = &search.controls.0;
        // As a set that it was tried in, which in a step that differs from moment to moment may by chance look like more.
        let without = found.without.iter().filter_map(|(one, set)| {
            let came = search.known(self.lab.args.seed, set)?.as_ref().ok()?;
            let cell = match came == control {
                true => TrialResult::Same,
                false => TrialResult::Follows("scheduling".into()),
            };
            Some((one.name.to_owned(), cell))
        });
        let mut without: Vec<_> = without.collect();
        let cut = format!("not tried: {} builds of a step are the limit", self.limit(sets));
        without.extend(found.open.iter().map(|one| (one.name.to_owned(), TrialResult::Not(cut.clone()))));
        let known: Vec<Set> = sets.iter().chain(&found.culprits).cloned().collect();
        let place = |ask: &Trial| known.iter().position(|set| name(set) == name(&ask.set));
        search.answers.retain(|(ask, _)| ask.set.is_empty() || place(ask).is_some());
        search.answers.sort_by_key(|(ask, _)| (place(ask), ask.seed));
        let evidence = Evidence { answers: &search.answers, others: &without };
        let mut study = self.judge(subject, search.controls, sets, &evidence);
        study.builds = search.builds;
        if found.cut {
            study.notes.push(format!(
                "the search was cut short: {} builds of a step are the limit",
                self.limit(sets)
            ));
        }
        study
    }
}
