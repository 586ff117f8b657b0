//! Building again what is to be reported, exactly as the command does that the report prints for it: the step alone in its boot,
//! once as it is and once varied. What does not show there is no cause, and the report says what was seen.

use super::ask::{Prober, Trial};
use super::judge::is_timing;
use super::outcome::BuildOutcome;
use super::select::{Set, name};
use super::study::{Study, TrialResult};
use crate::failure::Failure;
use std::slice;

impl Prober<'_> {
    /// Whether what is asked is what a printed command asks: then each build is alone in its boot as it is.
    pub(super) fn is_replay(&self, sets: &[Set]) -> bool {
        let repeats = sets.iter().any(is_timing) && self.lab.args.repeat > 1;
        self.subjects.len() == 1 && sets.len() == 1 && !repeats
    }

    /// Builds the causes of all steps again.
    pub(super) fn confirm(&self, sets: &[Set], studies: &mut [Study]) -> Result<(), Failure> {
        if self.is_replay(sets) {
            return Ok(());
        }
        let differs = |(_, study): &(usize, &mut Study)| !study.causes.is_empty();
        for (at, study) in studies.iter_mut().enumerate().filter(differs) {
            let lab = self.lab.alone(&self.subjects[at].step);
            let subjects = slice::from_ref(&self.subjects[at]);
            let prober = Prober { lab: &lab, subjects, usual: vec![self.usual[at]], ..*self };
            prober.again(self.limit(sets), study)?;
        }
        Ok(())
    }

    /// The causes of its only step.
    fn again(&self, limit: usize, study: &mut Study) -> Result<(), Failure> {
        let left = limit.saturating_sub(study.builds + 1);
        let asks = study
            .causes
            .iter()
            .take(left)
            .map(|(set, _, seed)| vec![Trial { set: set.clone(), seed: *seed, ..self.control(0) }]);
        let boots: Vec<Vec<Trial>> = std::iter::once(vec![self.control(0)]).chain(asks).collect();
        study.builds += boots.len();
        let mut answers = self.answer(boots, None)?.into_iter().flatten();
        let Some((_, Ok(control))) = answers.next() else { return Ok(()) };
        if control != study.control && !study.noisy {
            study.notes.push("what it makes depends on what was built before it in the same boot".into());
        }
        let mut samples = study.samples.clone();
        if study.noisy {
            samples.extend([study.control.clone(), control.clone()]);
        }
        study.control = control.clone();
        let shown: Vec<(Set, BuildOutcome)> = answers
            .filter_map(|(ask, answer)| Some((ask.set, answer.ok()?)))
            .filter(|(set, came)| matches!(self.cell(0, &control, came, &samples, set), TrialResult::Differs))
            .collect();
        let causes = std::mem::take(&mut study.causes);
        for (number, (set, came, seed)) in causes.into_iter().enumerate() {
            let set_name = name(&set);
            match shown.iter().find(|(known, _)| name(known) == set_name) {
                Some((_, again)) => study.causes.push((set, again.clone(), seed)),
                None if number < left => {
                    let what = "it differed once among other builds, and not when it was built again alone";
                    let cells = study.cells.iter_mut().filter(|(known, _)| *known == set_name);
                    cells.for_each(|(_, cell)| *cell = TrialResult::Once(what.into()));
                    study.notes.push(format!("{set_name}: {what}"));
                }
                None => {
                    study.notes.push(format!(
                        "{set_name}: not built again, as {limit} builds of a step are the limit"
                    ));
                    study.causes.push((set, came, seed));
                }
            }
        }
        Ok(())
    }
}
