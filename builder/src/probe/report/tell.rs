//! From a study to what is told of it.

use super::replay::replay;
use super::{Cause, State, Told};
use crate::args;
use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::probe::detail::details;
use crate::probe::history::Known;
use crate::probe::outcome::BuildOutcome;
use crate::probe::scratch::Scratch;
use crate::probe::select;
use crate::probe::study::{Cell, Study};
use crate::probe::values::values;
use graphs::plan::Step;
use graphs::vary::{Alteration, Carrier, Own, VARIATIONS, Variation, varied};
use std::collections::BTreeSet;

/// Whether everything was varied that there is: other versions of seeds belong to it where they were named.
fn is_complete(args: &args::Probe, study: &Study) -> bool {
    let is_had = |one: &Variation| {
        let is_it =
            |(name, cell): &(String, Cell)| name == one.name && matches!(cell, Cell::Same | Cell::Follows(_));
        study.cells.iter().any(is_it)
    };
    let versions = args.other_lock.is_some();
    let is_asked = |one: &&Variation| versions || one.alteration() != Some(Alteration::Seeds);
    VARIATIONS.iter().filter(is_asked).all(is_had)
}

/// What is told of a step.
pub fn tell(
    args: &args::Probe,
    scratch: &Scratch,
    prepared: &Prepared,
    step: &Step,
    study: Option<&Study>,
    known: Option<&Known>,
) -> Result<Told, Failure> {
    let mut told = Told {
        name: step.name.clone(),
        state: if known.is_some() { State::Differs } else { State::NotProbed },
        control: None,
        cells: vec![],
        causes: vec![],
        heir: None,
        noisy: study.is_some_and(|study| study.noisy),
        notes: study.map(|study| study.notes.clone()).unwrap_or_default(),
        builds: study.map_or(0, |study| study.builds),
        known: known.cloned(),
    };
    let Some(study) = study else { return Ok(told) };
    told.control = Some(study.control.clone());
    told.cells.clone_from(&study.cells);
    told.heir.clone_from(&study.heir);
    let any = |is_it: &dyn Fn(&Cell) -> bool| study.cells.iter().any(|(_, cell)| is_it(cell));
    told.state = match &study.control {
        BuildOutcome::Failed(_) => State::Fails,
        _ if !study.causes.is_empty() || study.noisy || any(&|cell| matches!(cell, Cell::Once(_))) => {
            State::Differs
        }
        _ if study.heir.is_some() => State::Inherits,
        _ if any(&|cell| matches!(cell, Cell::Failed(_))) => State::Breaks,
        _ if is_complete(args, study) => State::Reproducible,
        _ => State::Same,
    };
    let own: BTreeSet<String> = prepared.own(&step.name);
    for (set, came, seed) in &study.causes {
        let after = varied(step, set, &Own { env: &own }, 0, Carrier::Shim).unwrap_or_else(|| step.clone());
        let name = select::name(set);
        told.causes.push(Cause {
            subjects: select::subjects(set),
            about: set.iter().map(|variation| variation.about).collect(),
            replay: replay(args, &step.name, &name, *seed),
            details: details(scratch, &study.control, came, &values(step, &after, set))?,
            set: name,
        });
    }
    Ok(told)
}
