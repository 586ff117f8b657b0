//! One file for each thing that the command line can ask for.
mod check;
mod image;
mod kernel;
mod lock;
mod plan;
mod run;
mod shell;
mod tcb;

use crate::args::Command;
use crate::failure::Failure;

/// Does what was asked.
pub fn perform(command: Command) -> Result<(), Failure> {
    match command {
        Command::Check { graph, json } => check::check(&graph, json),
        Command::Lock { graph, cache } => lock::lock(&graph, &cache),
        Command::Plan { graph, choices, cache } => plan::plan(&graph, &choices, &cache),
        Command::Image { graph, output, xz, choices, cache, json } => {
            image::image(&graph, &image::Target { path: &output, xz }, &choices, &cache, json)
        }
        Command::Run(args) => run::run(&args),
        Command::Tcb { graph, choices, cache, tools, json } => {
            tcb::tcb(&graph, &choices, &cache, &tools, json)
        }
        Command::Kernel { kernel, cache } => kernel::kernel(kernel, &cache),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { folder } => shell::manual(&folder),
    }
}
