//! `groundup check`: every problem of a graph, with its place.

use crate::args;
use crate::failure::Failure;
use crate::graph::{Source, problems};
use crate::term;
use graphs::{Choices, Problems, Severity};
use serde_json::{Value, json};

/// Reads and checks the graph, and nothing else: no input is fetched.
pub fn check(args: &args::Graph, as_json: bool) -> Result<(), Failure> {
    let source = Source::open(args.path.as_deref())?;
    let loaded = graphs::load(&source.name, &source.text);
    let (Ok((_, found)) | Err(found)) = &loaded;
    if as_json {
        term::json(&json!({ "graph": source.name, "problems": list(found) }))?;
    }
    match loaded {
        Err(found) if as_json => Err(Failure::Input(format!("{}: {} errors", source.name, found.errors()))),
        Err(found) => Err(problems(found)),
        Ok(_) if as_json => Ok(()),
        Ok((graph, warnings)) => {
            term::note(&warnings.render(term::colors()));
            let steps = graphs::order(&graph, &Choices::defaults(&graph)).map_err(Failure::input)?;
            term::result(&format!("{}: good, {}\n", source.name, term::count(steps.len(), "step")))
        }
    }
}

fn list(problems: &Problems) -> Vec<Value> {
    let one = |problem: &graphs::Problem| {
        let place = problems.line_and_column(problem);
        json!({
            "severity": match problem.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "message": problem.message,
            "help": problem.help,
            "line": place.map(|(line, _)| line),
            "column": place.map(|(_, column)| column),
        })
    };
    problems.list().iter().map(one).collect()
}
