//! RON text as tokens with byte ranges: just enough to find one's way through brackets and strings.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// A string, in either form.
    String,
    /// A name: of a field, a struct, a variant.
    Name,
    /// One of `( ) [ ] { } : ,`.
    Mark(u8),
    /// Numbers, characters, byte strings and whatever else there is.
    Other,
}

/// The tokens of a text, comments and white space left out.
#[derive(Clone)]
pub(crate) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The length of a block comment that a text begins with; they nest.
    pub(crate) fn block_comment(text: &str) -> usize {
        block_comment(text)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches(is_blank).len();
            self.at += if blank > 0 {
                blank
            } else if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                block_comment(rest)
            } else if rest.starts_with('#') && self.at_attribute() {
                rest.find(']').map_or(rest.len(), |end| end + 1)
            } else {
                return;
            };
        }
    }

    /// `#![enable(…)]` at the head of a file.
    fn at_attribute(&self) -> bool {
        self.rest()[1..].trim_start_matches(is_blank).starts_with('!')
    }
}

impl Iterator for Tokens<'_> {
    type Item = (Token, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blank();
        let rest = self.rest();
        let first = rest.chars().next()?;
        let (token, len) = match first {
            '(' | ')' | '[' | ']' | '{' | '}' | ':' | ',' => (Token::Mark(first as u8), 1),
            '"' => (Token::String, quoted(rest, '"')),
            '\'' => (Token::Other, quoted(rest, '\'')),
            'b' if rest.starts_with("b\"") => (Token::Other, 1 + quoted(&rest[1..], '"')),
            'b' if rest.starts_with("b'") => (Token::Other, 1 + quoted(&rest[1..], '\'')),
            'r' if raw(rest).is_some() => (Token::String, raw(rest).unwrap_or(1)),
            'b' if rest.starts_with("br") && raw(&rest[1..]).is_some() => {
                (Token::Other, 1 + raw(&rest[1..]).unwrap_or(1))
            }
            _ if rest.starts_with("r#") => (Token::Name, 2 + word(&rest[2..])),
            _ if first.is_alphabetic() || first == '_' => (Token::Name, word(rest)),
            _ => (Token::Other, word(rest).max(first.len_utf8())),
        };
        let start = self.at;
        self.at = (start + len).min(self.text.len());
        Some((token, start..self.at))
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200e}' | '\u{200f}')
}

/// Letters, digits and what else may stand inside a name or a number.
fn word(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-'))).unwrap_or(rest.len())
}

/// The length of a string or character whose quotes may be escaped.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a raw string, if there is one.
fn raw(rest: &str) -> Option<usize> {
    let hashes = rest[1..].len() - rest[1..].trim_start_matches('#').len();
    let body = rest[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&end).map_or(rest.len(), |at| 2 + hashes + at + end.len()))
}

/// The length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    let bytes = rest.as_bytes();
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}
