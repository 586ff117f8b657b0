//! `groundup fmt`: a graph's text in one form.

use crate::args;
use crate::envelope;
use crate::failure::Failure;
use crate::prepare::graph::Source;
use crate::ui::term;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes the file anew where its form is another; with `check` nothing is written, and another form is a failure. The inner failure is
/// one that was printed.
pub fn fmt(graph: &args::RonGraph, check: bool, json: bool) -> Result<Result<(), Failure>, Failure> {
    let source = Source::open(graph.path.as_deref())?;
    let Some(path) = &source.path else {
        return Err(Failure::help(
            "no GRAPH is named, and there is none in this folder",
            "name a graph in RON",
        ));
    };
    let read = graphs::read(&source.name, &source.text).map_err(Failure::Problems)?;
    let text = graphs::format(&source.text);
    if graphs::read(&source.name, &text).ok() != Some(read) {
        return Err(Failure::input(format!(
            "{}: formatting would change what it says: please report this",
            source.name
        )));
    }
    let changed = text != source.text;
    if changed && !check {
        write(path, &text).map_err(|error| Failure::written(path, "the graph", &error))?;
    }
    let verdict = match changed && check {
        true => Err(Failure::Differs(format!("{}: not as `groundup fmt` writes it", source.name))),
        false => Ok(()),
    };
    if json {
        let value = json!({ "graph": source.name, "changed": changed, "written": changed && !check });
        envelope::print("fmt", verdict.as_ref().copied(), value)?;
    } else if changed && !check {
        term::note(&format!("{}: formatted", source.name));
    }
    Ok(verdict)
}

/// In one go, with the mode of before; where a link leads is where it is written.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path)?;
    let mode = fs::metadata(&path)?.permissions().mode();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut builder = tempfile::Builder::new();
    let mut file = builder.permissions(fs::Permissions::from_mode(mode)).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
