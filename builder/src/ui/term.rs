//! Where messages go: results to standard output, everything else to standard error.

use graphs::words::{shown_json, shown_lines};
use std::io::{IsTerminal, Write};

pub use graphs::words::{count, shown};

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Whether somebody is there to watch.
pub fn is_watched() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    std::io::stderr().is_terminal() && !dumb
}

/// Whether messages have colours.
pub fn colors() -> bool {
    is_watched() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A message for a person; an empty one says nothing. What strangers wrote in it gives no orders to the terminal.
pub fn note(text: &str) {
    rendered(&shown_lines(text));
}

/// A message that was made for a terminal, its colours included, of words that were made harmless.
pub fn rendered(text: &str) {
    if !text.is_empty() {
        // There is nowhere else to say that standard error is closed.
        let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
    }
}

/// A result. What strangers wrote in it gives no orders to the terminal.
pub fn result(text: &str) -> Result<(), crate::failure::Failure> {
    bytes(shown_lines(text).as_bytes())
}

/// A result of which every byte counts: as it is, but on a terminal.
pub fn exact(text: &[u8]) -> Result<(), crate::failure::Failure> {
    match std::io::stdout().is_terminal() {
        true => result(&String::from_utf8_lossy(text)),
        false => bytes(text),
    }
}

/// A reader that went away has what it wanted.
fn bytes(bytes: &[u8]) -> Result<(), crate::failure::Failure> {
    match std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(crate::failure::Failure::input(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// A result as JSON.
pub fn json(value: &serde_json::Value) -> Result<(), crate::failure::Failure> {
    bytes(shown_json(&format!("{value:#}\n")).as_bytes())
}

/// Bytes as a person reads them.
pub fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
