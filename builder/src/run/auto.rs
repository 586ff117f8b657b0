//! The machine `auto`: everything on `native`, and in `strict` what that does not build.
//!
//! Both are deterministic, so each step is built once. What `native` refuses or fails to build is built in `strict`, with all that needs
//! it; the outputs that stand are inputs there. QEMU and a kernel are needed only then.

use crate::args::MachineName;
use crate::audit::tcb;
use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::prepare::graph::Source;
use crate::run::executor::{self, Ended, Setting};
use crate::run::machinery::Machinery;
use crate::run::outputs;
use crate::run::outputs::Out;
use crate::run::prebuilt::{self, Prebuilt};
use crate::run::results::{Outcome, Results};
use crate::ui::running::Running;
use crate::ui::term;
use formats::digest::Sha256;
use records::record::Auto;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What came of a pass on `native`, for the record.
struct Pass {
    ended: Ended,
    /// Why steps were not built, by their names.
    refused: BTreeMap<String, String>,
}

/// Builds a prepared graph.
pub fn build(
    source: &Source,
    prepared: &Prepared,
    setting: &Setting<'_>,
    running: &mut Running,
    cancel: &AtomicBool,
) -> Result<Ended, Failure> {
    let scratch = prebuilt::scratch(setting.cache)?;
    let export = setting.out.map_or(executor::EXPORT, |out| out.export);
    let out = Out { folder: scratch.path(), nar: true, scratch: true, export };
    let native = Setting { machine: MachineName::Native, out: Some(out), console: None, ..*setting };
    let pass = |prepared: &Prepared, running: &mut Running| {
        let ended = executor::unit(source, prepared, &native, running, cancel)?;
        let refused = refused(&ended.results);
        Ok::<Pass, Failure>(Pass { ended, refused })
    };
    let mut first = pass(prepared, running)?;
    if let (Err(why), false) = (&first.ended.verdict, cancel.load(Ordering::Relaxed))
        && why.is_of_machine()
    {
        term::note(&format!("all of it in strict, since native can not: {why}"));
    }
    let mut left = prepared.clone();
    take(setting, &mut left, &first.ended.results, scratch.path())?;
    // What stands behind a step that failed was not tried.
    let is_skipped = |step: &crate::run::results::Step| matches!(step.outcome, Outcome::Skipped(_));
    if first.ended.results.steps.iter().any(is_skipped) && !cancel.load(Ordering::Relaxed) {
        running.again(left.steps.len());
        let second = pass(&left.continuing(), running)?;
        take(setting, &mut left, &second.ended.results, scratch.path())?;
        first.refused.extend(second.refused);
    }
    let about = Auto {
        plan: first.ended.plan,
        image: first.ended.image,
        not_on_native: first.refused.clone(),
        host: first.ended.record.predicate.build_definition.internal_parameters.host.clone(),
    };
    let mut ended = if left.steps.is_empty() || cancel.load(Ordering::Relaxed) {
        first.ended
    } else {
        for (step, why) in &first.refused {
            term::note(&format!("not on native: {step}: {why}"));
        }
        let (all, now) = (term::count(prepared.steps.len(), "step"), left.steps.len());
        term::note(&format!("{} of {all} on native; the others in strict:", prepared.steps.len() - now));
        tcb::probe(setting.tools)?;
        let machinery = Machinery::obtain(&[MachineName::Strict], setting.tools, setting.cache)?;
        let strict = Setting { machine: MachineName::Strict, machinery: &machinery, ..*setting };
        running.again(now);
        let ended = executor::unit(source, &left, &strict, running, cancel)?;
        Ended { plan: Sha256::of(&prepared.plan), ..ended }
    };
    let internal = &mut ended.record.predicate.build_definition.internal_parameters;
    internal.machine = MachineName::Auto.word().into();
    internal.auto = Some(about);
    Ok(ended)
}

/// The steps that were tried and not built.
fn refused(results: &Results) -> BTreeMap<String, String> {
    results.failures().into_iter().collect()
}

/// Takes over what was built: it is exported where that was asked for, and is an input of what is left.
fn take(
    setting: &Setting<'_>,
    left: &mut Prepared,
    results: &Results,
    scratch: &Path,
) -> Result<(), Failure> {
    let mut prebuilt = left.prebuilt.clone();
    for output in results.good().filter(|output| !prebuilt.contains_key(&output.name)).collect::<Vec<_>>() {
        let archive = std::fs::read(prebuilt::archive(scratch, &output.name, output.sha256));
        let archive =
            archive.map_err(|error| Failure::machine(format!("output {}: {error}", output.name)))?;
        if let Some(out) = setting.out {
            outputs::keep(out, left, output, &archive)?;
        }
        let path = prebuilt::find(scratch, &output.name, output.sha256, scratch);
        let one = Prebuilt {
            sha256: output.sha256,
            size: output.size,
            step: output.step.clone(),
            machine: MachineName::Native.word().into(),
            trace: results.traces.get(&output.step).cloned(),
            references: output.references.clone(),
            path: path.map_err(Failure::machine)?,
        };
        prebuilt.insert(output.name.clone(), one);
    }
    left.take_over(prebuilt)
}
