//! `groundup plan`: the linear build script, the same bytes that are `/plan` in the image.

use crate::args;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::graph::Source;
use crate::prepare::{prepare, store};
use crate::ui::term;

/// Obtains the inputs, since the plan names their hashes, and prints it.
pub fn plan(graph: &args::Graph, choices: &args::Choices, cache: &args::Cache) -> Result<(), Failure> {
    let source = Source::of(graph)?;
    let graph = source.graph()?;
    let prepared = prepare(&source, graph, choices, &store(cache)?)?;
    nix::stages::refuse(prepared.imported.as_ref())?;
    term::exact(prepared.plan.as_bytes())
}
