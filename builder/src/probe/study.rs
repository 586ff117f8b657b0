//! What is asked of the lab, and what its answers mean.

use super::ask::{Answer, Answers, Ask, Asker, Counts};
use super::lab::{Came, Lab};
use super::minimal::minimal;
use super::select::{Set, name};
use crate::failure::Failure;
use graphs::plan::Step;
use std::collections::BTreeSet;

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
    /// Others, but that follows from something else that makes it differ.
    Follows(String),
    /// Not tried, as the question was answered already.
    Needless,
    /// It could not be varied here, for this reason.
    Not(String),
}

/// What is known of a step.
pub struct Study {
    /// Its name.
    pub step: String,
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

/// Studies of all subjects. `say` is told what is being varied, `counts` how much is done for it.
pub fn study(
    lab: &Lab<'_>,
    subjects: &[Subject],
    sets: &[Set],
    say: &(dyn Fn(&str) + Sync),
    counts: &Counts,
) -> Result<Vec<Study>, Failure> {
    let usual = vec![None; subjects.len()];
    Asker { lab, subjects, say, usual, counts }.study(sets)
}

impl Asker<'_> {
    fn study(&mut self, sets: &[Set]) -> Result<Vec<Study>, Failure> {
        let controls = self.controls()?;
        let asks: Vec<Ask> =
            (0..self.subjects.len()).flat_map(|subject| self.questions(subject, sets, &controls)).collect();
        // Where nothing is varied, or what is varied can't be had, nothing is answered.
        let differs = |ask: &Ask, answer: &Answer| {
            let (control, twin) = &controls[ask.subject];
            control != twin
                || matches!(control, Came::Failed(_))
                || !ask.set.is_empty() && matches!(answer, Ok(came @ Came::Built(_)) if came != control)
        };
        let boots = self.grouped(asks);
        let mut answers = match self.lab.args.first {
            true => self.answer(boots, Some(&differs))?,
            false => self.answer(boots, None)?,
        };
        // In the order of the sets, whatever boots they were in.
        let place = |ask: &Ask| sets.iter().position(|set| name(set) == name(&ask.set));
        answers.iter_mut().for_each(|answers| answers.sort_by_key(|(ask, _)| (place(ask), ask.seed)));
        let mut studies: Vec<_> = answers
            .iter()
            .zip(controls)
            .enumerate()
            .map(|(at, (answers, controls))| self.judge(at, controls, answers, sets))
            .collect();
        if !self.lab.args.first {
            self.interactions(sets, &mut studies, &answers)?;
            self.heirs(&mut studies)?;
        }
        Ok(studies)
    }

    /// Two builds of each step in the same way: what they make, and how long they take.
    fn controls(&mut self) -> Result<Vec<(Came, Came)>, Failure> {
        let all = || (0..self.subjects.len()).map(|subject| self.control(subject)).collect();
        let alone = vec![all(), all()];
        let mut answers = self.answer(alone, None)?.into_iter();
        let mut controls = Vec::new();
        for usual in &mut self.usual {
            let mut came = answers.next().into_iter().flatten().map(|(_, answer)| match answer {
                Ok(came) => came,
                Err(why) => Came::Failed(why),
            });
            let mut one = || came.next().unwrap_or_else(|| Came::Failed("not run".into()));
            let (control, twin) = (one(), one());
            if let Came::Built(built) = &control {
                *usual = Some(built.milliseconds);
            }
            controls.push((control, twin));
        }
        Ok(controls)
    }

    fn control(&self, subject: usize) -> Ask {
        Ask { subject, set: vec![], seed: self.lab.args.seed, whole: false }
    }

    /// Everything that is to be asked of a step that can be built.
    fn questions(&self, subject: usize, sets: &[Set], controls: &[(Came, Came)]) -> Vec<Ask> {
        let control = self.control(subject);
        if matches!(controls[subject].0, Came::Failed(_)) {
            return vec![];
        }
        // First and last of a boot, too: whatever differs between these is noise.
        let mut asks = vec![control.clone()];
        for set in sets {
            let repeated = set.iter().any(|one| one.name == "scheduling");
            let repeats = if repeated { self.lab.args.repeat } else { 1 };
            asks.extend((0..repeats).map(|turn| Ask {
                set: set.clone(),
                seed: control.seed + turn,
                ..control.clone()
            }));
        }
        if sets.len() > 1 && !self.lab.args.first {
            let whole = |set| Ask { set, whole: true, ..control.clone() };
            asks.extend(together(&plain(sets)).into_iter().chain(together(sets)).map(whole));
        }
        asks.push(control);
        asks
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
        let asked = self.answer(self.grouped(rest.iter().map(ask).collect()), None)?;
        for (at, set) in rest {
            let came = asked[at].iter().find(|(ask, _)| name(&ask.set) == name(&set)).map(|(_, came)| came);
            let control = studies[at].control.clone();
            let differs = |came: &Came| matches!(came, Came::Built(_)) && *came != control;
            if studies[at].noisy || !matches!(came, Some(Ok(came)) if differs(came)) {
                continue;
            }
            let mut last = None;
            let smallest = minimal(&set, |subsets| {
                let asks = subsets.iter().map(|set| ask(&(at, set.clone()))).collect();
                let came = self.answer(self.grouped(asks), None)?;
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
                None => match self.answer(vec![vec![ask(&(at, smallest.clone()))]], None)?[at].pop() {
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
                given.extend(outputs.outputs.clone());
                let lab = Lab { given, ..*self.lab };
                let asker = Asker { lab: &lab, usual: self.usual.clone(), ..*self };
                let came = asker.boot(&[self.control(at)], self.lab.cancel)?.0.pop();
                if !matches!(came, Some(Ok(came)) if came == studies[at].control) {
                    studies[at].heir = Some(studies[giver].step.clone());
                }
            }
        }
        Ok(())
    }
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
