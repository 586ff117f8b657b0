//! `ron`'s errors in this project's words, each with what to do about it.

use ron::Error;

/// What is wrong, and what to do.
pub(super) fn explain(error: &Error) -> (String, String) {
    match error {
        Error::NoSuchStructField { expected, found, outer } => (
            format!("unknown field `{found}`{}", in_outer(outer.as_deref())),
            one_of("the fields are", expected),
        ),
        Error::NoSuchEnumVariant { expected, found, .. } => {
            (format!("unknown kind of place `{found}`"), one_of("a place is one of", expected))
        }
        Error::MissingStructField { field, outer } => (
            format!("the field `{field}` is missing{}", in_outer(outer.as_deref())),
            format!("write `{field}: …` before the closing `)`"),
        ),
        Error::DuplicateStructField { field, outer } => (
            format!("the field `{field}` is written twice{}", in_outer(outer.as_deref())),
            "keep one of the two".to_owned(),
        ),
        _ => explain_syntax(error),
    }
}

/// What the text itself, whatever it is about, has wrong.
fn explain_syntax(error: &Error) -> (String, String) {
    match error {
        Error::IntegerOutOfBounds => (
            "the number is out of bounds".to_owned(),
            "sizes, times and counts are whole numbers from 0 to 18446744073709551615".to_owned(),
        ),
        Error::ExpectedInteger => (
            "expected a whole number".to_owned(),
            "sizes are plain bytes and times plain seconds, without quotes or units".to_owned(),
        ),
        Error::ExpectedString => ("expected a string".to_owned(), "write it in double quotes".to_owned()),
        Error::ExpectedStringEnd => {
            ("the string that begins here does not end".to_owned(), "add the closing `\"`".to_owned())
        }
        Error::InvalidEscape(what) => (
            format!("bad escape in a string: {}", lower(what)),
            r#"write `\\` for a backslash, or use a raw string: r"…""#.to_owned(),
        ),
        Error::ExpectedComma => (
            "expected `,` or the closing bracket".to_owned(),
            "separate entries with `,` and close what was opened".to_owned(),
        ),
        Error::ExpectedArray | Error::ExpectedArrayEnd => {
            (lower(&error.to_string()), "a list is written `[\"a\", \"b\"]`".to_owned())
        }
        Error::ExpectedMap | Error::ExpectedMapColon | Error::ExpectedMapEnd => {
            (lower(&error.to_string()), "a map is written `{\"name\": value}`".to_owned())
        }
        Error::ExpectedNamedStructLike("Graph") => (
            "expected the opening `(` of a graph".to_owned(),
            "the least graph is `(derivations: {…}, targets: […])`".to_owned(),
        ),
        Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) | Error::ExpectedStructLikeEnd => {
            (lower(&error.to_string()), "fields are written `(name: value, other: value)`".to_owned())
        }
        Error::TrailingCharacters => (
            "text after the end of the graph".to_owned(),
            "a file holds one graph and nothing else".to_owned(),
        ),
        Error::Eof => ("the text ends too early".to_owned(), "close what was opened".to_owned()),
        Error::UnclosedBlockComment => {
            ("the comment does not end".to_owned(), "close it with `*/`".to_owned())
        }
        Error::NoSuchExtension(name) => {
            (format!("unknown RON extension `{name}`"), "take the `#![enable(…)]` line out".to_owned())
        }
        other => (lower(&other.to_string()), "compare with the graphs that come with groundup".to_owned()),
    }
}

fn in_outer(outer: Option<&str>) -> String {
    let what = match outer {
        Some("Graph") => "the graph",
        Some("Input") => "a seed or source",
        Some("Choice") => "a choice",
        Some("Alternative") => "an alternative",
        Some("Derivation") => "a derivation",
        Some(variant) => return format!(" in `{variant}`"),
        None => return String::new(),
    };
    format!(" in {what}")
}

fn one_of(what: &str, names: &[&str]) -> String {
    format!("{what} {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_project_s() {
        let error = Error::NoSuchStructField {
            expected: &["builder", "args"],
            found: "arg".to_owned(),
            outer: Some("Derivation".to_owned()),
        };
        let (message, help) = explain(&error);
        assert_eq!(message, "unknown field `arg` in a derivation");
        assert_eq!(help, "the fields are `builder`, `args`");
    }
}
