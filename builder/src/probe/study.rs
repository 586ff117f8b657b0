//! What is asked of the lab, and what its answers mean.

use super::lab::{Came, Lab};
use super::minimal::minimal;
use super::noise::Noise;
use super::select::{Set, name};
use crate::args::MachineName;
use crate::failure::Failure;
use crate::lane;
use crate::lanes::{Room, side_by_side};
use graphs::plan::Step;
use graphs::vary::{Alteration, Change, Own, Variation, varied};
use std::collections::{BTreeMap, BTreeSet};

/// A step that is probed.
pub struct Subject {
    /// As the plan has it.
    pub step: Step,
    /// Variables that its derivation sets.
    pub own: BTreeSet<String>,
}

/// What a set of variations did to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The same outputs.
    Same,
    /// Others.
    Differs,
    /// None, for this reason.
    Failed(String),
    /// Others, but that follows from something else.
    Follows(String),
    /// It could not be varied here, for this reason.
    Not(String),
}

/// What is known of a step.
pub struct Study {
    /// Its name.
    pub step: String,
    /// The subjects of what it is called and of its key.
    pub key: String,
    /// What it makes when nothing is varied.
    pub control: Came,
    /// Whether two boots of one image made something else: the machine is at fault.
    pub unsteady: bool,
    /// Whether it differs from moment to moment.
    pub noisy: bool,
    /// What each set did, by its name, in the order asked.
    pub cells: Vec<(String, Cell)>,
    /// Each smallest set that makes it differ, with what it then makes, and the seed.
    pub causes: Vec<(Set, Came, u64)>,
    /// The step whose differing outputs change this one's, if any does.
    pub heir: Option<String>,
}

/// One build in a boot.
#[derive(Clone)]
struct Ask {
    subject: usize,
    set: Set,
    seed: u64,
    /// Whether it is everything at once, which is asked to know whether more has to be.
    whole: bool,
}

/// Studies of all subjects. `say` is told what is being varied.
pub fn study(
    lab: &Lab<'_>,
    subjects: &[Subject],
    sets: &[Set],
    say: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Study>, Failure> {
    Asker { lab, subjects, say }.study(sets)
}

struct Asker<'a> {
    lab: &'a Lab<'a>,
    subjects: &'a [Subject],
    say: &'a (dyn Fn(&str) + Sync),
}

/// What was asked of a step and its answers.
type Answers = Vec<Vec<(Ask, Result<Came, String>)>>;

impl Asker<'_> {
    fn study(&self, sets: &[Set]) -> Result<Vec<Study>, Failure> {
        let seed = self.lab.args.seed;
        let all = 0..self.subjects.len();
        let ask = |subject, set: &Set, whole| Ask { subject, set: set.clone(), seed, whole };
        let mut asks = Vec::new();
        for subject in all.clone() {
            // First and last of a boot, and alone in one: whatever differs between these is noise.
            asks.push(ask(subject, &vec![], false));
            for set in sets {
                let repeats =
                    if set.iter().any(|one| one.name == "scheduling") { self.lab.args.repeat } else { 1 };
                asks.extend((0..repeats).map(|turn| Ask { seed: seed + turn, ..ask(subject, set, false) }));
            }
            if sets.len() > 1 {
                let plain = plain(sets);
                asks.extend(
                    together(&plain).iter().chain(&together(sets)).map(|set| ask(subject, set, true)),
                );
            }
            asks.push(ask(subject, &vec![], false));
        }
        let controls: Vec<_> = all.clone().map(|subject| ask(subject, &vec![], false)).collect();
        let again: Vec<_> = all.clone().map(|subject| ask(subject, &vec![], false)).collect();
        let answers = self.answer(vec![controls, again], asks)?;
        let mut studies: Vec<_> =
            answers.iter().enumerate().map(|(at, answers)| self.judge(at, answers)).collect();
        self.interactions(sets, &mut studies, &answers)?;
        self.heirs(&mut studies)?;
        Ok(studies)
    }

    /// Boots what is asked: each of `alone` in a boot of its own, the others as many in a boot as can be. Gives the answers by
    /// subject, those of `alone` first.
    fn answer(&self, alone: Vec<Vec<Ask>>, asks: Vec<Ask>) -> Result<Answers, Failure> {
        let mut boots = alone;
        let mut groups: BTreeMap<BTreeSet<Alteration>, Vec<Ask>> = BTreeMap::new();
        for ask in asks {
            let altered = ask.set.iter().filter_map(|variation| variation.alteration()).collect();
            groups.entry(altered).or_default().push(ask);
        }
        for (altered, group) in groups {
            // Two boots side by side where there is enough to do.
            let share =
                if altered.is_empty() && group.len() > 16 { group.len().div_ceil(2) } else { group.len() };
            boots.extend(group.chunks(share.max(1)).map(<[Ask]>::to_vec));
        }
        let mut room = Room::of_host();
        room.lanes = self.lab.args.jobs.map_or(room.lanes, usize::from);
        let sizes = self.lab.prepared.inputs.values().map(|input| input.obtained.size).sum();
        let memory = self.lab.args.memory.map_or_else(|| lane::memory(self.lab.prepared, sizes), Ok)?;
        let needs = vec![memory; boots.len()];
        let came = side_by_side(&needs, room, |number| self.boot(&boots[number]));
        let mut answers: Answers = self.subjects.iter().map(|_| vec![]).collect();
        for (boot, came) in boots.into_iter().zip(came) {
            for (ask, came) in boot.into_iter().zip(came?) {
                answers[ask.subject].push((ask, came));
            }
        }
        Ok(answers)
    }

    fn boot(&self, asks: &[Ask]) -> Result<Vec<Result<Came, String>>, Failure> {
        let altered: BTreeSet<_> =
            asks.iter().flat_map(|ask| &ask.set).filter_map(|variation| variation.alteration()).collect();
        let mut steps = Vec::new();
        let mut answers: Vec<Result<Option<usize>, String>> = Vec::new();
        for (number, ask) in asks.iter().enumerate() {
            let subject = &self.subjects[ask.subject];
            let own = Own { env: &subject.own };
            match ask.set.iter().find_map(|variation| self.refusal(variation)) {
                Some(why) => answers.push(Err(why)),
                None => match varied(&subject.step, &ask.set, &own, drawn(ask.seed)) {
                    Some(step) => {
                        answers.push(Ok(Some(steps.len())));
                        let what = if ask.set.len() > 2 { "together".to_owned() } else { name(&ask.set) };
                        let name = format!("{number}.{}", what.replace(['/', ' '], "_"));
                        // An expected hash would turn a difference into a failure.
                        let mut step = Step { name, ..step };
                        step.outputs.iter_mut().for_each(|output| output.expect = None);
                        steps.push(step);
                    }
                    None => answers.push(Err("the derivation itself says what it is".into())),
                },
            }
        }
        let came = match steps.is_empty() {
            true => Ok(vec![]),
            false => self.lab.boot(&steps, &altered, &|step| (self.say)(step)),
        };
        let came = match came {
            Ok(came) => came,
            // A machine that can't be had is no answer; one that nobody altered must be there.
            Err(Failure::Machine(why)) if !altered.is_empty() && why != crate::cancel::SAID => {
                let why = why.lines().next().unwrap_or_default().to_owned();
                return Ok(asks.iter().map(|_| Err(format!("the machine does not run: {why}"))).collect());
            }
            Err(failure) => return Err(failure),
        };
        let answer = |answer: Result<Option<usize>, String>| {
            answer.and_then(|at| at.and_then(|at| came.get(at).cloned()).ok_or_else(|| "not run".to_owned()))
        };
        Ok(answers.into_iter().map(answer).collect())
    }

    /// Why something can't be varied in this machine.
    fn refusal(&self, variation: &Variation) -> Option<String> {
        let host = self.lab.args.machine == MachineName::Host;
        match variation.change {
            Change::Machine(Alteration::Kernel) if self.lab.args.other_kernel.is_none() && !host => {
                Some("no other kernel was named with --other-kernel".into())
            }
            Change::Machine(Alteration::Layout) if host => None,
            Change::Machine(_) if host => Some("not in host, which is this machine".into()),
            Change::Step(_) if host && variation.name == "date" => {
                Some("not in host, whose clock is shared".into())
            }
            _ => None,
        }
    }

    fn judge(&self, at: usize, answers: &[(Ask, Result<Came, String>)]) -> Study {
        let subject = &self.subjects[at];
        let mut controls = answers.iter().filter(|(ask, _)| ask.set.is_empty()).map(|(_, came)| came);
        let came = |came: Option<&Result<Came, String>>| match came {
            Some(Ok(came)) => came.clone(),
            Some(Err(why)) => Came::Failed(why.clone()),
            None => Came::Failed("not run".into()),
        };
        let (control, twin) = (came(controls.next()), came(controls.next()));
        let samples: Vec<Came> = controls.filter_map(|came| came.clone().ok()).collect();
        let strict = self.lab.args.machine != MachineName::Host;
        let mut study = Study {
            step: subject.step.name.clone(),
            key: String::new(),
            unsteady: strict && control != twin,
            noisy: samples.iter().chain([&twin]).any(|sample| *sample != control),
            control,
            cells: vec![],
            causes: vec![],
            heir: None,
        };
        let scheduled =
            answers.iter().filter(|(ask, _)| is_timing(&ask.set)).filter_map(|(_, came)| came.clone().ok());
        let samples: Vec<_> = samples.into_iter().chain([twin]).chain(scheduled).collect();
        let noise = if study.noisy { samples } else { vec![] };
        for (ask, came) in answers.iter().filter(|(ask, _)| !ask.set.is_empty() && !ask.whole) {
            let cell = match came {
                Err(why) => Cell::Not(why.clone()),
                Ok(came) => self.cell(&study.control, came, &noise, is_timing(&ask.set)),
            };
            if let (Cell::Differs, Ok(came)) = (&cell, came)
                && !study.causes.iter().any(|(set, ..)| name(set) == name(&ask.set))
            {
                study.causes.push((ask.set.clone(), came.clone(), ask.seed));
            }
            let name = name(&ask.set);
            match study.cells.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) if *known == Cell::Same => *known = cell,
                Some(_) => {}
                None => study.cells.push((name, cell)),
            }
        }
        self.consequences(&mut study, &noise);
        study
    }

    fn cell(&self, control: &Came, came: &Came, noise: &[Came], timing: bool) -> Cell {
        match (control, came) {
            (Came::Failed(_), _) => Cell::Not("it fails when nothing is varied".into()),
            (_, Came::Failed(reason)) => Cell::Failed(reason.clone()),
            _ if control == came => Cell::Same,
            _ if !timing && !noise.is_empty() && self.is_noise(control, came, noise) => {
                Cell::Follows("scheduling".into())
            }
            _ => Cell::Differs,
        }
    }

    /// The noise of an output that differs, if its bytes were kept.
    fn noise(&self, output: &str, control: &Came, noise: &[Came]) -> Option<Noise> {
        let bytes = |came: &Came| match came {
            Came::Built(outputs) => self.lab.scratch.bytes(outputs.get(output)?),
            Came::Failed(_) => None,
        };
        Some(Noise::new(bytes(control)?, noise.iter().filter_map(bytes).collect()))
    }

    fn is_noise(&self, control: &Came, came: &Came, noise: &[Came]) -> bool {
        let (Came::Built(before), Came::Built(after)) = (control, came) else { return false };
        before.iter().filter(|(output, sha256)| after.get(*output) != Some(sha256)).all(|(output, _)| {
            let other = after.get(output).and_then(|sha256| self.lab.scratch.bytes(sha256));
            self.noise(output, control, noise).zip(other).is_some_and(|(noise, other)| noise.explains(&other))
        })
    }

    /// Takes away the blame for what follows from something else that is to blame.
    fn consequences(&self, study: &mut Study, noise: &[Came]) {
        let cause = |study: &Study, name: &str| {
            study
                .causes
                .iter()
                .find(|(set, ..)| set.len() == 1 && set[0].name == name)
                .map(|(_, came, _)| came.clone())
        };
        let mut follows = Vec::new();
        if cause(study, "environment").is_some() && cause(study, "heap-contents").is_some() {
            follows.push(("heap-contents", "environment"));
        }
        // A locale that is not there becomes C.
        if cause(study, "locale").is_some() && cause(study, "locale") == cause(study, "encoding") {
            follows.push(("locale", "encoding"));
        }
        if let (Some(Came::Built(later)), Came::Built(before)) = (cause(study, "date"), &study.control)
            && study.noisy
        {
            let inside = before.iter().all(|(output, _)| {
                let later = later.get(output).and_then(|sha256| self.lab.scratch.bytes(sha256));
                let noise = self.noise(output, &study.control, noise);
                noise.zip(later).is_some_and(|(noise, later)| noise.lies_in(&later))
            });
            if inside {
                follows.extend(["scheduling", "tick", "entropy"].map(|name| (name, "date")));
            }
        }
        for (what, from) in follows {
            study.causes.retain(|(set, ..)| !(set.len() == 1 && set[0].name == what));
            for (_, cell) in
                study.cells.iter_mut().filter(|(name, cell)| name == what && *cell == Cell::Differs)
            {
                *cell = Cell::Follows(from.to_owned());
            }
        }
    }

    /// What changes nothing alone may do so together.
    fn interactions(&self, sets: &[Set], studies: &mut [Study], answers: &Answers) -> Result<(), Failure> {
        if sets.len() < 2 {
            return Ok(());
        }
        let is_same = |study: &Study, set: &Set| {
            study.cells.iter().any(|(known, cell)| *known == name(set) && *cell == Cell::Same)
        };
        // Of each step, all that changed nothing: asked anew where something did. Altered machines, each of which has to be
        // booted, only for steps that nothing else changed.
        let mut rest: Vec<(usize, Set)> = Vec::new();
        for (at, study) in
            studies.iter().enumerate().filter(|(_, study)| matches!(study.control, Came::Built(_)))
        {
            let same: Vec<Set> = sets.iter().filter(|set| is_same(study, set)).cloned().collect();
            let known = |set: &Set| answers[at].iter().find(|(ask, _)| name(&ask.set) == name(set));
            let differs = |set: &Set| !matches!(known(set), Some((_, Ok(came))) if *came == study.control);
            let mut found: Vec<Set> = together(&plain(&same)).into_iter().filter(&differs).collect();
            if found.is_empty() && study.causes.is_empty() {
                found = together(&same).into_iter().filter(&differs).collect();
            }
            rest.extend(found.into_iter().map(|set| (at, set)));
        }
        let ask = |(subject, set): &(usize, Set)| Ask {
            subject: *subject,
            set: set.clone(),
            seed: self.lab.args.seed,
            whole: true,
        };
        let asked = self.answer(vec![], rest.iter().map(ask).collect())?;
        for (at, set) in rest {
            let came = asked[at].iter().find(|(ask, _)| name(&ask.set) == name(&set)).map(|(_, came)| came);
            let differs = |came: &Came| self.cell(&studies[at].control, came, &[], true) == Cell::Differs;
            if studies[at].noisy || !matches!(came, Some(Ok(came)) if differs(came)) {
                continue;
            }
            let mut last = None;
            let smallest = minimal(&set, |subsets| {
                let asks = subsets.iter().map(|set| ask(&(at, set.clone()))).collect();
                let came = self.answer(vec![], asks)?;
                let one = |set: &Set| {
                    let found = came[at].iter().find(|(ask, _)| name(&ask.set) == name(set));
                    match found {
                        Some((_, Ok(came))) if differs(came) => {
                            last = Some((set.clone(), came.clone()));
                            true
                        }
                        _ => false,
                    }
                };
                Ok::<_, Failure>(subsets.iter().map(one).collect())
            })?;
            let came = match last.filter(|(set, _)| name(set) == name(&smallest)) {
                Some((_, came)) => came,
                None => match self.answer(vec![], vec![ask(&(at, smallest.clone()))])?[at].pop() {
                    Some((_, Ok(came))) => came,
                    _ => continue,
                },
            };
            let study = &mut studies[at];
            if !study.causes.iter().any(|(known, ..)| name(known) == name(&smallest)) {
                study.cells.push((name(&smallest), Cell::Differs));
                study.causes.push((smallest, came, self.lab.args.seed));
            }
        }
        Ok(())
    }

    /// Which steps differ only because of what they are given.
    fn heirs(&self, studies: &mut [Study]) -> Result<(), Failure> {
        for at in 0..self.subjects.len() {
            let needs: BTreeSet<&str> = self.subjects[at].step.steps();
            for giver in 0..studies.len() {
                let cause = studies[giver].causes.first();
                let Some((_, Came::Built(outputs), _)) =
                    cause.filter(|_| needs.contains(&*studies[giver].step))
                else {
                    continue;
                };
                let mut given = self.lab.given.clone();
                given.extend(outputs.clone());
                let lab = Lab { given, ..*self.lab };
                let asker = Asker { lab: &lab, subjects: self.subjects, say: self.say };
                let ask = Ask { subject: at, set: vec![], seed: self.lab.args.seed, whole: false };
                let came = asker.boot(&[ask])?.pop();
                if !matches!(came, Some(Ok(came)) if came == studies[at].control) {
                    studies[at].heir = Some(studies[giver].step.clone());
                }
            }
        }
        Ok(())
    }
}

fn is_timing(set: &[&Variation]) -> bool {
    set.iter().any(|variation| matches!(variation.name, "scheduling" | "tick"))
}

/// A number for the probe that is not the one it has where nothing is varied.
fn drawn(seed: u64) -> u64 {
    (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63
}

/// Those that alter no machine.
fn plain(sets: &[Set]) -> Vec<Set> {
    let alters = |set: &Set| set.iter().any(|variation| variation.alteration().is_some());
    sets.iter().filter(|set| !alters(set)).cloned().collect()
}

/// Everything at once: two sets, as some variations exclude each other.
fn together(sets: &[Set]) -> Vec<Set> {
    let mut all: Vec<Set> = vec![vec![]];
    for variation in sets.iter().filter(|set| set.len() == 1).map(|set| set[0]) {
        match all.iter_mut().find(|set| set.iter().all(|other| other.slot() != variation.slot())) {
            Some(set) => set.push(variation),
            None => all.push(vec![variation]),
        }
    }
    // The second has what the first could not have, and the rest of the first.
    if let [first, second, ..] = &mut all[..] {
        let rest = first.iter().filter(|one| second.iter().all(|other| other.slot() != one.slot()));
        let rest: Vec<_> = rest.copied().collect();
        second.extend(rest);
        all.truncate(2);
    }
    all.retain(|set| set.len() > 1);
    all
}
