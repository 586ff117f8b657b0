//! `groundup completions` and `groundup man`: made from the command line's own definition.

use crate::args::Arguments;
use crate::envelope;
use crate::failure::Failure;
use crate::ui::term;
use clap::CommandFactory;
use serde_json::json;
use std::path::Path;

/// Prints a completion script.
pub fn completions(shell: clap_complete::Shell, json: bool) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "groundup", &mut script);
    if json {
        let value = json!({ "shell": shell.to_string(), "text": String::from_utf8_lossy(&script) });
        return envelope::print("completions", Ok(()), value);
    }
    term::result(&String::from_utf8_lossy(&script))
}

/// Writes a page for the program and one for each command.
pub fn manual(folder: &Path, json: bool) -> Result<(), Failure> {
    let fail = |error| Failure::input(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(fail)?;
    clap_mangen::generate_to(Arguments::command(), folder).map_err(fail)?;
    if json { envelope::print("man", Ok(()), json!({ "folder": folder })) } else { Ok(()) }
}
