//! One file for each thing that the command line can ask for.
mod check;
mod compare;
mod ddc;
mod disk;
pub(crate) mod image;
mod init;
mod kernel;
mod lock;
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
use crate::failure::Failure;
use crate::prepare::graph::settle;
use crate::ui::term;
use std::path::{Path, PathBuf};

/// Does what was asked.
pub fn perform(mut command: Command) -> Result<(), Failure> {
    if let Some(graph) = graph(&mut command) {
        settle(graph);
    }
    match command {
        Command::Init { template, folder } => init::init(template, &folder),
        Command::Check { graph, json } => report_failure(json, check::check(&graph, json))?,
        Command::Show { graph, recursive, json } => report_failure(json, show::show(&graph, recursive, json)),
        Command::Lock { graph, cache } => lock::lock(&graph, &cache),
        Command::Plan { graph, choices, cache } => plan::plan(&graph, &choices, &cache),
        Command::Image { graph, output, usb, kernel, xz, script, choices, cache, json } => {
            let target = image::Target {
                path: output.as_deref().or(usb.as_deref()).unwrap_or(Path::new("")),
                disk: usb.as_ref().map(|_| kernel.as_deref().unwrap_or("footing")),
                xz,
                script: script.as_deref(),
            };
            report_failure(json, image::image(&graph, &target, &choices, &cache, json))
        }
        Command::Run(args) => report_failure(args.json, run::run(&args))?,
        Command::Ddc(args) => report_failure(args.json, ddc::ddc(&args))?,
        Command::Probe(args) => report_failure(args.json, probe::probe(&args))?,
        Command::Compare(args) => report_failure(args.json, compare::compare(&args))?,
        Command::Key { command: KeyCommand::New { file, comment } } => sign::new_key(&file, &comment),
        Command::Sign(args) => sign::sign(&args),
        Command::Verify(args) => report_failure(args.json, sign::verify(&args))?,
        Command::Script { graph, output, choices, cache } => {
            script::script(&graph, output.as_deref(), &choices, &cache)
        }
        Command::VerifyImage { image, json } => {
            report_failure(json, verify_image::verify_image(&image, json))?
        }
        Command::Tcb { graph, choices, cache, tools, usb, json } => {
            report_failure(json, tcb::tcb(&graph, &choices, &cache, &tools, (usb, json)))
        }
        Command::Kernel { kernel, cache } => kernel::kernel(kernel, &cache),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { folder } => shell::manual(&folder),
    }
}

/// The graph that a command works on, where it works on one that need not be named.
fn graph(command: &mut Command) -> Option<&mut Option<PathBuf>> {
    match command {
        Command::Check { graph, .. }
        | Command::Plan { graph, .. }
        | Command::Image { graph, .. }
        | Command::Tcb { graph, .. } => Some(&mut graph.path),
        Command::Lock { graph, .. } | Command::Script { graph, .. } => Some(&mut graph.path),
        Command::Run(args) => args.from.is_none().then_some(&mut args.graph.path),
        Command::Ddc(args) => Some(&mut args.graph.path),
        Command::Probe(args) => Some(&mut args.graph.path),
        // Derivations alone, or an option that is left out where no graph is meant.
        Command::Show { .. } | Command::Verify(_) => None,
        Command::Init { .. }
        | Command::Compare(_)
        | Command::Key { .. }
        | Command::Sign(_)
        | Command::VerifyImage { .. }
        | Command::Kernel { .. }
        | Command::Completions { .. }
        | Command::Man { .. } => None,
    }
}

/// A program that reads JSON gets it from a command that ended before it had a result, too.
fn report_failure<T>(as_json: bool, result: Result<T, Failure>) -> Result<T, Failure> {
    if let (true, Err(failure)) = (as_json, &result) {
        term::json(&failure.json())?;
    }
    result
}
