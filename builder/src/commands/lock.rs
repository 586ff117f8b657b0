//! `groundup lock`: what a graph leaves open, resolved and written down.

use crate::args;
use crate::envelope;
use crate::failure::Failure;
use crate::prepare::graph::Source;
use crate::prepare::store;
use crate::ui::fetching::Fetching;
use crate::ui::term;
use inputs::lock::renew;
use serde_json::json;
use std::path::Path;

/// Renews the lock file beside the graph. What could not be resolved keeps what it had.
pub fn lock(args: &args::RonGraph, cache: &args::Cache, json: bool) -> Result<(), Failure> {
    let source = Source::open(args.path.as_deref())?;
    let graph = source.graph()?;
    let Some(path) = &source.path else {
        return match json {
            true => say(&source, &[] as &[String], None),
            false => term::result("the built-in graph leaves nothing open\n"),
        };
    };
    let fetching = Fetching::start();
    let renewal = renew(&store(cache)?, &source.all_inputs(&graph), &source.lock()?, false, &fetching);
    fetching.finish();
    if !json {
        renewal.changes.iter().try_for_each(|change| term::result(&format!("{change}\n")))?;
    }
    let written = renewal.lock.save(path).map_err(Failure::input)?;
    if !renewal.errors.is_empty() {
        return Err(source.input_problems(&graph, &renewal.errors));
    }
    if json {
        return say(&source, &renewal.changes, Some((&written, renewal.lock.inputs.len())));
    }
    let count = renewal.lock.inputs.len();
    term::note(&match count {
        0 => format!("{}: nothing is left open, so there is no lock file", source.name),
        _ => format!("{}: {}", written.display(), term::count(count, "input")),
    });
    Ok(())
}

/// For a program: what changed, and where it was written.
fn say(source: &Source, changes: &[impl ToString], lock: Option<(&Path, usize)>) -> Result<(), Failure> {
    let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
    let (path, inputs) = lock.map_or((None, 0), |(path, inputs)| ((inputs > 0).then_some(path), inputs));
    let value = json!({ "graph": source.label(), "changes": changes, "lock": path, "inputs": inputs });
    envelope::print("lock", Ok(()), value)
}
