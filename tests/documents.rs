//! The examples in the documents: files that a page shows are written to a folder, and every line that starts with `$` is run there
//! and must print what stands below it.
//!
//! A block whose info string is a language and a file name is that file. A block `console` holds commands and what they print on
//! standard output; `[..]` stands for text within a line and `...` for lines, and an exit status that is not 0 is a last line.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use support::folder;

/// Splits a page into the info strings and the texts of its fenced blocks.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n"));
            blocks.push((info, text.collect()));
        }
    }
    blocks
}

/// Runs a command line with `groundup` on the path, and gives what it printed and how it ended.
fn run(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_groundup")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path).stdin(Stdio::null());
    let output = shell.output().unwrap();
    let mut printed = String::from_utf8(output.stdout).unwrap();
    if !output.status.success() {
        printed += &format!("[exit status: {}]\n", output.status.code().unwrap());
        eprintln!("{command}:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    printed
}

/// Runs all examples of a page, and gives how many commands there were.
fn examples(page: &str) -> usize {
    let folder = folder();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
    let mut commands = 0;
    for (info, text) in blocks(&fs::read_to_string(path).unwrap()) {
        if let Some((_, file)) = info.split_once(' ') {
            fs::write(folder.path().join(file), text).unwrap();
        } else if info == "console" {
            let mut printed = String::new();
            for command in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
                printed += &format!("$ {command}\n{}", run(command, folder.path()));
                commands += 1;
            }
            snapbox::assert_data_eq!(printed, text);
        }
    }
    commands
}

#[test]
fn the_examples_print_what_the_documents_show() {
    for page in ["tutorial", "graph", "probe"] {
        assert!(examples(&format!("docs/{page}.md")) > 0, "{page} has no example");
    }
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.chain(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name)));
    for page in pages.filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.contains("://")) {
            let file = page.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(file.exists(), "{}: {link} leads nowhere", page.display());
        }
    }
}
