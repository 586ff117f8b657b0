//! One file for each thing that the command line can ask for.
mod cache;
mod check;
mod compare;
mod ddc;
mod diff;
mod disk;
mod doctor;
mod fmt;
mod graph;
mod hash;
pub(crate) mod image;
mod init;
mod kernel;
mod lock;
mod log;
mod plan;
mod probe;
mod run;
mod script;
mod shell;
mod show;
mod sign;
mod tcb;
mod verify_image;

use crate::args::{Command, KeyCommand};
use crate::envelope;
use crate::failure::Failure;
use crate::prepare::graph::settle;
use std::path::{Path, PathBuf};

/// Does what was asked. With `json`, one value comes to standard output, whatever comes of it.
pub fn perform(mut command: Command, json: bool) -> Result<(), Failure> {
    let (name, told) = (name(&command), tells_its_failure(&command));
    if let Some(graph) = graph(&mut command) {
        settle(graph);
    }
    match act(command, json) {
        Ok(verdict) if told => verdict,
        Ok(verdict) => report_failure(json, name, verdict),
        Err(failure) => report_failure(json, name, Err(failure)),
    }
}

/// The inner failure is one that what was printed tells, where [`tells_its_failure`]; the outer one is why nothing was printed.
fn act(command: Command, json: bool) -> Result<Result<(), Failure>, Failure> {
    match command {
        Command::Check { graph } => check::check(&graph, json),
        Command::Log { step, record } => log::log(&step, record.as_deref(), json),
        Command::Run(args) => run::run(&args, json),
        Command::Ddc(args) => ddc::ddc(&args, json),
        Command::Probe(args) => probe::probe(&args, json),
        Command::Compare(args) => compare::compare(&args, json),
        Command::Diff { one, other } => diff::diff(&one, &other, json),
        Command::Verify(args) => sign::verify(&args, json),
        Command::VerifyImage { image } => verify_image::verify_image(&image, json),
        Command::Hash { what, cache } => Ok(hash::hash(&what, &cache, json)),
        Command::Init { template, folder } => Ok(init::init(template, &folder, json)),
        Command::Show { graph, recursive } => Ok(show::show(&graph, recursive, json)),
        Command::Lock { graph, check, update, cache } => {
            lock::lock(&graph, lock::How { check, update: &update }, &cache, json)
        }
        Command::Fmt { graph, check } => fmt::fmt(&graph, check, json),
        Command::Doctor { cache } => doctor::doctor(&cache, json),
        Command::Plan { graph, choices, cache } => Ok(plan::plan(&graph, &choices, &cache, json)),
        Command::Graph(args) => Ok(graph::graph(&args, json)),
        Command::Image { graph, output, usb, kernel, xz, script, choices, cache } => {
            let target = image::Target {
                path: output.as_deref().or(usb.as_deref()).unwrap_or(Path::new("")),
                disk: usb.as_ref().map(|_| kernel.as_deref().unwrap_or("footing")),
                xz,
                script: script.as_deref(),
            };
            Ok(image::image(&graph, &target, &choices, &cache, json))
        }
        Command::Key { command: KeyCommand::New { file, comment } } => {
            Ok(sign::new_key(&file, &comment, json))
        }
        Command::Sign(args) => Ok(sign::sign(&args, json)),
        Command::Script { graph, output, choices, cache } => {
            Ok(script::script(&graph, output.as_deref(), &choices, &cache, json))
        }
        Command::Tcb { graph, choices, cache, tools, usb } => {
            Ok(tcb::tcb(&graph, &choices, &cache, &tools, (usb, json)))
        }
        Command::Cache { cache, limit } => Ok(cache::cache(&cache, limit, json)),
        Command::Kernel { kernel, cache } => Ok(kernel::kernel(kernel, &cache, json)),
        Command::Completions { shell } => Ok(shell::completions(shell, json)),
        Command::Man { folder } => Ok(shell::manual(&folder, json)),
    }
}

/// Whether the inner failure of [`act`] stands in what the command printed.
fn tells_its_failure(command: &Command) -> bool {
    matches!(
        command,
        Command::Check { .. }
            | Command::Log { .. }
            | Command::Lock { .. }
            | Command::Fmt { .. }
            | Command::Doctor { .. }
            | Command::Run(_)
            | Command::Ddc(_)
            | Command::Probe(_)
            | Command::Compare(_)
            | Command::Diff { .. }
            | Command::Verify(_)
            | Command::VerifyImage { .. }
    )
}

/// As it is written on the command line.
fn name(command: &Command) -> &'static str {
    match command {
        Command::Init { .. } => "init",
        Command::Check { .. } => "check",
        Command::Show { .. } => "show",
        Command::Lock { .. } => "lock",
        Command::Plan { .. } => "plan",
        Command::Graph(_) => "graph",
        Command::Image { .. } => "image",
        Command::Log { .. } => "log",
        Command::Run(_) => "run",
        Command::Ddc(_) => "ddc",
        Command::Probe(_) => "probe",
        Command::Compare(_) => "compare",
        Command::Diff { .. } => "diff",
        Command::Doctor { .. } => "doctor",
        Command::Fmt { .. } => "fmt",
        Command::Hash { .. } => "hash",
        Command::Key { .. } => "key",
        Command::Sign(_) => "sign",
        Command::Verify(_) => "verify",
        Command::Script { .. } => "script",
        Command::VerifyImage { .. } => "verify-image",
        Command::Tcb { .. } => "tcb",
        Command::Cache { .. } => "cache",
        Command::Kernel { .. } => "kernel",
        Command::Completions { .. } => "completions",
        Command::Man { .. } => "man",
    }
}

/// The graph that a command works on, where it works on one that need not be named.
fn graph(command: &mut Command) -> Option<&mut Option<PathBuf>> {
    match command {
        Command::Check { graph, .. }
        | Command::Plan { graph, .. }
        | Command::Image { graph, .. }
        | Command::Tcb { graph, .. } => Some(&mut graph.path),
        Command::Lock { graph, .. } | Command::Fmt { graph, .. } | Command::Script { graph, .. } => {
            Some(&mut graph.path)
        }
        Command::Run(args) => args.from.is_none().then_some(&mut args.graph.path),
        Command::Graph(args) => Some(&mut args.graph.path),
        Command::Ddc(args) => Some(&mut args.graph.path),
        Command::Probe(args) => Some(&mut args.graph.path),
        // Derivations alone, or an option that is left out where no graph is meant.
        Command::Show { .. } | Command::Verify(_) => None,
        Command::Init { .. }
        | Command::Log { .. }
        | Command::Compare(_)
        | Command::Diff { .. }
        | Command::Doctor { .. }
        | Command::Hash { .. }
        | Command::Key { .. }
        | Command::Sign(_)
        | Command::VerifyImage { .. }
        | Command::Cache { .. }
        | Command::Kernel { .. }
        | Command::Completions { .. }
        | Command::Man { .. } => None,
    }
}

/// A program that reads JSON gets it from a command that ended before it had a result, too.
fn report_failure(json: bool, command: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    if let (true, Err(failure)) = (json, &result) {
        envelope::print_failure(Some(command), failure)?;
    }
    result
}
