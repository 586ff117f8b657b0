//! `groundup plan`: the linear build script, the same bytes that are `/plan` in the image.

use crate::args;
use crate::envelope;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::graph::Source;
use crate::prepare::{prepare, store};
use crate::ui::term;
use serde_json::json;

/// Obtains the inputs, since the plan names their hashes, and prints it.
pub fn plan(
    graph: &args::Graph,
    choices: &args::Choices,
    cache: &args::Cache,
    json: bool,
) -> Result<(), Failure> {
    let source = Source::of(graph)?;
    let graph = source.graph()?;
    let prepared = prepare(&source, graph, choices, &store(cache)?)?;
    nix::stages::refuse(prepared.imported.as_ref())?;
    if json {
        let (sha256, steps) = (crate::hash(prepared.plan.as_bytes()), &prepared.steps);
        let value =
            json!({ "graph": source.label(), "sha256": sha256, "steps": steps, "text": prepared.plan });
        return envelope::print("plan", Ok(()), value);
    }
    term::exact(prepared.plan.as_bytes())
}
