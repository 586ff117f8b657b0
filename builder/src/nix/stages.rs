//! Derivations that ask for the references of what is still to be built can't be in one plan with that: it is built first, in a run
//! of its own, and handed to the next.

use super::Imported;
use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::run::executor::{self, Ended, Setting};
use crate::run::outputs::Out;
use crate::run::prebuilt::{self, Prebuilt};
use crate::ui::running::Running;
use crate::ui::term;
use records::record::Subject;
use std::collections::BTreeMap;
use std::path::Path;

/// Whether there are any.
pub fn are_needed(prepared: &Prepared) -> bool {
    prepared.imported.as_ref().is_some_and(|imported| !imported.late.is_empty())
}

/// What builds one stage.
pub type Stage<'a> = dyn FnMut(&Prepared, &Setting<'_>, &mut Running) -> Result<Ended, Failure> + 'a;

/// Builds stage after stage. The plan and the image that are told are those of the last.
pub fn build(
    prepared: &Prepared,
    setting: &Setting<'_>,
    running: &mut Running,
    one: &mut Stage<'_>,
) -> Result<Ended, Failure> {
    let scratch = prebuilt::scratch(setting.cache)?;
    let out = setting.out.unwrap_or(Out {
        folder: scratch.path(),
        nar: false,
        scratch: false,
        export: executor::EXPORT,
    });
    let setting = Setting { out: Some(out), ..*setting };
    let mut stage = prepared.clone();
    loop {
        let late = stage.imported.as_mut().map(|imported| std::mem::take(&mut imported.late));
        let late = late.unwrap_or_default();
        let ended = one(&stage, &setting, running)?;
        if late.is_empty() || ended.verdict.is_err() {
            return Ok(ended);
        }
        let made = taken(&ended, &stage, out.folder, scratch.path())?;
        if made.len() == stage.prebuilt.len() {
            return Err(Failure::several(late));
        }
        stage.take_over(made)?;
        term::note(&format!("{} more, with what is known now:", term::count(stage.steps.len(), "step")));
        running.again(stage.steps.len());
    }
}

/// All outputs that there are now, out of the binary cache that they were put into.
fn taken(ended: &Ended, stage: &Prepared, out: &Path, scratch: &Path) -> Result<prebuilt::All, Failure> {
    // The record knows which machine a step ran on, whatever was asked for.
    let machine = |subject: &Subject| (subject.name.clone(), subject.annotations.machine.clone());
    let machines: BTreeMap<String, String> = ended.record.subject.iter().map(machine).collect();
    let mut made = stage.prebuilt.clone();
    for output in ended.results.outputs.iter().filter(|output| !stage.prebuilt.contains_key(&output.name)) {
        let path = prebuilt::find(out, &output.name, output.sha256, scratch).map_err(Failure::machine)?;
        let one = Prebuilt {
            sha256: output.sha256,
            size: output.size,
            step: output.step.clone(),
            machine: machines.get(&output.name).cloned().unwrap_or_default(),
            trace: ended.results.traces.get(&output.step).cloned(),
            references: output.references.clone(),
            path,
        };
        made.insert(output.name.clone(), one);
    }
    Ok(made)
}

/// That a plan which can't be made in one piece is refused where there is but one.
pub fn refuse(imported: Option<&Imported>) -> Result<(), Failure> {
    match imported {
        Some(imported) if !imported.late.is_empty() => Err(Failure::several(imported.late.clone())),
        _ => Ok(()),
    }
}
