//! `groundup script`: the plan as a POSIX shell script, for whoever does not trust our PID 1.

use crate::args;
use crate::envelope;
use crate::failure::Failure;
use crate::prepare::graph::Source;
use crate::prepare::{prepare, store};
use crate::run::preflight::Ahead;
use crate::ui::term;
use serde_json::json;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Prints the script or writes it, executable, to a file.
pub fn script(
    graph: &args::RonGraph,
    output: Option<&Path>,
    choices: &args::Choices,
    cache: &args::Cache,
    json: bool,
) -> Result<(), Failure> {
    let source = Source::open(graph.path.as_deref())?;
    let graph = source.graph()?;
    Ahead::default().file("--output", output).done()?;
    let prepared = prepare(&source, graph, choices, &store(cache)?)?;
    let text = crate::audit::script::script(prepared.plan.as_bytes()).map_err(Failure::input)?;
    let Some(output) = output else {
        return match json {
            true => say(&text, None),
            false => term::exact(&text),
        };
    };
    let fail = |error: io::Error| Failure::input(format!("--output {}: {error}", output.display()));
    let file = File::options().write(true).create(true).truncate(true).mode(0o777).open(output);
    file.and_then(|mut file| file.write_all(&text)).map_err(fail)?;
    if json { say(&text, Some(output)) } else { Ok(()) }
}

/// For a program: the script itself where no file was named.
fn say(text: &[u8], path: Option<&Path>) -> Result<(), Failure> {
    let shown = path.is_none().then(|| String::from_utf8_lossy(text));
    envelope::print("script", Ok(()), json!({ "sha256": crate::hash(text), "path": path, "text": shown }))
}
