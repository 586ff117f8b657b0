//! A place where two trees or files differ, in words and for programs: for `compare` and `diff`, and the bytes there for `probe`, too.

use diff::{Difference, Part, What};
use graphs::words::shown;
use serde_json::{Value, json};
use std::fmt::Write;

/// Parts of a file that a person is shown; programs get all.
pub const SHOWN: usize = 8;
/// Bytes that are shown of each side, and how many of them come before the first that differs.
const SAMPLE: usize = 16;
const BEFORE: usize = 4;

/// The bytes around the first that differs in a part, of both sides, and the offset at which they start.
pub fn sample(one: &[u8], other: &[u8], part: &Part) -> (u64, Vec<u8>, Vec<u8>) {
    let start = usize::try_from(part.first).unwrap_or(usize::MAX).saturating_sub(BEFORE);
    let shown = |bytes: &[u8]| {
        let end = bytes.len().min(start.saturating_add(SAMPLE));
        bytes.get(start..end).unwrap_or_default().to_vec()
    };
    (start as u64, shown(one), shown(other))
}

/// Writes a difference in lines that begin with `indent`.
pub fn write(text: &mut String, difference: &Difference, indent: &str) {
    let path = match difference.path.as_os_str().is_empty() {
        true => ".".to_owned(),
        false => shown(&difference.path.to_string_lossy()).into_owned(),
    };
    let which = |first| if first { "only the first" } else { "only the other" };
    let what = match &difference.what {
        What::OnlyIn { first } => format!("{} has it", which(*first)),
        What::Kind { one, other } => format!("a {one} against a {other}"),
        What::Executable { first } => format!("{} is executable", which(*first)),
        What::Target { one, other } => {
            format!("leads to {} against {}", shown(&one.to_string_lossy()), shown(&other.to_string_lossy()))
        }
        What::Bytes { sizes, parts } => {
            let _ = writeln!(
                text,
                "{indent}{path}: {} against {}",
                sizes.0,
                crate::ui::term::count(sizes.1 as usize, "byte")
            );
            for part in parts.iter().take(SHOWN) {
                let way = part.at.iter().map(|step| format!(", {step}")).collect::<String>();
                let _ = writeln!(text, "{indent}  byte {}{}: {} differ", part.first, way, part.bytes);
            }
            if parts.len() > SHOWN {
                let _ = writeln!(
                    text,
                    "{indent}  and {}",
                    crate::ui::term::count(parts.len() - SHOWN, "more part")
                );
            }
            return;
        }
    };
    let _ = writeln!(text, "{indent}{path}: {what}");
}

/// The same for a program.
pub fn json(difference: &Difference) -> Value {
    let mut value = match &difference.what {
        What::OnlyIn { first } => json!({ "onlyIn": if *first { "one" } else { "other" } }),
        What::Kind { one, other } => json!({ "kinds": [one, other] }),
        What::Executable { first } => json!({ "executable": if *first { "one" } else { "other" } }),
        What::Target { one, other } => json!({ "targets": [one, other] }),
        What::Bytes { sizes, parts } => {
            let part = |part: &Part| {
                let way: Vec<_> = part.at.iter().map(ToString::to_string).collect();
                json!({ "first": part.first, "bytes": part.bytes, "at": way })
            };
            json!({ "sizes": [sizes.0, sizes.1], "parts": parts.iter().map(part).collect::<Vec<_>>() })
        }
    };
    value["path"] = json!(difference.path.to_string_lossy());
    value
}
