//! The searches of all steps, side by side: what they need next is asked in the same boots, round after round.

use super::ask::{Answer, Ask, Asker};
use super::beside::Verdicts;
use super::judge::{Told, is_timing};
use super::lab::Came;
use super::search::{Found, Oracle};
use super::select::{Set, name};
use super::study::{Cell, Study};
use crate::args::MachineName;
use crate::failure::Failure;
use graphs::vary::Variation;

/// Values are looked for in outputs of so many bytes, to know where to begin.
const SEARCHED: u64 = 32 << 20;

/// What must be asked before more is known.
struct Need(Vec<Ask>);

/// What was asked of a step, and is asked next.
struct Course {
    controls: (Came, Came),
    answers: Vec<(Ask, Answer)>,
    in_turn: Verdicts,
    next: Vec<Ask>,
    found: Option<Found<&'static Variation>>,
}

impl Course {
    fn known(&self, seed: u64, set: &[&'static Variation]) -> Option<&Answer> {
        let is_it = |(ask, _): &&(Ask, Answer)| ask.seed == seed && name(&ask.set) == name(set);
        self.answers.iter().find(is_it).map(|(_, answer)| answer)
    }
}

impl Asker<'_> {
    /// Studies of all steps.
    pub(super) fn rounds(&self, sets: &[Set], controls: Vec<(Came, Came)>) -> Result<Vec<Study>, Failure> {
        let course = |(subject, controls): (usize, (Came, Came))| {
            let fails = matches!(controls.0, Came::Failed(_));
            let next = if fails { vec![] } else { self.outset(subject, sets) };
            Course { controls, answers: vec![], in_turn: Default::default(), next, found: None }
        };
        let mut courses: Vec<Course> = controls.into_iter().enumerate().map(course).collect();
        for (subject, course) in courses.iter_mut().enumerate() {
            self.go_on(subject, sets, course);
        }
        while courses.iter().any(|course| !course.next.is_empty()) {
            let asks = courses.iter_mut().flat_map(|course| std::mem::take(&mut course.next)).collect();
            let answers = self.answer(self.grouped(asks), None)?;
            for (subject, (course, answers)) in courses.iter_mut().zip(answers).enumerate() {
                let (in_turn, answers): (Vec<_>, Vec<_>) =
                    answers.into_iter().partition(|(ask, _)| ask.beside);
                course.in_turn.extend(self.verdicts(&in_turn));
                course.answers.extend(answers);
                self.go_on(subject, sets, course);
            }
        }
        Ok(courses.into_iter().enumerate().map(|(subject, course)| self.end(subject, sets, course)).collect())
    }

    /// What is asked first: what no search asks, and the step as it is once more, after others.
    fn outset(&self, subject: usize, sets: &[Set]) -> Vec<Ask> {
        let searched = self.searched(subject, sets, false);
        let is_searched = |ask: &Ask| {
            ask.seed == self.lab.args.seed && matches!(ask.set[..], [one] if searched.contains(&one))
        };
        let alone = sets.iter().flat_map(|set| self.repeated(subject, set));
        alone.filter(|ask| !is_searched(ask)).chain([self.control(subject)]).collect()
    }

    /// What may be tried together with others. In a step that differs from moment to moment, what moves moments may not.
    fn searched(&self, subject: usize, sets: &[Set], noisy: bool) -> Vec<&'static Variation> {
        let is_had = |one: &&'static Variation| {
            let ask = Ask { set: vec![*one], ..self.control(subject) };
            self.step(0, &ask).is_ok() && !(noisy && is_timing(&ask.set))
        };
        let single = |set: &Set| if let [one] = set[..] { Some(one) } else { None };
        sets.iter().filter_map(single).filter(is_had).collect()
    }

    /// Takes a search as far as the answers reach.
    fn go_on(&self, subject: usize, sets: &[Set], course: &mut Course) {
        if matches!(course.controls.0, Came::Failed(_)) || course.found.is_some() {
            return;
        }
        let (control, twin) = &course.controls;
        let mut samples = self.samples(control, twin, &course.answers);
        if samples.is_empty() {
            // Whatever is varied moves what another schedule alone moves.
            let timed = course.answers.iter().filter(|(ask, _)| is_timing(&ask.set) && ask.set.len() == 1);
            let moved = timed.filter_map(|(_, answer)| answer.as_ref().ok()).filter(|came| *came != control);
            samples.extend(moved.cloned());
        }
        let known = |set: &[&'static Variation]| course.known(self.lab.args.seed, set);
        let need = |wanted: Vec<Ask>| if wanted.is_empty() { Ok(()) } else { Err(Need(wanted)) };
        let alone = |set: &Set| Ask { set: set.clone(), ..self.control(subject) };
        let ask = |wanted: &[Set]| {
            let (mut unknown, mut differs) = (Vec::new(), Vec::new());
            for set in wanted {
                let cell = match known(set) {
                    Some(Ok(came)) => self.cell(subject, control, came, (&samples, &course.in_turn), set),
                    // A machine that can't be had: whose fault it is must be found.
                    Some(Err(why)) => Cell::Failed(why.clone()),
                    None => {
                        unknown.push(alone(set));
                        continue;
                    }
                };
                // It may be the moment's difference.
                let is_open = !samples.is_empty() && matches!(cell, Cell::Differs | Cell::Follows(_));
                if is_open && !is_timing(set) && !course.in_turn.contains_key(&name(set)) {
                    unknown.extend(self.in_turn(subject, set));
                }
                differs.push(matches!(cell, Cell::Differs | Cell::Failed(_)));
            }
            need(unknown).map(|()| differs)
        };
        let likely = |observed: &[&'static Variation], now: &[&'static Variation]| match known(observed) {
            Some(Ok(came)) if self.lab.scratch.total(came) <= SEARCHED => {
                let stands = |one: &&&'static Variation| self.stands(subject, control, came, &vec![**one]);
                now.iter().filter(stands).copied().collect()
            }
            _ => vec![],
        };
        let noisy = !samples.is_empty();
        let excludes = |one: &&Variation, other: &&Variation| one.slot() == other.slot();
        // Each altered machine is a boot of its own.
        let dear = |one: &&Variation| one.alteration().is_some();
        let oracle = Oracle { ask: &ask, likely: &likely, excludes: &excludes, dear: &dear };
        let timing = sets.iter().filter(|set| noisy && is_timing(set) && known(set).is_none());
        let timing = timing.map(alone).collect();
        let found = need(timing).and_then(|()| oracle.search(&self.searched(subject, sets, noisy), !noisy));
        match found {
            Ok(found) => course.found = Some(found),
            Err(Need(asks)) => {
                // The step as it is comes last, after what else is asked; on the host in each round, as time goes on there.
                if self.lab.args.machine == MachineName::Host && course.next.is_empty() {
                    course.next.push(self.control(subject));
                }
                course.next.splice(0..0, asks);
            }
        }
    }

    /// What the answers mean.
    fn end(&self, subject: usize, sets: &[Set], mut course: Course) -> Study {
        let found = course.found.take().unwrap_or_default();
        let control = &course.controls.0;
        // As a set that it was tried in, which in a step that differs from moment to moment may by chance look like more.
        let without = found.without.iter().filter_map(|(one, set)| {
            let came = course.known(self.lab.args.seed, set)?.as_ref().ok()?;
            let cell = match came == control {
                true => Cell::Same,
                false => Cell::Follows("scheduling".into()),
            };
            Some((one.name.to_owned(), cell))
        });
        let without: Vec<_> = without.collect();
        let told: Vec<Set> = sets.iter().chain(&found.culprits).cloned().collect();
        let place = |ask: &Ask| told.iter().position(|set| name(set) == name(&ask.set));
        course.answers.retain(|(ask, _)| ask.set.is_empty() || place(ask).is_some());
        course.answers.sort_by_key(|(ask, _)| (place(ask), ask.seed));
        let told = Told { answers: &course.answers, others: &without, in_turn: &course.in_turn };
        self.judge(subject, course.controls, sets, &told)
    }
}
