//! `groundup check`: every problem of a graph, with its place.

use crate::args;
use crate::envelope;
use crate::failure::{Failure, list};
use crate::nix;
use crate::prepare::graph::Source;
use crate::prepare::unused::Unused;
use crate::ui::term;
use formats::store_path::base;
use graphs::drv::fetch;
use graphs::{Choices, Graph, Problems};
use serde_json::json;
use std::path::Path;

/// Reads and checks the graph, its lock file and the files beside it; no input is fetched. The inner failure is one that the
/// JSON tells.
pub fn check(args: &args::Graph, as_json: bool) -> Result<Result<(), Failure>, Failure> {
    if let Some(path) = nix::is(args) {
        return derivation(path, args, as_json);
    }
    let source = Source::of(args)?;
    let loaded = load(&source)?;
    let problems = list(match &loaded {
        Ok((_, found)) | Err(found) => found,
    });
    let say = |verdict: Result<(), &Failure>| {
        envelope::print("check", verdict, json!({ "graph": source.label(), "problems": problems }))
    };
    match loaded {
        Err(found) => {
            let failure = Failure::Problems(found);
            if as_json {
                say(Err(&failure))?;
            }
            Ok(Err(failure))
        }
        Ok((graph, warnings)) => {
            if as_json {
                say(Ok(()))?;
            }
            term::rendered(&warnings.render(term::colors()));
            if !as_json {
                let steps = graphs::order(&graph, &Choices::defaults(&graph)).map_err(Failure::input)?;
                term::result(&format!("{}: good, {}\n", source.label(), term::count(steps.len(), "step")))?;
            }
            Ok(Ok(()))
        }
    }
}

/// The graph with its warnings, or its problems, those of the files beside it among them.
fn load(source: &Source) -> Result<Result<(Graph, Problems), Problems>, Failure> {
    let graph = match graphs::read(&source.name, &source.text) {
        Ok(graph) => graph,
        Err(problems) => return Ok(Err(problems)),
    };
    let mut problems = graphs::check(&graph, &source.name, &source.text).list().to_vec();
    let inputs = source.all_inputs(&graph);
    problems.extend(inputs.iter().filter_map(inputs::missing).map(|error| inputs::problem(&graph, &error)));
    let problems = Problems::new(&source.name, &source.text, problems);
    match problems.into_result() {
        Err(problems) => Ok(Err(problems)),
        Ok(warnings) => source.lock().map(|_| Ok((graph, warnings))),
    }
}

/// A derivation of Nix or Guix with all that it needs, and what of that has to be fetched.
fn derivation(path: &Path, args: &args::Graph, as_json: bool) -> Result<Result<(), Failure>, Failure> {
    let name = path.display().to_string();
    Unused::default().contents(&args.drv).done()?;
    let loaded = nix::load(path, &args.drv);
    if as_json {
        let problems = match &loaded {
            Err(Failure::Problems(found)) => list(found),
            _ => vec![],
        };
        let verdict = loaded.as_ref().map(|_| ());
        envelope::print("check", verdict, json!({ "graph": name, "problems": problems }))?;
    }
    let closure = match loaded {
        Err(failure) => return Ok(Err(failure)),
        Ok((loaded, _)) => loaded.closure,
    };
    if !as_json {
        let fetched: Vec<_> =
            closure.order.iter().filter_map(|path| fetch::fetch(closure.get(path))).collect();
        let sources: usize = closure.sources().len();
        let text = format!(
            "{name}: good, {}, {} of them with a fixed output, {}\n",
            term::count(closure.order.len(), "derivation"),
            fetched.len(),
            term::count(sources, "source")
        );
        let line = |fetch: &fetch::Fetch<'_>| {
            let from = if fetch.urls.is_empty() { "(no URL)".into() } else { fetch.urls.join(" ") };
            format!("{}:{}  {}  {from}\n", fetch.fixed.method(), fetch.fixed.hash, base(fetch.path))
        };
        term::result(&(text + &fetched.iter().map(line).collect::<String>()))?;
    }
    Ok(Ok(()))
}
