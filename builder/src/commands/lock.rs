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

/// What to do with the lock file.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// Only say whether it is complete.
    pub check: bool,
    /// The inputs that are resolved anew; without any, all are.
    pub update: &'a [String],
}

/// Renews the lock file beside the graph. What could not be resolved keeps what it had. The inner failure is one that the changes tell.
pub fn lock(
    args: &args::RonGraph,
    how: How<'_>,
    cache: &args::Cache,
    json: bool,
) -> Result<Result<(), Failure>, Failure> {
    let source = Source::open(args.path.as_deref())?;
    let graph = source.graph()?;
    let inputs = source.all_inputs(&graph);
    if let Some(name) =
        how.update.iter().find(|name| !inputs.iter().any(|spec| spec.name == **name && spec.floats()))
    {
        let open: Vec<_> =
            inputs.iter().filter(|spec| spec.floats()).map(|spec| spec.name.as_str()).collect();
        let help = format!("the graph leaves open: {}", open.join(", "));
        return Err(Failure::help(format!("--update {name}: no input of this name is left open"), &help));
    }
    let Some(path) = &source.path else {
        match json {
            true => say(&source, &[] as &[String], None, Ok(()))?,
            false => term::result("the built-in graph leaves nothing open\n")?,
        }
        return Ok(Ok(()));
    };
    let fetching = Fetching::start();
    let all = how.update.is_empty() && !how.check;
    let keep = |name: &str| !all && !how.update.iter().any(|update| update == name);
    let renewal = renew(&store(cache)?, &inputs, &source.lock()?, &keep, &fetching);
    fetching.finish();
    if !json {
        renewal.changes.iter().try_for_each(|change| term::result(&format!("{change}\n")))?;
    }
    let written = if how.check { None } else { Some(renewal.lock.save(path).map_err(Failure::input)?) };
    if !renewal.errors.is_empty() {
        return Err(source.input_problems(&graph, &renewal.errors));
    }
    let count = renewal.lock.inputs.len();
    let verdict = match how.check && !renewal.changes.is_empty() {
        true => {
            Err(Failure::Differs(format!("{}: the lock file is not complete: groundup lock", source.name)))
        }
        false => Ok(()),
    };
    if json {
        let lock = written.as_deref().map(|written| (written, count));
        say(&source, &renewal.changes, lock, verdict.as_ref().copied())?;
        return Ok(verdict);
    }
    term::note(&match (written, count) {
        (None, _) if verdict.is_err() => String::new(),
        (None, _) => format!(
            "{}: the lock file has {}, all that is left open",
            source.name,
            term::count(count, "input")
        ),
        (_, 0) => format!("{}: nothing is left open, so there is no lock file", source.name),
        (Some(written), _) => format!("{}: {}", written.display(), term::count(count, "input")),
    });
    Ok(verdict)
}

/// For a program: what changed, and where it was written.
fn say(
    source: &Source,
    changes: &[impl ToString],
    lock: Option<(&Path, usize)>,
    verdict: Result<(), &Failure>,
) -> Result<(), Failure> {
    let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
    let (path, inputs) = lock.map_or((None, 0), |(path, inputs)| ((inputs > 0).then_some(path), inputs));
    let value = json!({ "graph": source.label(), "changes": changes, "lock": path, "inputs": inputs });
    envelope::print("lock", verdict, value)
}
