//! `run --resume`: what an interrupted or failed run has left, by its record, as far as it still belongs to the graph.
//!
//! A step is taken over if its key is the recorded one, so that nothing it was made of has changed, and if all its outputs are
//! still there with their recorded hashes. Whatever else the graph says now is built.

use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::run::prebuilt::{self, Prebuilt};
use formats::store_path::base;
use records::record::{Record, Subject};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// What can be taken over, and what could not, each with its reason.
#[derive(Default)]
pub struct Resumed {
    /// By name.
    pub prebuilt: prebuilt::All,
    /// Why others are built again.
    pub lost: Vec<String>,
}

/// Looks for the outputs of a record. No record means that there is nothing yet.
pub fn resume(record: &Path, out: &Path, prepared: &Prepared, scratch: &Path) -> Result<Resumed, Failure> {
    let text = match std::fs::read_to_string(record) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Resumed::default()),
        Err(error) => return Err(Failure::input(format!("--record {}: {error}", record.display()))),
    };
    let old = Record::read(&text).ok();
    let steps = old.as_ref().and_then(Record::report).into_iter().flat_map(|report| &report.steps);
    let trace = |step: &records::record::Step| Some((step.name.clone(), (step.calls?, step.trace.clone()?)));
    let traces: BTreeMap<String, (u64, String)> = steps.filter_map(trace).collect();
    let recorded = old.and_then(built).ok_or_else(|| {
        let help = "name the record that the interrupted run wrote, or take that file away to begin anew";
        Failure::help(format!("--record {}: this is no record of a run to resume", record.display()), help)
    })?;
    let mut by_step: BTreeMap<&str, Vec<&Subject>> = BTreeMap::new();
    recorded.iter().for_each(|output| by_step.entry(&output.annotations.step).or_default().push(output));
    let mut resumed = Resumed::default();
    for (step, outputs) in by_step {
        if prepared.keys.get(step) != outputs[0].annotations.step_key.as_ref() {
            resumed
                .lost
                .push(format!("{step}: the graph says something else of it, or of what it needs, now"));
            continue;
        }
        let found: Result<Vec<_>, String> = outputs
            .iter()
            .map(|output| {
                prebuilt::find(out, &output.name, output.digest.sha256, scratch).map(|path| (output, path))
            })
            .collect();
        match found {
            Err(why) => resumed.lost.push(why),
            Ok(found) => resumed.prebuilt.extend(found.into_iter().map(|(output, path)| {
                let made = &output.annotations;
                let references = made.store.iter().flat_map(|store| &store.references);
                let prebuilt = Prebuilt {
                    sha256: output.digest.sha256,
                    size: made.size,
                    step: made.step.clone(),
                    machine: made.machine.clone(),
                    trace: traces.get(&made.step).cloned(),
                    references: references.map(|path| base(path).to_owned()).collect(),
                    path,
                };
                (output.name.clone(), prebuilt)
            })),
        }
    }
    Ok(resumed)
}

/// The outputs of the steps that were built. Nothing where one has no name that a plan could hold, or no key.
fn built(record: Record) -> Option<Vec<Subject>> {
    let stands = |name: &str| {
        let mut steps = record.report()?.steps.iter();
        let step = steps.find(|step| step.name == name)?;
        Some(step.outcome == "built" || step.outcome == "given")
    };
    let safe = |output: &Subject| {
        formats::plan::is_name(output.name.as_bytes()) && output.annotations.step_key.is_some()
    };
    record.report()?;
    let all = record.subject.iter().all(safe);
    let outputs = record.subject.iter().filter(|output| stands(&output.annotations.step) == Some(true));
    all.then(|| outputs.cloned().collect())
}
