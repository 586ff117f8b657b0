//! RON text into a [`Graph`].
//!
//! Grammar: RON's own, <https://github.com/ron-rs/ron/blob/master/docs/grammar.md>, with `implicit_some` on.
//! Enforced here: the grammar, the fields' types, no unknown fields. Everything else: [`check()`](crate::check()). `ron` stops
//! at the first error, so there is one problem at most.

mod explain;

use ron::error::{Position, SpannedError};
use ron::extensions::Extensions;

use crate::model::{FLAT, Graph};
use crate::problem::{Problem, Problems};

/// Reads the text that goes by `name`.
pub fn read(name: &str, text: &str) -> Result<Graph, Problems> {
    let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    let read = options.from_str(text).map_err(|error| Problems::new(name, text, vec![problem(text, &error)]));
    read.map(|mut graph: Graph| {
        in_hex(&mut graph);
        graph
    })
}

/// Hashes that are written as SRI does become those in hex that the rest of the program knows. What is no SRI stays as it is, for the
/// checks.
fn in_hex(graph: &mut Graph) {
    let hex = |text: &mut String| {
        let (flat, sri) = text.strip_prefix(FLAT).map_or(("", text.as_str()), |rest| (FLAT, rest));
        if sri.starts_with("sha256-")
            && let Some(sha256) = formats::nix_hash::sha256(sri)
        {
            *text = format!("{flat}{sha256}");
        }
    };
    let inputs = graph.seeds.values_mut().chain(graph.sources.values_mut());
    inputs.filter_map(|input| input.sha256.as_mut()).for_each(hex);
    for derivation in graph.derivations.values_mut() {
        derivation.expect.values_mut().chain(derivation.expect_files.values_mut()).for_each(hex);
    }
}

fn problem(text: &str, error: &SpannedError) -> Problem {
    let (message, help) = explain::explain(&error.code);
    Problem::error(message).help(help).spanning(span(text, error))
}

/// What an error of `ron`'s points at in the text that it comes from.
pub fn span(text: &str, error: &SpannedError) -> std::ops::Range<usize> {
    narrow(text, offset(text, &error.span.start), offset(text, &error.span.end))
}

/// The byte at which a position of `ron` lies: lines and columns count from one, columns in characters.
fn offset(text: &str, position: &Position) -> usize {
    let line: usize = text.split_inclusive('\n').take(position.line - 1).map(str::len).sum();
    let within = text[line..].char_indices().nth(position.col - 1).map_or(text.len() - line, |(at, _)| at);
    line + within
}

/// `ron`'s span reaches from before to after what it tried, so it may hold lines of blanks: keep the first line
/// of what is not blank, and at least the character there.
fn narrow(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let end = end.max(start);
    let inside = &text[start..end];
    let start = if inside.trim().is_empty() { end } else { end - inside.trim_start().len() };
    let inside = text[start..end].trim_end();
    let len = inside.find('\n').unwrap_or(inside.len());
    match text[start..].chars().next() {
        Some(c) if len == 0 && c != '\n' => start..start + c.len_utf8(),
        _ => start..start + len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (usize, usize, String) {
        let problems = read("x.ron", text).unwrap_err();
        let problem = &problems.list()[0];
        let (line, column) = problems.line_and_column(problem).unwrap();
        (line, column, text[problem.span.clone().unwrap()].to_owned())
    }

    #[test]
    fn errors_carry_line_column_and_what_stands_there() {
        assert_eq!(refused("(derivations: {},\n  bogus: 3)"), (2, 3, "bogus".to_owned()));
        assert_eq!(refused("(derivations: {}\n  targets: [])"), (2, 3, "t".to_owned()));
        assert_eq!(refused("(derivations: {}, targets: [\"é\", 3])"), (1, 34, "3".to_owned()));
        assert_eq!(refused(""), (1, 1, String::new()));
    }

    #[test]
    fn sri_is_read_wherever_a_sha256_is() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let sri = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let text = |hash: &str| {
            format!(
                r#"(sources: {{"a": (from: [], sha256: "{hash}")}}, targets: [], derivations: {{
                "b": (builder: "/x", expect: {{"out": "flat:{hash}", "lib": "{hash}"}}, expect_files: {{"f": "{hash}"}})}})"#
            )
        };
        assert_eq!(read("x", &text(sri)).unwrap(), read("x", &text(hex)).unwrap());
        let bad = read("x", &text("sha256-47DE")).unwrap();
        assert_eq!(bad.sources["a"].sha256.as_deref(), Some("sha256-47DE"));
    }

    #[test]
    fn optional_fields_are_written_plainly() {
        let text = r#"(seeds: {"a": (from: [Text("x")], sha256: "y")}, derivations: {}, targets: [])"#;
        assert_eq!(read("x.ron", text).unwrap().seeds["a"].sha256.as_deref(), Some("y"));
    }
}
