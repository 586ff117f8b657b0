//! What `--first` asks: each variation alone, side by side, until every step differs in one.

use super::ask::{Answer, Prober, Trial};
use super::judge::Evidence;
use super::outcome::BuildOutcome;
use super::select::{Set, name};
use super::study::Study;
use crate::failure::Failure;

impl Prober<'_> {
    /// Studies that end at the first difference.
    pub(super) fn first(
        &self,
        sets: &[Set],
        controls: Vec<(BuildOutcome, BuildOutcome)>,
    ) -> Result<Vec<Study>, Failure> {
        let asks: Vec<Trial> =
            (0..self.subjects.len()).flat_map(|subject| self.questions(subject, sets, &controls)).collect();
        // Where nothing is varied, or what is varied can't be had, nothing is answered.
        let differs = |ask: &Trial, answer: &Answer| {
            let (control, twin) = &controls[ask.subject];
            control != twin
                || matches!(control, BuildOutcome::Failed(_))
                || !ask.set.is_empty()
                    && matches!(answer, Ok(came @ BuildOutcome::Built(_)) if came != control)
        };
        let mut answers = self.answer(self.grouped(asks), Some(&differs))?;
        // In the order of the sets, whatever boots they were in.
        let place = |ask: &Trial| sets.iter().position(|set| name(set) == name(&ask.set));
        answers.iter_mut().for_each(|answers| answers.sort_by_key(|(ask, _)| (place(ask), ask.seed)));
        let judged = answers.iter().zip(controls).enumerate();
        let judge = |(at, (answers, controls)): (usize, (&Vec<(Trial, Answer)>, _))| {
            self.judge(at, controls, sets, &Evidence { answers, others: &[] })
        };
        Ok(judged.map(judge).collect())
    }

    fn questions(
        &self,
        subject: usize,
        sets: &[Set],
        controls: &[(BuildOutcome, BuildOutcome)],
    ) -> Vec<Trial> {
        if matches!(controls[subject].0, BuildOutcome::Failed(_)) {
            return vec![];
        }
        let control = self.control(subject);
        // First and last of a boot, too: whatever differs between these is noise.
        let mut asks = vec![control.clone()];
        asks.extend(sets.iter().flat_map(|set| self.repeated(subject, set)));
        asks.push(control);
        asks
    }
}
