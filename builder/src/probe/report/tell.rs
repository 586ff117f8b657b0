//! From a study to what is told of it.

use super::{Cause, State, Told};
use crate::args::{self, MachineName};
use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::probe::detail::details;
use crate::probe::history::Known;
use crate::probe::lab::Came;
use crate::probe::scratch::Scratch;
use crate::probe::select;
use crate::probe::study::Study;
use crate::probe::values::values;
use crate::term::quoted;
use graphs::plan::Step;
use graphs::vary::{Own, varied};
use std::collections::BTreeSet;

/// What is told of a step.
pub fn tell(
    args: &args::Probe,
    graph: &str,
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
        known: known.cloned(),
    };
    let Some(study) = study else { return Ok(told) };
    told.control = Some(study.control.clone());
    told.cells.clone_from(&study.cells);
    told.heir.clone_from(&study.heir);
    told.state = match &study.control {
        Came::Failed(_) => State::Fails,
        _ if !study.causes.is_empty() => State::Differs,
        _ if study.heir.is_some() => State::Inherits,
        _ => State::Reproducible,
    };
    let own: BTreeSet<String> = prepared.own(&step.name);
    for (set, came, seed) in &study.causes {
        let after = varied(step, set, &Own { env: &own }, 0).unwrap_or_else(|| step.clone());
        let name = select::name(set);
        let machine = if args.machine == MachineName::Strict { "" } else { " --machine host" };
        let lock = args.other_lock.as_ref().filter(|_| set.iter().any(|one| one.name == "seed-version"));
        let lock = lock
            .map(|lock| format!(" --other-lock {}", quoted(&lock.display().to_string())))
            .unwrap_or_default();
        let choose = args.choices.choose.iter().map(|(choice, taken)| format!("{choice}={taken}"));
        let choose: String = choose.map(|choice| format!(" --choose {}", quoted(&choice))).collect();
        let graph = quoted(graph);
        told.causes.push(Cause {
            subjects: select::subjects(set),
            about: set.iter().map(|variation| variation.about).collect(),
            replay: format!(
                "groundup probe {graph} --step {} --vary {name} --repeat 1 --seed {seed}{machine}{choose}{lock}{}",
                quoted(&step.name),
                args.graph.drv.words()
            ),
            details: details(scratch, &study.control, came, &values(step, &after, set))?,
            set: name,
        });
    }
    Ok(told)
}
