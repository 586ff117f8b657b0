//! What is asked of the lab, and what its answers mean.

use super::ask::{Counts, Prober, Trial};
use super::lab::Lab;
use super::outcome::{BuildOutcome, Built};
use super::select::Set;
use super::subject::Subject;
use crate::failure::Failure;
use formats::digest::Sha256;

/// What a set of variations did to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrialResult {
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
    /// Others, and then not again; how that was seen.
    Once(String),
}

/// What is known of a step.
pub struct Study {
    /// Its name.
    pub step: String,
    /// What it makes when nothing is varied.
    pub control: BuildOutcome,
    /// Whether two boots of one image made something else: the machine is at fault.
    pub unsteady: bool,
    /// Whether it differs from moment to moment.
    pub noisy: bool,
    /// What each set did, by its name, in the order asked.
    pub cells: Vec<(String, TrialResult)>,
    /// Each smallest set that makes it differ, with what it then makes, and the seed.
    pub causes: Vec<(Set, BuildOutcome, u64)>,
    /// The step whose differing outputs change this one's, if any does.
    pub inherits_from: Option<String>,
    /// What it makes when nothing is varied, if that is not always the same.
    pub samples: Vec<BuildOutcome>,
    /// How many builds it took.
    pub builds: usize,
    /// What else is to be said of it.
    pub notes: Vec<String>,
}

/// Studies of all subjects. `say` is called with what is being varied, `counts` how much is done for it.
pub fn study(
    lab: &Lab<'_>,
    subjects: &[Subject],
    sets: &[Set],
    say: &(dyn Fn(&str) + Sync),
    counts: &Counts,
) -> Result<Vec<Study>, Failure> {
    let usual = vec![None; subjects.len()];
    Prober { lab, subjects, say, usual, counts }.study(sets)
}

impl Prober<'_> {
    fn study(&mut self, sets: &[Set]) -> Result<Vec<Study>, Failure> {
        let controls = self.controls()?;
        if self.lab.args.first {
            let mut studies = self.first(sets, controls)?;
            self.confirm(sets, &mut studies)?;
            return Ok(studies);
        }
        let mut studies = self.rounds(sets, controls)?;
        self.confirm(sets, &mut studies)?;
        self.inherit(&mut studies)?;
        Ok(studies)
    }

    /// Two builds of each step in the same way: what they make, and how long they take.
    fn controls(&mut self) -> Result<Vec<(BuildOutcome, BuildOutcome)>, Failure> {
        let all = || (0..self.subjects.len()).map(|subject| self.control(subject)).collect();
        let alone = vec![all(), all()];
        let mut answers = self.answer(alone, None)?.into_iter();
        let mut controls = Vec::new();
        for usual in &mut self.usual {
            let mut came = answers.next().into_iter().flatten().map(|(_, answer)| match answer {
                Ok(came) => came,
                Err(why) => BuildOutcome::Failed(why),
            });
            let mut one = || came.next().unwrap_or_else(|| BuildOutcome::Failed("not run".into()));
            let (control, twin) = (one(), one());
            if let BuildOutcome::Built(built) = &control {
                *usual = Some(built.milliseconds);
            }
            controls.push((control, twin));
        }
        Ok(controls)
    }

    /// The step with nothing varied.
    pub(super) fn control(&self, subject: usize) -> Trial {
        Trial { subject, set: vec![], seed: self.lab.args.seed }
    }

    /// All that is asked of a step to know what a set alone does.
    pub(super) fn repeated(&self, subject: usize, set: &Set) -> impl Iterator<Item = Trial> {
        let repeats = if set.iter().any(|one| one.name == "scheduling") { self.lab.args.repeat } else { 1 };
        let ask = Trial { set: set.clone(), ..self.control(subject) };
        (0..repeats).map(move |turn| Trial { seed: ask.seed + turn, ..ask.clone() })
    }

    /// Which steps differ because of their inputs: by a step that differs itself, or by another step that inherits.
    fn inherit(&self, studies: &mut [Study]) -> Result<(), Failure> {
        let built = |(_, came, _): &(Set, BuildOutcome, u64)| match came {
            BuildOutcome::Built(built) => Some(built.clone()),
            BuildOutcome::Failed(_) => None,
        };
        let mut others: Vec<Vec<Built>> =
            studies.iter().map(|study| study.causes.iter().filter_map(built).collect()).collect();
        for at in 0..self.subjects.len() {
            let needs = self.lab.used(&self.subjects[at].step);
            // One that differs from moment to moment would differ now, too.
            let givers = (0..at)
                .filter(|_| !studies[at].noisy && matches!(studies[at].control, BuildOutcome::Built(_)));
            'found: for giver in givers {
                let usual = studies[giver].control.outputs();
                let is_new = |(output, sha256): &(&String, &Sha256)| {
                    needs.contains(*output) && usual.is_some_and(|usual| usual.get(*output) != Some(*sha256))
                };
                let made =
                    others[giver].iter().filter(|made| made.outputs.iter().any(|output| is_new(&output)));
                for made in made {
                    let lab = self.lab.with(made);
                    let prober = Prober { lab: &lab, usual: self.usual.clone(), ..*self };
                    let came = prober.boot(&[self.control(at)], self.lab.cancel)?.0.pop();
                    if matches!(&came, Some(Ok(came)) if *came == studies[at].control) {
                        continue;
                    }
                    studies[at].inherits_from = Some(studies[giver].step.clone());
                    if let Some(Ok(BuildOutcome::Built(built))) = came {
                        others[at].push(built);
                    }
                    break 'found;
                }
            }
        }
        Ok(())
    }
}
