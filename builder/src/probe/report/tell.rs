//! From a study to the report.

use super::replay::replay;
use super::{Cause, State, StepReport};
use crate::args;
use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::probe::detail::details;
use crate::probe::history::Known;
use crate::probe::outcome::BuildOutcome;
use crate::probe::scratch::Scratch;
use crate::probe::select;
use crate::probe::study::{Study, TrialResult};
use crate::probe::values::values;
use graphs::plan::Step;
use graphs::vary::{Alteration, Carrier, PinnedEnv, VARIATIONS, Variation, varied};
use std::collections::BTreeSet;

/// Whether everything was varied that there is: other versions of seeds belong to it where they were named.
fn is_complete(args: &args::Probe, study: &Study) -> bool {
    let is_had = |one: &Variation| {
        let is_it = |(name, cell): &(String, TrialResult)| {
            name == one.name && matches!(cell, TrialResult::Same | TrialResult::Follows(_))
        };
        study.cells.iter().any(is_it)
    };
    let versions = args.other_lock.is_some();
    let is_asked = |one: &&Variation| versions || one.alteration() != Some(Alteration::Seeds);
    VARIATIONS.iter().filter(is_asked).all(is_had)
}

/// What the report says of a step.
pub fn tell(
    args: &args::Probe,
    scratch: &Scratch,
    prepared: &Prepared,
    step: &Step,
    study: Option<&Study>,
    known: Option<&Known>,
) -> Result<StepReport, Failure> {
    let mut step_report = StepReport {
        name: step.name.clone(),
        state: if known.is_some() { State::Differs } else { State::NotProbed },
        control: None,
        cells: vec![],
        causes: vec![],
        inherits_from: None,
        noisy: study.is_some_and(|study| study.noisy),
        notes: study.map(|study| study.notes.clone()).unwrap_or_default(),
        builds: study.map_or(0, |study| study.builds),
        known: known.cloned(),
    };
    let Some(study) = study else { return Ok(step_report) };
    step_report.control = Some(study.control.clone());
    step_report.cells.clone_from(&study.cells);
    step_report.inherits_from.clone_from(&study.inherits_from);
    let any = |is_it: &dyn Fn(&TrialResult) -> bool| study.cells.iter().any(|(_, cell)| is_it(cell));
    step_report.state = match &study.control {
        BuildOutcome::Failed(_) => State::Fails,
        _ if !study.causes.is_empty() || study.noisy || any(&|cell| matches!(cell, TrialResult::Once(_))) => {
            State::Differs
        }
        _ if study.inherits_from.is_some() => State::Inherits,
        _ if any(&|cell| matches!(cell, TrialResult::Failed(_))) => State::Breaks,
        _ if is_complete(args, study) => State::Reproducible,
        _ => State::Same,
    };
    let own: BTreeSet<String> = prepared.own(&step.name);
    for (set, came, seed) in &study.causes {
        let after =
            varied(step, set, &PinnedEnv { env: &own }, 0, Carrier::Shim).unwrap_or_else(|| step.clone());
        let name = select::name(set);
        step_report.causes.push(Cause {
            subjects: select::subjects(set),
            about: set.iter().map(|variation| variation.about).collect(),
            replay: replay(args, &step.name, &name, *seed),
            details: details(scratch, &study.control, came, &values(step, &after, set))?,
            set: name,
        });
    }
    Ok(step_report)
}
