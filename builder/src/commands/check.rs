//! `groundup check`: every problem of a graph, with its place.

use crate::args;
use crate::failure::{Failure, list};
use crate::graph::Source;
use crate::term;
use graphs::Choices;
use serde_json::json;

/// Reads and checks the graph, and nothing else: no input is fetched. The inner failure is one that the JSON tells.
pub fn check(args: &args::Graph, as_json: bool) -> Result<Result<(), Failure>, Failure> {
    let source = Source::open(args.path.as_deref())?;
    let loaded = graphs::load(&source.name, &source.text);
    let (Ok((_, found)) | Err(found)) = &loaded;
    if as_json {
        term::json(&json!({ "graph": source.name, "problems": list(found) }))?;
    }
    match loaded {
        Err(found) => Ok(Err(Failure::Problems(found))),
        Ok((graph, warnings)) => {
            term::note(&warnings.render(term::colors()));
            if !as_json {
                let steps = graphs::order(&graph, &Choices::defaults(&graph)).map_err(Failure::input)?;
                term::result(&format!("{}: good, {} steps\n", source.name, steps.len()))?;
            }
            Ok(Ok(()))
        }
    }
}
