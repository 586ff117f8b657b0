//! Where messages go: results to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

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

/// A message for a person; an empty one says nothing.
pub fn note(text: &str) {
    if !text.is_empty() {
        // There is nowhere else to say that standard error is closed.
        let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
    }
}

/// A result. A reader that went away has what it wanted.
pub fn result(text: &str) -> Result<(), crate::failure::Failure> {
    bytes(text.as_bytes())
}

/// A result that need not be text.
pub fn bytes(bytes: &[u8]) -> Result<(), crate::failure::Failure> {
    match std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(crate::failure::Failure::input(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// A result as JSON.
pub fn json(value: &serde_json::Value) -> Result<(), crate::failure::Failure> {
    result(&format!("{value:#}\n"))
}

/// So many of something.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Bytes as a person reads them.
pub fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
