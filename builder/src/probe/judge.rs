//! What the answers mean: which variation is to blame, and which only moves what another one moves.

use super::ask::{Answer, Prober, Trial};
use super::noise::Noise;
use super::outcome::{BuildOutcome, Built};
use super::select::{Set, name};
use super::study::{Study, TrialResult};
use super::values::values;
use crate::args::MachineName;
use graphs::vary::{Carrier, PinnedEnv, varied};

/// What else moves a little with everything that takes time: when things happen;
const TIMING: [&str; 1] = ["scheduling"];
/// what moves a clock that is read, too;
const CLOCK: [&str; 2] = ["scheduling", "tick"];
/// and with everything that takes memory, such as a longer environment: where things lie, and what was there before.
const MEMORY: [&str; 6] =
    ["map-base", "heap-base", "stack-base", "layout", "stack-contents", "heap-contents"];
/// What takes no more memory than before: random numbers, which may be drawn from what lies in it too, and numbers as long as those
/// in whose place they are.
const AS_LARGE: [&str; 8] =
    ["random-numbers", "entropy", "date", "user-id", "group-id", "umask-002", "umask-077", "input-modes"];

/// What is known of a step beside its controls.
pub struct Evidence<'a> {
    /// Answers to what was asked of one set.
    pub answers: &'a [(Trial, Answer)],
    /// What is known of other sets, by name.
    pub others: &'a [(String, TrialResult)],
}

impl Prober<'_> {
    /// What is known of a step from the evidence.
    pub fn judge(
        &self,
        at: usize,
        (control, twin): (BuildOutcome, BuildOutcome),
        sets: &[Set],
        evidence: &Evidence<'_>,
    ) -> Study {
        let Evidence { answers, others } = evidence;
        let samples = self.samples(&control, &twin, answers);
        let strict = self.lab.args.machine != MachineName::Host;
        let mut study = Study {
            step: self.subjects[at].step.name.clone(),
            unsteady: strict && control != twin,
            noisy: !samples.is_empty(),
            control,
            cells: vec![],
            causes: vec![],
            inherits_from: None,
            samples: vec![],
            builds: answers.iter().filter(|(_, came)| came.is_ok()).count() + 2,
            notes: vec![],
        };
        for (ask, came) in answers.iter().filter(|(ask, _)| !ask.set.is_empty()) {
            let cell = match came {
                Err(why) => TrialResult::Not(why.clone()),
                Ok(came) => self.cell(at, &study.control, came, &samples, &ask.set),
            };
            if let (TrialResult::Differs, Ok(came)) = (&cell, came)
                && !study.causes.iter().any(|(set, ..)| name(set) == name(&ask.set))
            {
                study.causes.push((ask.set.clone(), came.clone(), ask.seed));
            }
            let name = name(&ask.set);
            match study.cells.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) if *known == TrialResult::Same => *known = cell,
                Some(_) => {}
                None => study.cells.push((name, cell)),
            }
        }
        for set in sets.iter().map(|set| name(set)) {
            let is_it = |(known, _): &&(String, TrialResult)| *known == set;
            if study.cells.iter().any(|known| is_it(&known)) {
                continue;
            }
            let cell = match (&study.control, others.iter().find(is_it)) {
                (BuildOutcome::Failed(_), _) => TrialResult::Not("it fails when nothing is varied".into()),
                (BuildOutcome::Built(_), Some((_, cell))) => cell.clone(),
                (BuildOutcome::Built(_), None) => TrialResult::Needless,
            };
            study.cells.push((set, cell));
        }
        self.consequences(at, &mut study, &samples);
        study.samples = samples;
        study
    }

    /// What a step makes when nothing is varied but the moment, if that is not always the same.
    pub(super) fn samples(
        &self,
        control: &BuildOutcome,
        twin: &BuildOutcome,
        answers: &[(Trial, Answer)],
    ) -> Vec<BuildOutcome> {
        let of = |is_it: &dyn Fn(&Set) -> bool| {
            let answers = answers.iter().filter(|(ask, _)| is_it(&ask.set));
            answers.filter_map(|(_, came)| came.clone().ok()).collect::<Vec<_>>()
        };
        let mut samples = of(&|set| set.is_empty());
        samples.push(twin.clone());
        if samples.iter().all(|sample| sample == control) {
            return vec![];
        }
        samples.extend(of(&|set| !set.is_empty() && set.iter().all(|one| TIMING.contains(&one.name))));
        samples
    }

    /// What a set does to a step, by what is known of noise: what came when nothing was varied.
    pub(super) fn cell(
        &self,
        at: usize,
        control: &BuildOutcome,
        came: &BuildOutcome,
        noise: &[BuildOutcome],
        set: &Set,
    ) -> TrialResult {
        let follows = || self.is_noise(control, came, noise) && !self.stands(at, control, came, set);
        match (control, came) {
            (BuildOutcome::Failed(_), _) => TrialResult::Not("it fails when nothing is varied".into()),
            (_, BuildOutcome::Failed(reason)) => TrialResult::Failed(reason.clone()),
            _ if control == came => TrialResult::Same,
            _ if !self.is_exact(set) && !noise.is_empty() && follows() => {
                TrialResult::Follows("scheduling".into())
            }
            _ => TrialResult::Differs,
        }
    }

    /// Whether what a set does to a step is no noise: it changes when things happen, or the clock itself where nothing but the plan moves it.
    fn is_exact(&self, set: &Set) -> bool {
        let exact = self.lab.args.machine == MachineName::Native;
        is_timing(set) || exact && set.iter().any(|variation| CLOCK.contains(&variation.name))
    }

    /// The noise of an output that differs, if its bytes were kept.
    fn noise(&self, output: &str, control: &BuildOutcome, noise: &[BuildOutcome]) -> Option<Noise> {
        let bytes = |came: &BuildOutcome| self.lab.scratch.bytes(*came.outputs()?.get(output)?);
        Some(Noise::new(bytes(control)?, noise.iter().filter_map(bytes).collect()))
    }

    fn is_noise(&self, control: &BuildOutcome, came: &BuildOutcome, noise: &[BuildOutcome]) -> bool {
        let (Some(before), Some(after)) = (control.outputs(), came.outputs()) else { return false };
        before.iter().filter(|(output, sha256)| after.get(*output) != Some(sha256)).all(|(output, _)| {
            let other = after.get(output).and_then(|sha256| self.lab.scratch.bytes(*sha256));
            self.noise(output, control, noise).zip(other).is_some_and(|(noise, other)| noise.explains(&other))
        })
    }

    /// Whether a value that the set changes stands in an output, where without it it does not.
    pub(super) fn stands(&self, at: usize, control: &BuildOutcome, came: &BuildOutcome, set: &Set) -> bool {
        let subject = &self.subjects[at];
        let own = PinnedEnv { env: &subject.own };
        let (Some(before), Some(after)) = (control.outputs(), came.outputs()) else { return false };
        let Some(step) = varied(&subject.step, set, &own, 0, Carrier::Shim) else { return false };
        let values = values(&subject.step, &step, set);
        before.iter().any(|(output, sha256)| {
            let other = after.get(output).and_then(|sha256| self.lab.scratch.bytes(*sha256));
            let both = self.lab.scratch.bytes(*sha256).zip(other);
            both.is_some_and(|(one, other)| values.iter().any(|value| value.appears(&one, &other)))
        })
    }

    /// Takes away the blame for what follows from something else that is to blame.
    fn consequences(&self, at: usize, study: &mut Study, noise: &[BuildOutcome]) {
        self.known_consequences(study, noise);
        for (set, came, _) in study.causes.clone() {
            let [one] = set[..] else { continue };
            if TIMING.contains(&one.name) || self.stands(at, &study.control, &came, &set) {
                continue;
            }
            let takes_none = MEMORY.contains(&one.name) || AS_LARGE.contains(&one.name);
            let memory: &[&str] = if takes_none { &[] } else { &MEMORY };
            let moved = TIMING.iter().chain(memory).find(|chance| {
                cause(study, chance).is_some_and(|sample| self.is_noise(&study.control, &came, &[sample]))
            });
            if let Some(chance) = moved {
                yield_to(study, one.name, chance);
            }
        }
        // A set that does what one thing alone does may do it by the time or the memory that it takes.
        for (set, came, _) in study.causes.clone().iter().filter(|(set, ..)| set.len() > 1) {
            let is_it =
                |sample: &BuildOutcome| self.is_noise(&study.control, came, std::slice::from_ref(sample));
            let alone = study.causes.iter().find(|(one, sample, _)| one.len() == 1 && is_it(sample));
            if let Some(alone) = alone.map(|(one, ..)| name(one)) {
                yield_to(study, &name(set), &alone);
            }
        }
    }

    /// Causes that are known to bring others along.
    fn known_consequences(&self, study: &mut Study, noise: &[BuildOutcome]) {
        let mut follows: Vec<(&str, &str)> = Vec::new();
        if cause(study, "environment").is_some() && cause(study, "heap-contents").is_some() {
            follows.push(("heap-contents", "environment"));
        }
        // A locale that is not there becomes C.
        if cause(study, "locale").is_some() && cause(study, "locale") == cause(study, "encoding") {
            follows.push(("locale", "encoding"));
        }
        // Where passwd is read for a name, its absence shows too.
        for name in ["user-name", "user-id", "group-id", "home", "host-name"] {
            if cause(study, "undeclared-files").is_some() && cause(study, name).is_some() {
                follows.push(("undeclared-files", name));
            }
        }
        // A clock that is read moves a little with everything that takes time.
        if let Some(BuildOutcome::Built(later)) = cause(study, "date") {
            let timing = CLOCK.map(|name| (name, cause(study, name)));
            let mut samples: Vec<BuildOutcome> = timing.iter().filter_map(|(_, came)| came.clone()).collect();
            samples.extend_from_slice(noise);
            let inside = self.lies_in(&study.control, &later, &samples);
            if inside && !samples.is_empty() {
                follows.extend(["scheduling", "tick", "entropy"].map(|name| (name, "date")));
            }
        }
        // Who looks at a clock sees another time after others were let run before.
        if self.lab.args.machine == MachineName::Native
            && let (Some(BuildOutcome::Built(later)), Some(held)) =
                (cause(study, "tick"), cause(study, "scheduling"))
            && self.lies_in(&study.control, &later, &[held])
        {
            follows.push(("scheduling", "tick"));
        }
        for (what, from) in follows {
            yield_to(study, what, from);
        }
    }

    /// Whether all that differs in samples differs in `later` too.
    fn lies_in(&self, control: &BuildOutcome, later: &Built, samples: &[BuildOutcome]) -> bool {
        control.outputs().into_iter().flatten().all(|(output, _)| {
            let later = later.outputs.get(output).and_then(|sha256| self.lab.scratch.bytes(*sha256));
            let noise = self.noise(output, control, samples);
            noise.zip(later).is_some_and(|(noise, later)| noise.lies_in(&later))
        })
    }
}

/// What came of the variation of this name alone, if it is a cause.
fn cause(study: &Study, name: &str) -> Option<BuildOutcome> {
    let alone = study.causes.iter().find(|(set, ..)| set.len() == 1 && set[0].name == name);
    alone.map(|(_, came, _)| came.clone())
}

fn yield_to(study: &mut Study, what: &str, from: &str) {
    study.causes.retain(|(set, ..)| name(set) != what);
    let cells = study.cells.iter_mut().filter(|(name, cell)| name == what && *cell == TrialResult::Differs);
    cells.for_each(|(_, cell)| *cell = TrialResult::Follows(from.to_owned()));
}

pub(super) fn is_timing(set: &Set) -> bool {
    set.iter().any(|variation| TIMING.contains(&variation.name))
}
