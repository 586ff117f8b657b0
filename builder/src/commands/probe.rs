//! `groundup probe`: why steps are not reproducible.

use crate::args::{self, MachineName};
use crate::audit::tcb;
use crate::envelope;
use crate::failure::Failure;
use crate::nix::{self, stages};
use crate::prepare::graph::Source;
use crate::prepare::unused::Unused;
use crate::prepare::{Prepared, cache, prepare, store, temporary};
use crate::probe::ask::Counts;
use crate::probe::history::{self, Known};
use crate::probe::holds::Holds;
use crate::probe::lab::Lab;
use crate::probe::memory::Memory;
use crate::probe::outcome::BuildOutcome;
use crate::probe::report::{Report, html, tell, text};
use crate::probe::scratch::Scratch;
use crate::probe::select::{self, Set};
use crate::probe::study::study;
use crate::probe::subject::Subject;
use crate::run::built;
use crate::run::cancel;
use crate::run::kernel;
use crate::run::machinery::Machinery;
use crate::run::preflight::Ahead;
use crate::ui::term;
use graphs::plan::Step;
use graphs::vary::Alteration;
use indicatif::ProgressBar;
use inputs::InputCache;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Probes the steps that were asked for. The inner failure is one that the report shows.
pub fn probe(args: &args::Probe, json: bool) -> Result<Result<(), Failure>, Failure> {
    let source = Source::of(&args.graph)?;
    let graph = source.graph()?;
    let sets = select::select(&args.vary, args.other_lock.is_some())?;
    let no_kernel = match args.machine {
        MachineName::Native => "the kernel of the native machine is footing",
        _ => "the host machine has one kernel",
    };
    let in_qemu = args.machine.has_qemu();
    Unused::default()
        .machines(&[args.machine], &args.tools)
        .option(!in_qemu && args.other_kernel.is_some(), "--other-kernel", no_kernel)
        .done()?;
    let ahead = Ahead::default().file("--report", args.report.as_deref());
    ahead.file("--record", args.record.as_deref()).done()?;
    if !matches!(args.machine, MachineName::Strict | MachineName::Native | MachineName::Host) {
        let text = format!("--machine {}: what differs there by itself can't be told", args.machine.word());
        return Err(Failure::help(text, "take native, strict, or host"));
    }
    if in_qemu && !args.known {
        tcb::probe(&args.tools)?;
    }
    if let Some(kernel) = &args.other_kernel {
        let fail = |error| Failure::input(format!("--other-kernel {}: {error}", kernel.display()));
        std::fs::File::open(kernel).map_err(fail)?;
    }
    let store = store(&args.cache)?;
    let prepared = prepare(&source, graph, &args.choices, &store)?;
    let other = args.other_lock.as_deref().map(|lock| other_versions(args, lock, &store)).transpose()?;
    stages::refuse(prepared.imported.as_ref())?;
    let steps = prepared.remaining_steps()?;
    let wanted = wanted(args, &steps)?;
    let keys: Vec<String> = steps
        .iter()
        .map(|step| prepared.keys.get(&step.name).map(ToString::to_string).unwrap_or_default())
        .collect();
    let cache = cache(&args.cache);
    let others = match &args.keys {
        Some(keys) => history::others(&args.others, &super::sign::keys(keys)?)?,
        None => vec![],
    };
    let memory = Memory::new(args, &sets, &cache, others);
    let known: BTreeMap<&str, Known> = steps
        .iter()
        .zip(&keys)
        .filter(|(step, _)| wanted.contains(step.name.as_str()))
        .filter_map(|(step, key)| Some((step.name.as_str(), memory.recall(key)?)))
        .collect();
    let mut report = Report {
        graph: args.graph.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        machine: args.machine.word().to_owned(),
        seed: args.seed,
        steps: vec![],
        edges: edges(&steps),
        named: select::named(&args.vary)?,
        versions: args.other_lock.is_some(),
        builds: 0,
        boots: 0,
    };
    let counts = Counts::default();
    let mut studies = BTreeMap::new();
    let scratch = Scratch::new(&temporary(&cache))?;
    let probed: Vec<&Step> = steps
        .iter()
        .filter(|step| wanted.contains(step.name.as_str()) && !known.contains_key(step.name.as_str()))
        .collect();
    if !args.known && !probed.is_empty() {
        let tools = built::tools(&args.tools, &cache)?;
        let machinery = Machinery::obtain(&[args.machine], &tools, &cache)?;
        let cancel = cancel::watch()?;
        let bar = term::is_watched().then(ProgressBar::new_spinner);
        bar.iter().for_each(|bar| bar.enable_steady_tick(Duration::from_millis(200)));
        let say = |what: &str| bar.iter().for_each(|bar| bar.set_message(format!("varying {what}")));
        let other_kernel = other_kernel(args, &sets, &machinery, &cache);
        let lab = Lab {
            args,
            prepared: &prepared,
            steps: &steps,
            machinery: &machinery,
            scratch: &scratch,
            cache: &cache,
            cancel: &cancel,
            prebuilt: BTreeMap::new(),
            references: BTreeMap::new(),
            other: other.as_ref(),
            other_kernel: other_kernel.as_deref(),
        };
        let lab = once(lab, &steps, &probed)?;
        let subjects: Vec<Subject> = probed.iter().map(|step| subject(&prepared, step)).collect();
        let mut holds = Holds::default();
        for (mut study, step) in study(&lab, &subjects, &sets, &say, &counts)?.into_iter().zip(&probed) {
            holds.mend(&lab, step, &mut study);
            studies.insert(study.step.clone(), study);
        }
        bar.iter().for_each(ProgressBar::finish_and_clear);
    }
    let (mut record, mut outputs) = (Vec::new(), BTreeMap::new());
    for (step, key) in steps.iter().zip(&keys) {
        let study = studies.get(&step.name);
        if let Some(found) = study.and_then(|study| memory.found(study, key)) {
            // Where the first difference ends it, the others are not known.
            if !args.first {
                memory.keep(&found)?;
            }
            record.push(found);
        }
        outputs.extend(study.and_then(|study| study.control.outputs()).cloned().unwrap_or_default());
        let known = known.get(step.name.as_str());
        report.steps.push(tell(args, &scratch, &prepared, step, study, known)?);
    }
    (report.builds, report.boots) = (counts.builds.into_inner(), counts.boots.into_inner());
    if let Some(path) = &args.record {
        let fail = |error| Failure::input(format!("--record {}: {error}", path.display()));
        std::fs::write(path, format!("{:#}\n", history::statement(&record, &outputs))).map_err(fail)?;
    }
    if let Some(path) = &args.report {
        let fail = |error| Failure::input(format!("--report {}: {error}", path.display()));
        std::fs::write(path, html(&report)).map_err(fail)?;
    }
    let unsteady: Vec<_> =
        studies.values().filter(|study| study.unsteady).map(|study| &*study.step).collect();
    let failed = report.failed();
    let verdict = if !unsteady.is_empty() {
        let names = unsteady.join(", ");
        Err(Failure::machine(format!(
            "the machine is not deterministic: {names} differ in two boots of one image"
        )))
    } else if !failed.is_empty() {
        Err(Failure::Differs(failed))
    } else {
        Ok(())
    };
    match json {
        true => envelope::print("probe", verdict.as_ref().copied(), report.json())?,
        false => term::result(&text(&report))?,
    }
    Ok(verdict)
}

/// The names of the steps to probe.
fn wanted<'a>(args: &args::Probe, steps: &'a [Step]) -> Result<BTreeSet<&'a str>, Failure> {
    let names: BTreeSet<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    if args.step.is_empty() {
        return Ok(names);
    }
    let is_drv = nix::is(&args.graph).is_some();
    let is = |name: &str, wanted: &str| name == wanted || is_drv && nix::is_named(name, wanted);
    if let Some(none) = args.step.iter().find(|wanted| !names.iter().any(|name| is(name, wanted))) {
        let all: Vec<_> = names.into_iter().collect();
        return Err(Failure::help(
            format!("--step {none}: the targets need no step of this name"),
            &format!("there are {}", all.join(", ")),
        ));
    }
    Ok(names.into_iter().filter(|name| args.step.iter().any(|wanted| is(name, wanted))).collect())
}

fn edges(steps: &[Step]) -> Vec<(usize, usize)> {
    let at = |name: &str| steps.iter().position(|step| step.name == name);
    let of = |(number, step): (usize, &Step)| {
        step.steps().into_iter().filter_map(at).map(|from| (from, number)).collect::<Vec<_>>()
    };
    steps.iter().enumerate().flat_map(of).collect()
}

/// Builds every step that a probed one needs, once: from then on their outputs are prebuilt.
fn once<'a>(mut lab: Lab<'a>, steps: &[Step], probed: &[&Step]) -> Result<Lab<'a>, Failure> {
    let mut needed: BTreeSet<&str> = probed.iter().flat_map(|step| step.steps()).collect();
    // Each stands before those that need it.
    for step in steps.iter().rev() {
        if needed.contains(step.name.as_str()) {
            needed.extend(step.steps());
        }
    }
    // In rounds: each needs only what the rounds before it made.
    let mut left: Vec<&Step> = steps.iter().filter(|step| needed.contains(step.name.as_str())).collect();
    let mut made: BTreeSet<&str> = BTreeSet::new();
    while !left.is_empty() {
        let (now, later): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|step| step.steps().iter().all(|name| made.contains(name)));
        let round: Vec<Step> = now.iter().map(|step| (*step).clone()).collect();
        for (step, came) in now.iter().zip(lab.boot(&round, &BTreeSet::new(), lab.cancel, &|_| ())?) {
            match came {
                BuildOutcome::Built(built) => lab = lab.with(&built),
                BuildOutcome::Failed(why) => return Err(Failure::Build(format!("{}: {why}", step.name))),
            }
            made.insert(&step.name);
        }
        left = later;
    }
    Ok(lab)
}

fn subject(prepared: &Prepared, step: &Step) -> Subject {
    Subject { step: step.clone(), own: prepared.own(&step.name) }
}

/// The graph's inputs as another lock file has them.
fn other_versions(args: &args::Probe, lock: &Path, store: &InputCache) -> Result<Prepared, Failure> {
    if nix::is(&args.graph).is_some() {
        return Err(Failure::help(
            "--other-lock: derivations of Nix and Guix have no lock file",
            "probe a derivation that was instantiated from other versions by itself",
        ));
    }
    let fail = |error| Failure::input(format!("--other-lock {}: {error}", lock.display()));
    let lock = std::fs::read_to_string(lock).map_err(fail)?;
    let source = Source { lock: Some(lock), ..Source::open(args.graph.path.as_deref())? };
    prepare(&source, source.graph()?, &args.choices, store)
}

/// The kernel that was named, or the one of the two that have names which is not taken otherwise, if it can be had.
fn other_kernel(args: &args::Probe, sets: &[Set], machinery: &Machinery, cache: &Path) -> Option<PathBuf> {
    let asked = |set: &Set| set.iter().any(|one| one.alteration() == Some(Alteration::Kernel));
    let is_same = |path: &PathBuf| {
        let read = |path: &Path| std::fs::read(path).ok();
        machinery.kernel.as_ref().is_some_and(|kernel| read(&kernel.path) == read(path))
    };
    if args.other_kernel.as_ref().is_some_and(is_same) {
        return None;
    }
    if args.other_kernel.is_some() || !args.machine.has_qemu() || !sets.iter().any(asked) {
        return args.other_kernel.clone();
    }
    let known = &machinery.kernel.as_ref()?.path;
    let named = |name: &str| {
        let tools = args::Tools { kernel: Some(name.to_owned()), ..args.tools.clone() };
        kernel::kernel(&tools, cache, false).ok().map(|kernel| kernel.path)
    };
    ["minimal", "debian"].into_iter().filter_map(named).find(|path| path != known)
}
