//! `groundup init`: a graph to begin with.

use crate::args::Template;
use crate::envelope;
use crate::failure::Failure;
use crate::ui::term;
use serde_json::json;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes `graph.ron` into a folder. A file that is there stays.
pub fn init(template: Template, folder: &Path, json: bool) -> Result<(), Failure> {
    let text = match template {
        Template::C => include_str!("init/c.ron"),
        Template::Python => include_str!("init/python.ron"),
        Template::Empty => include_str!("init/empty.ron"),
    };
    let path = folder.join("graph.ron");
    let fail = |error: &io::Error| Failure::written(&path, "the graph", error);
    fs::create_dir_all(folder).map_err(|error| fail(&error))?;
    let made = fs::OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::help(
            format!("{} is there already", path.display()),
            "name another folder, or take the file away",
        ),
        _ => fail(&error),
    })?;
    file.write_all(text.as_bytes()).map_err(|error| fail(&error))?;
    if json {
        return envelope::print("init", Ok(()), json!({ "path": path }));
    }
    let named = path.strip_prefix(".").unwrap_or(&path).display().to_string();
    let named = term::quoted(&named);
    term::note(&format!("next: groundup lock {named}, then groundup run {named}"));
    term::result(&format!("{named}\n"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_template_is_a_good_graph() {
        for text in
            [include_str!("init/c.ron"), include_str!("init/python.ron"), include_str!("init/empty.ron")]
        {
            let (_, warnings) =
                graphs::load("graph.ron", text).unwrap_or_else(|problems| panic!("{problems}"));
            assert!(warnings.list().is_empty(), "{warnings}");
        }
    }
}
