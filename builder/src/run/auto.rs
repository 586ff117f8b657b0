//! The machine `auto`: everything twice on `host`, and in `strict` only what does not come out the same.
//!
//! The second run on the host is perturbed as far as the host allows: its steps start at another time, with randomised
//! addresses, on one CPU, and find the entries of their inputs' directories made in the reverse order. A step stands on
//! `host` if both runs made the same outputs of it, more than a second apart, and if all that it needs does. The others are
//! built in `strict`, with the outputs of those that stand as inputs, so that every step has the result that it has in `strict`
//! throughout, provided that what it depends on did vary: a step that writes down the year, or the kernel's version or boot
//! id, is not found out.

use crate::args::MachineName;
use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::prepare::graph::Source;
use crate::run::executor::{self, Ended, Setting};
use crate::run::outputs;
use crate::run::outputs::Out;
use crate::run::prebuilt::{self, Given};
use crate::run::results::{Outcome, Results};
use crate::ui::running::Running;
use crate::ui::term;
use formats::digest::Sha256;
use records::record::Auto;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How much later the second run starts.
const LATER: Duration = Duration::from_millis(1500);
/// How far apart the two runs of a step have to start, so that no tool that writes down seconds can make the same of both.
const APART: Duration = Duration::from_millis(1050);

/// What the second run has otherwise, for the record.
const PERTURBED: [&str; 4] =
    ["time of day", "address layout", "order of directory entries", "number of CPUs"];

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
    let out = Out { folder: scratch.path(), nar: true, export };
    let host = |perturbed, out| Setting {
        machine: MachineName::Host,
        perturbed,
        out,
        console: None,
        record: None,
        ..*setting
    };
    let (plain, other) = (host(false, Some(out)), host(true, None));
    let perturbed = prepared.perturbed();
    let mut quiet = Running::quiet();
    let (first, second) = thread::scope(|scope| {
        let second = scope.spawn(|| {
            thread::sleep(LATER);
            executor::unit(source, &perturbed, &other, &mut quiet, cancel)
        });
        let first = executor::unit(source, prepared, &plain, running, cancel);
        (first, second.join())
    });
    let first = first?;
    let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    if let (Err(Failure::Machine(why)), false) = (&first.verdict, cancel.load(Ordering::Relaxed)) {
        term::note(&format!("all of it in strict, since the host can not: {why}"));
    }
    let apart = |step: &str| match (running.started.get(step), quiet.started.get(step)) {
        (Some(&one), Some(&other)) => one.max(other) - one.min(other) >= APART,
        _ => false,
    };
    let standing = standing(prepared, &first.results, &second.results, apart)?;
    let mut left = prepared.clone();
    let mut given = prepared.given.clone();
    for output in first.results.outputs.iter().filter(|output| standing.contains(&output.step)) {
        let archive = std::fs::read(prebuilt::archive(scratch.path(), &output.name, output.sha256));
        let archive =
            archive.map_err(|error| Failure::machine(format!("output {}: {error}", output.name)))?;
        if let Some(out) = setting.out {
            outputs::keep(out, prepared, output, &archive)?;
        }
        let path = prebuilt::find(scratch.path(), &output.name, output.sha256, scratch.path());
        let given_one = Given {
            sha256: output.sha256,
            size: output.size,
            step: output.step.clone(),
            machine: MachineName::Host.word().into(),
            references: output.references.clone(),
            path: path.map_err(Failure::machine)?,
        };
        given.entry(output.name.clone()).or_insert(given_one);
    }
    left.give(given)?;
    term::note(&format!(
        "{} of {} the same twice on the host{}",
        standing.len(),
        term::count(prepared.steps.len(), "step"),
        if left.steps.is_empty() { "" } else { "; the others in strict:" }
    ));
    let about = Auto {
        plan: first.plan,
        image: first.image,
        perturbed: PERTURBED.map(str::to_owned).to_vec(),
        disagreed: disagreed(&first.results, &second.results),
        host: first.record.predicate.build_definition.internal_parameters.host.clone(),
    };
    let mut ended = if left.steps.is_empty() || cancel.load(Ordering::Relaxed) {
        first
    } else {
        let strict = Setting { machine: MachineName::Strict, ..*setting };
        running.again(left.steps.len());
        let ended = executor::unit(source, &left, &strict, running, cancel)?;
        Ended { plan: first.plan, ..ended }
    };
    let internal = &mut ended.record.predicate.build_definition.internal_parameters;
    internal.machine = MachineName::Auto.word().into();
    internal.auto = Some(about);
    Ok(ended)
}

/// The steps that stand on what the two runs made, which did so at times that are `apart`.
fn standing(
    prepared: &Prepared,
    first: &Results,
    second: &Results,
    apart: impl Fn(&str) -> bool,
) -> Result<BTreeSet<String>, Failure> {
    let built = |results: &Results, name: &str| {
        results.steps.iter().any(|step| step.name == name && step.outcome == Outcome::Built)
    };
    let (ours, theirs) = (hashes(first), hashes(second));
    let mut standing: BTreeSet<String> = BTreeSet::new();
    for step in prepared.left()? {
        let same = built(first, &step.name)
            && built(second, &step.name)
            && ours.get(&step.name) == theirs.get(&step.name)
            && apart(&step.name);
        if same && step.steps().into_iter().all(|needed| standing.contains(needed)) {
            standing.insert(step.name);
        }
    }
    Ok(standing)
}

type Hashes<'a> = BTreeMap<&'a String, BTreeMap<&'a String, Sha256>>;

fn hashes(results: &Results) -> Hashes<'_> {
    let mut all: Hashes<'_> = BTreeMap::new();
    for output in &results.outputs {
        all.entry(&output.step).or_default().insert(&output.name, output.sha256);
    }
    all
}

/// The outputs that both runs made, and made differently.
fn disagreed(first: &Results, second: &Results) -> BTreeMap<String, [Sha256; 2]> {
    let other: BTreeMap<_, _> = second.outputs.iter().map(|output| (&output.name, output.sha256)).collect();
    let differs = |output: &&crate::run::results::Output| {
        other.get(&output.name).is_some_and(|&other| other != output.sha256)
    };
    let both =
        |output: &crate::run::results::Output| (output.name.clone(), [output.sha256, other[&output.name]]);
    first.outputs.iter().filter(differs).map(both).collect()
}
