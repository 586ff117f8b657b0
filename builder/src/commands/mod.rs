//! One file for each thing that the command line can ask for.
mod check;
mod compare;
mod ddc;
pub(crate) mod image;
mod kernel;
mod lock;
mod plan;
mod run;
mod shell;
mod tcb;

use crate::args::Command;
use crate::failure::Failure;
use crate::term;

/// Does what was asked.
pub fn perform(command: Command) -> Result<(), Failure> {
    match command {
        Command::Check { graph, json } => told(json, check::check(&graph, json))?,
        Command::Lock { graph, cache } => lock::lock(&graph, &cache),
        Command::Plan { graph, choices, cache } => plan::plan(&graph, &choices, &cache),
        Command::Image { graph, output, xz, choices, cache, json } => {
            let target = image::Target { path: &output, xz };
            told(json, image::image(&graph, &target, &choices, &cache, json))
        }
        Command::Run(args) => told(args.json, run::run(&args))?,
        Command::Ddc(args) => told(args.json, ddc::ddc(&args))?,
        Command::Compare(args) => told(args.json, compare::compare(&args))?,
        Command::Tcb { graph, choices, cache, tools, json } => {
            told(json, tcb::tcb(&graph, &choices, &cache, &tools, json))
        }
        Command::Kernel { kernel, cache } => kernel::kernel(kernel, &cache),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { folder } => shell::manual(&folder),
    }
}

/// A program that reads JSON gets it from a command that ended before it had a result, too.
fn told<T>(as_json: bool, result: Result<T, Failure>) -> Result<T, Failure> {
    if let (true, Err(failure)) = (as_json, &result) {
        term::json(&failure.json())?;
    }
    result
}
