//! `groundup ddc`: several lanes of one graph side by side, and what they show together.

use crate::args::{self, MachineName};
use crate::audit::tcb;
use crate::ddc::agreement::{self, Party, Wanted};
use crate::ddc::lanes::{self, Lane};
use crate::ddc::verdicts::{LaneSummary, Report};
use crate::envelope;
use crate::failure::{CANCELLED, Failure};
use crate::prepare::graph::Source;
use crate::prepare::unused::Unused;
use crate::prepare::{Prepared, cache, prepare, store};
use crate::run::budget::{self, Budget};
use crate::run::built;
use crate::run::cancel;
use crate::run::executor::{self, Ended, Setting};
use crate::run::machinery::Machinery;
use crate::run::preflight::Ahead;
use crate::run::record;
use crate::ui::running::Running;
use crate::ui::term;
use graphs::{Graph, model::store_name};
use indicatif::MultiProgress;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The machines that boot a kernel of their own.
const QEMU: [MachineName; 2] = [MachineName::Strict, MachineName::Fast];

/// Builds the graph in every lane. The inner failure is one that the verdicts tell.
pub fn ddc(args: &args::Ddc, json: bool) -> Result<Result<(), Failure>, Failure> {
    let source = Source::open(args.graph.path.as_deref())?;
    let graph = source.graph()?;
    let lanes = lanes::lanes(&graph, args)?;
    Unused::default().machines(&args.machine, &args.tools).done()?;
    Ahead::default().folder("--record-dir", args.record_dir.as_deref()).done()?;
    let kernels: BTreeSet<_> = lanes.iter().map(|lane| lane.kernel.clone()).collect();
    let tools = |kernel: &Option<String>| match kernel {
        Some(_) => args::Tools { kernel: kernel.clone(), ..args.tools.clone() },
        None => args.tools.clone(),
    };
    if lanes.iter().any(|lane| lane.kernel.is_some()) {
        let boots = args.machine.iter().all(|machine| QEMU.contains(machine));
        Unused::default()
            .option(args.tools.kernel.is_some(), "--kernel", "--over kernel varies it")
            .option(!boots, "--over kernel", "only the machines strict and fast boot a kernel of their own")
            .done()?;
    }
    if args.machine.iter().any(|machine| machine.has_qemu()) {
        kernels.iter().try_for_each(|kernel| tcb::probe(&tools(kernel)))?;
    }
    let store = store(&args.cache)?;
    let prepare = |lane: &Lane| {
        let choices = args::Choices { choose: lane.choose.clone(), keep_going: args.choices.keep_going };
        prepare(&source, graph.clone(), &choices, &store)
    };
    let prepared: Vec<_> = lanes.iter().map(prepare).collect::<Result<_, _>>()?;
    let cache = cache(&args.cache);
    let obtain = |kernel: &Option<String>| {
        Ok((
            kernel.clone(),
            Machinery::obtain(&args.machine, &built::tools(&tools(kernel), &cache)?, &cache)?,
        ))
    };
    let machinery = kernels.iter().map(obtain).collect::<Result<BTreeMap<_, _>, Failure>>()?;
    let cancel = cancel::watch()?;
    let job = Job { args, source: &source, machinery: &machinery, cache: &cache, cancel: &cancel };
    let ended = job.all(&lanes, &prepared)?;
    let interrupted = cancel.load(Ordering::Relaxed);
    let mut report = report(&source, &graph, &args.over, &lanes, &prepared, &ended);
    if interrupted {
        report.interrupt();
    }
    let verdict = match report.agree() {
        _ if interrupted => Err(Failure::machine(CANCELLED)),
        true => Ok(()),
        false => Err(Failure::Differs("the lanes do not agree on every target".into())),
    };
    match json {
        true => envelope::print("ddc", verdict.as_ref().copied(), report.json())?,
        false => term::result(&report.text())?,
    }
    Ok(verdict)
}

/// What all lanes are run with.
struct Job<'a> {
    args: &'a args::Ddc,
    source: &'a Source,
    /// By the kernel's name, as lanes have it.
    machinery: &'a BTreeMap<Option<String>, Machinery>,
    cache: &'a Path,
    cancel: &'a AtomicBool,
}

/// A lane that has ended, and where its record is.
type End = (Result<Ended, Failure>, Option<PathBuf>);

impl Job<'_> {
    /// Runs them as there is room.
    fn all(&self, lanes: &[Lane], prepared: &[Prepared]) -> Result<Vec<End>, Failure> {
        if let Some(folder) = &self.args.record_dir {
            let fail = |error| Failure::input(format!("--record-dir {}: {error}", folder.display()));
            fs::create_dir_all(folder).map_err(fail)?;
        }
        let mut room = Budget::of_host();
        room.lanes = self.args.jobs.map_or(room.lanes, usize::from);
        let needs = prepared.iter().map(|prepared| match self.args.memory {
            Some(memory) => memory,
            None => {
                executor::memory(prepared, prepared.inputs.values().map(|input| input.obtained.size).sum())
            }
        });
        let needs: Vec<_> = needs.collect();
        let (bars, width) = (MultiProgress::new(), lanes.iter().map(|lane| lane.name.len()).max());
        let begin = |number: usize| {
            let (lane, prepared) = (&lanes[number], &prepared[number]);
            let steps = prepared.steps.len();
            let mut running = Running::lane(&lane.name, width.unwrap_or_default(), steps, &bars);
            let record =
                self.args.record_dir.as_ref().map(|folder| folder.join(format!("{}.json", lane.name)));
            let ended = self.one(lane, prepared, record.as_deref(), &mut running)?;
            if let Some(path) = &record {
                record::write("--record-dir", path, &ended.record)?;
            }
            Ok((ended, record))
        };
        let ended = budget::side_by_side(&needs, room, |number| match begin(number) {
            Ok((ended, record)) => (Ok(ended), record),
            Err(failure) => (Err(failure), None),
        });
        Ok(ended)
    }

    fn one(
        &self,
        lane: &Lane,
        prepared: &Prepared,
        record: Option<&Path>,
        running: &mut Running,
    ) -> Result<Ended, Failure> {
        let setting = Setting {
            machine: lane.machine,
            tools: &self.args.tools,
            machinery: &self.machinery[&lane.kernel],
            cpus: 1,
            memory: self.args.memory,
            time_limit: Duration::from_secs(self.args.timeout),
            console: None,
            out: None,
            record,
            logs: record,
            cache: self.cache,
        };
        crate::run::build::build(self.source, prepared, &setting, running, self.cancel)
    }
}

fn report(
    source: &Source,
    graph: &Graph,
    over: &[String],
    lanes: &[Lane],
    prepared: &[Prepared],
    ended: &[End],
) -> Report {
    let party = |(lane, (prepared, (ended, _))): (&Lane, (&Prepared, &End))| {
        let outputs = ended.iter().flat_map(|ended| &ended.results.outputs);
        Party {
            name: lane.name.clone(),
            steps: prepared.steps.clone(),
            outputs: outputs.map(|output| (output.name.clone(), output.sha256.to_string())).collect(),
        }
    };
    let parties: Vec<_> = lanes.iter().zip(prepared.iter().zip(ended)).map(party).collect();
    let judged = agreement::judge(&wanted(graph, over, &parties), &parties);
    let summaries = lanes.iter().zip(ended).map(|(lane, (ended, record))| LaneSummary {
        name: lane.name.clone(),
        machine: lane.machine.word().to_owned(),
        choose: lane.choose.iter().cloned().collect(),
        plan: ended.as_ref().ok().map(|ended| ended.plan.to_string()),
        image: ended.as_ref().ok().and_then(|ended| Some(ended.image?.to_string())),
        complete: ended
            .as_ref()
            .is_ok_and(|ended| !ended.verdict.as_ref().is_err_and(Failure::is_of_machine)),
        error: match ended {
            Ok(ended) => ended.verdict.as_ref().err().map(ToString::to_string),
            Err(failure) => Some(failure.to_string()),
        },
        failed: ended.iter().flat_map(|ended| ended.results.failures()).collect(),
        record: record.as_ref().map(|path| path.display().to_string()),
    });
    Report {
        graph: source.label(),
        over: over.to_vec(),
        lanes: summaries.collect(),
        judged,
        interrupted: false,
    }
}

/// The outputs of every derivation that any lane was to build, by where it stands in the plan that has it last.
fn wanted(graph: &Graph, over: &[String], parties: &[Party]) -> Vec<Wanted> {
    let mut last: BTreeMap<&String, usize> = BTreeMap::new();
    for (place, step) in parties.iter().flat_map(|party| party.steps.iter().enumerate()) {
        let known = last.entry(step).or_default();
        *known = place.max(*known);
    }
    let mut order: Vec<_> = last.keys().copied().collect();
    order.sort_by_key(|step| last[step]);
    let outputs = order.into_iter().filter_map(|step| Some((step, graph.derivations.get(step)?)));
    let outputs = outputs.flat_map(|(step, derivation)| {
        let varied = derivation.inputs.iter().any(|input| over.contains(input));
        let target = graph.targets.contains(step);
        derivation.outputs.iter().map(move |output| Wanted {
            name: store_name(step, output),
            step: step.clone(),
            target,
            varied,
        })
    });
    outputs.collect()
}
