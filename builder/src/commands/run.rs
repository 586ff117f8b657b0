//! `groundup run`: the image, the machine, and what came of it.

use crate::ahead::Ahead;
use crate::args::{self, MachineName};
use crate::commands::image;
use crate::failure::Failure;
use crate::graph::Source;
use crate::prepare::{self, Prepared, cache, prepare, store};
use crate::record::{Facts, record};
use crate::results::{Outcome, Results};
use crate::running::Running;
use crate::{cancel, outputs, term, tools};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

const MIB: u64 = 1 << 20;
/// For the kernel, PID 1 and page tables, in MiB.
const MARGIN: u64 = 192;
/// Less than this, in MiB, and the kernel says nothing.
const LEAST: u64 = 96;

/// Builds the graph. The record is written whatever comes of it. The inner failure is one that the results tell.
pub fn run(args: &args::Run) -> Result<Result<(), Failure>, Failure> {
    let source = Source::open(args.graph.path.as_deref())?;
    let graph = source.graph()?;
    Ahead::default()
        .file("--record", args.record.as_deref())
        .file("--console", args.console.as_deref())
        .folder("--out", args.out.as_deref())
        .done()?;
    tools::probe(&args.tools)?;
    let prepared = prepare(&source, graph, &args.choices, &store(&args.cache)?)?;
    let steps = prepared.steps()?;
    let cache = cache(&args.cache);
    let kernel = tools::kernel(&args.tools.kernel, &cache)?;
    let parts = tools::parts(&args.tools, &kernel)?;

    let fail = |error| Failure::machine(format!("{}: {error}", cache.display()));
    let cancel = cancel::watch()?;
    // Where old files are swept away, should this process be killed.
    let file =
        tempfile::Builder::new().prefix("image-").tempfile_in(prepare::temporary(&cache)).map_err(fail)?;
    let image = image::write(&prepared, file.as_file(), false, &cancel)?;
    let plan = crate::hash(prepared.plan.as_bytes());
    let (many, read) = (term::count(steps.len(), "step"), term::count(prepared.inputs.len(), "input"));
    term::note(&format!("plan  {plan}  {many}, {read}"));
    term::note(&format!("image {}  {}", image.sha256, term::size(image.size)));

    let machine = machine(args, &prepared, &kernel.path, file.path(), image.unpacked, &cache)?;
    let mut running = Running::new(steps.len());
    let ending = qemu::run(&machine, &mut |line| running.line(&line), &cancel);
    running.finish();
    let results = running.results;
    let verdict = match ending {
        Err(qemu::Error::Cancelled) => Err(Failure::machine(cancel::SAID)),
        Err(error) => Err(Failure::machine(error)),
        Ok(_) if results.plan.as_ref() != Some(&plan) => {
            Err(Failure::machine(format!("the machine ran another plan: {:?}", results.plan)))
        }
        Ok(_) => take(args, &machine, &results).and_then(|()| judge(&results, &steps)),
    };

    let said = verdict.as_ref().err().map(ToString::to_string);
    let facts = Facts {
        graph: &source.text,
        graph_name: source.name.rsplit('/').next().unwrap_or_default(),
        prepared: &prepared,
        image: &image.sha256,
        machine: "strict",
        arguments: arguments(&machine),
        qemu: &parts
            .iter()
            .find(|part| part.name == "qemu")
            .map(|part| part.about.clone())
            .unwrap_or_default(),
        parts: &parts,
        failure: said.as_deref().filter(|_| matches!(verdict, Err(Failure::Machine(_)))),
    };
    let record = record(&facts, &results);
    if let Some(path) = &args.record {
        let text = format!("{record:#}\n");
        std::fs::write(path, text)
            .map_err(|error| Failure::input(format!("--record {}: {error}", path.display())))?;
    }
    show(args, &results, &plan, &image.sha256, said.as_deref())?;
    Ok(verdict)
}

fn machine(
    args: &args::Run,
    prepared: &Prepared,
    kernel: &Path,
    initrd: &Path,
    unpacked: u64,
    cache: &Path,
) -> Result<qemu::Machine, Failure> {
    let MachineName::Strict = args.machine;
    let steps = graphs::memory(&prepared.graph, &prepared.choices).map_err(Failure::input)?;
    let needed = (2 * unpacked).saturating_add(steps).div_ceil(MIB).saturating_add(MARGIN);
    let mut machine = qemu::Machine::new(kernel, initrd);
    machine.program.clone_from(&args.tools.qemu);
    machine.memory = args.memory.unwrap_or(needed);
    let least = (2 * unpacked).div_ceil(MIB).saturating_add(LEAST);
    if machine.memory < least {
        return Err(Failure::help(
            format!(
                "--memory {}: {} MiB too little to start: the kernel takes {LEAST} MiB, and the image of {} twice its size",
                machine.memory,
                least - machine.memory,
                term::size(unpacked)
            ),
            &format!("the default, --memory {needed}, is enough for the image and the hungriest step"),
        ));
    }
    machine.time_limit = Duration::from_secs(args.timeout);
    machine.transcript.clone_from(&args.console);
    if args.out.is_some() {
        let size = (args.export * MIB).next_power_of_two();
        let region = qemu::Region::create(cache, size);
        machine.region =
            Some(region.map_err(|error| Failure::machine(format!("{}: {error}", cache.display())))?);
    }
    Ok(machine)
}

/// QEMU's arguments as a record may hold them: files stand in it by hash, not by where they were.
fn arguments(machine: &qemu::Machine) -> Value {
    let host: [&PathBuf; 2] = [&machine.kernel, &machine.initrd];
    let word = |word: &std::ffi::OsString| match host.iter().position(|path| path.as_os_str() == word) {
        Some(0) => "KERNEL".into(),
        Some(_) => "IMAGE".into(),
        None => word.to_string_lossy().into_owned(),
    };
    json!(machine.arguments().iter().map(word).collect::<Vec<_>>())
}

fn take(args: &args::Run, machine: &qemu::Machine, results: &Results) -> Result<(), Failure> {
    let (Some(folder), Some(region)) = (&args.out, &machine.region) else { return Ok(()) };
    results.outputs.iter().try_for_each(|output| outputs::take(region, output, folder, args.nar))
}

fn judge(results: &Results, steps: &[String]) -> Result<(), Failure> {
    if results.is_good(steps) {
        return Ok(());
    }
    let count = |is: fn(&Outcome) -> bool| results.steps.iter().filter(|step| is(&step.outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let all = term::count(steps.len(), "step");
    Err(Failure::Build(format!("of {all}, {failed} failed, and {skipped} not tried")))
}

fn show(
    args: &args::Run,
    results: &Results,
    plan: &str,
    image: &str,
    said: Option<&str>,
) -> Result<(), Failure> {
    if args.json {
        let outputs: Vec<_> = results
            .outputs
            .iter()
            .map(|output| {
                json!({ "name": output.name, "sha256": output.sha256, "size": output.size, "step": output.step })
            })
            .collect();
        return term::json(
            &json!({ "plan": plan, "image": image, "steps": results.steps_as_json(), "outputs": outputs, "error": said }),
        );
    }
    let line = |output: &crate::results::Output| format!("{}  {}\n", output.sha256, output.name);
    term::result(&results.outputs.iter().map(line).collect::<String>())
}
