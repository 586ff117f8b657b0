//! `groundup run`: one lane, and what came of it.

use crate::args::{self, MachineName};
use crate::audit::replay::Replay;
use crate::audit::tcb;
use crate::envelope;
use crate::failure::Failure;
use crate::prepare::graph::Source;
use crate::prepare::unused::Unused;
use crate::prepare::{cache, prepare, store};
use crate::run::build;
use crate::run::built;
use crate::run::cancel;
use crate::run::each;
use crate::run::executor::{Ended, Setting};
use crate::run::machinery::Machinery;
use crate::run::outputs::Out;
use crate::run::prebuilt;
use crate::run::preflight::Ahead;
use crate::run::record;
use crate::run::results::Output;
use crate::run::resume::{self, Resumed};
use crate::ui::running::Running;
use crate::ui::term;
use formats::digest::Sha256;
use graphs::model::defaults::MEMORY;
use serde_json::json;
use std::time::Duration;

/// Builds the graph. The record is written whatever comes of it. The inner failure is one that the results tell.
pub fn run(args: &args::Run, json: bool) -> Result<Result<(), Failure>, Failure> {
    let again = args
        .from
        .as_deref()
        .map(|record| Replay::read(record, args.graph_dir.as_deref(), &args.graph.drv))
        .transpose()?;
    let opened;
    let (source, choices) = match &again {
        Some(again) => (&again.source, &again.choices),
        None => {
            opened = Source::of(&args.graph)?;
            (&opened, &args.choices)
        }
    };
    let graph = source.graph()?;
    let machine = args.machine;
    let not_fast = machine != MachineName::Fast && args.cpus != 1;
    let derivation = source.drv.is_none() && again.is_some();
    let unused = Unused::default().machines(&[machine], &args.tools).option(
        not_fast,
        "--cpus",
        "only the fast machine has several CPUs of its own",
    );
    if derivation { unused.derivations(&args.graph.drv) } else { unused }.done()?;
    Ahead::default()
        .file("--record", args.record.as_deref())
        .file("--console", args.console.as_deref())
        .folder("--out", args.out.as_deref())
        .done()?;
    if args.script.is_some() && (args.machine == MachineName::Auto || !args.machine.has_qemu()) {
        return Err(Failure::help(
            "--script: the script needs a machine of its own",
            "take another --machine",
        ));
    }
    if args.script.is_some() && args.tools.kernel.as_deref() == Some("footing") {
        return Err(Failure::help(
            "--script: footing carries out the plan itself",
            "take a Linux kernel, such as --kernel minimal",
        ));
    }
    if args.take && !args.machine.is_deterministic() {
        return Err(Failure::help(
            format!(
                "--take: what a step on {} makes does not follow from what is known of it alone",
                args.machine.word()
            ),
            "take --machine strict or native",
        ));
    }
    if args.machine.starts_in_qemu() {
        tcb::probe(&args.tools)?;
    }
    let mut prepared = prepare(source, graph, choices, &store(&args.cache)?)?;
    again.iter().try_for_each(|again| again.same_plan(&prepared))?;
    let cache = cache(&args.cache);
    let cancel = cancel::watch()?;
    let scratch = args.resume.then(|| prebuilt::scratch(&cache)).transpose()?;
    if let (Some(scratch), Some(record), Some(out)) = (&scratch, &args.record, &args.out) {
        let Resumed { prebuilt, lost } = resume::resume(record, out, &prepared, scratch.path())?;
        lost.iter().for_each(|why| term::note(&format!("built again: {why}")));
        let taken = if prebuilt.len() == 1 { "taken as it is" } else { "taken as they are" };
        term::note(&format!("{} {taken}", term::count(prebuilt.len(), "output")));
        prepared.take_over(prebuilt)?;
    }
    let prepared = prepared.by_script(args.script.as_deref())?;
    let tools = built::tools(&args.tools, &cache)?;
    let setting = Setting {
        machine: args.machine,
        tools: &tools,
        machinery: &Machinery::obtain(&[args.machine], &tools, &cache)?,
        cpus: args.cpus,
        memory: args.memory,
        time_limit: Duration::from_secs(args.timeout),
        console: args.console.as_deref(),
        out: args.out.as_deref().map(|folder| Out {
            folder,
            nar: args.nar,
            scratch: false,
            export: args.export,
        }),
        record: args.record.as_deref(),
        logs: args.record.as_deref(),
        cache: &cache,
    };
    let mut running = Running::new(prepared.steps.len());
    let ended = match args.each {
        true => each::build(source, &prepared, &setting, &mut running, &cancel, (args.jobs, args.take))?,
        false => build::build(source, &prepared, &setting, &mut running, &cancel)?,
    };
    if let Some(path) = &args.record {
        record::write("--record", path, &ended.record)?;
    }
    let mut declared = prepared.graph.derivations.values().map(|derivation| derivation.memory);
    if ended.record.unpinned().iter().any(|note| note == host::NOT_HELD)
        && declared.any(|memory| memory != MEMORY)
    {
        term::note(host::NOT_HELD);
    }
    // A build that failed as the record says it did is the same, and still failed.
    let same =
        again.as_ref().map_or(Ok(()), |again| again.same_results(&ended, Sha256::of(prepared.image().init)));
    let verdict = same.as_ref().copied().and(ended.verdict.as_ref().copied());
    show(args, source, &ended, json.then_some(verdict))?;
    Ok(same.and(ended.verdict))
}

/// What stands goes to standard output; what failed steps had made is a part of why they failed.
fn show(
    args: &args::Run,
    source: &Source,
    ended: &Ended,
    json: Option<Result<(), &Failure>>,
) -> Result<(), Failure> {
    let Ended { plan, image, results, .. } = ended;
    for Output { step, name, sha256, .. } in results.bad() {
        term::note(&format!("failed  {step}: its output {name} came out as {sha256}"));
    }
    if let Some(verdict) = json {
        let said = verdict.err().map(ToString::to_string);
        let one = |output: &Output| json!({ "name": output.name, "sha256": output.sha256, "size": output.size, "step": output.step, "machine": output.machine.as_deref().unwrap_or(args.machine.word()) });
        let (good, bad): (Vec<_>, Vec<_>) =
            (results.good().map(one).collect(), results.bad().map(one).collect());
        let value = json!({
            "graph": source.label(), "plan": plan, "image": image, "steps": results.steps_of_record(),
            "outputs": good, "outputsOfFailedSteps": bad, "error": said,
            "unpinned": ended.record.unpinned(),
        });
        return envelope::print("run", verdict, value);
    }
    let line = |output: &Output| format!("{}  {}\n", output.sha256, output.name);
    term::result(&results.good().map(line).collect::<String>())
}
