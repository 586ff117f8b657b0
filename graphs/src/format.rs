//! A graph's text in the one form that `groundup fmt` writes: every byte of meaning and every comment stays, and so do the author's lines.
//!
//! - Four spaces for each bracket that is open at the end of a line; brackets that open on one line count once.
//! - One space after `,` and `:`, none before; none inside brackets; one before a comment behind something.
//! - At most one empty line, none at the beginning and at the end, no blanks at the end of a line.
//!
//! Strings over several lines are left as they are.

use crate::locate::token::{Token, Tokens};

/// The text in that form. A text that RON does not read is in no form: ask [`crate::read`] first.
pub fn format(text: &str) -> String {
    let mut writer = Writer::default();
    let mut at = 0;
    for (token, span) in Tokens::of(text) {
        writer.gap(&text[at..span.start]);
        writer.token(token, &text[span.clone()]);
        at = span.end;
    }
    writer.gap(&text[at..]);
    let mut out = writer.out.trim_end().to_owned();
    out.push('\n');
    out
}

#[derive(Default)]
struct Writer {
    out: String,
    /// For each open bracket, the line that it stands on.
    open: Vec<usize>,
    /// The line of the bracket that is being closed.
    closes: Option<usize>,
    /// Lines so far.
    line: usize,
    /// Line breaks that are to be written before the next thing.
    breaks: usize,
    /// What stands before on this line.
    last: Last,
}

/// What the last thing on a line was.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    Opening,
    /// `,` or `:`
    Mark,
    Name,
    Other,
}

impl Writer {
    /// Blanks and comments between tokens.
    fn gap(&mut self, gap: &str) {
        let mut rest = gap;
        while let Some(first) = rest.chars().next() {
            let length = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                Tokens::block_comment(rest)
            } else if first.is_whitespace() {
                self.breaks += usize::from(first == '\n');
                rest = &rest[first.len_utf8()..];
                continue;
            } else {
                // An attribute at the head, or a mark that has no width.
                rest.find('\n').unwrap_or(rest.len())
            };
            let (comment, after) = rest.split_at(length);
            self.begin(true);
            self.out.push_str(comment.trim_end());
            self.line += comment.matches('\n').count();
            self.last = Last::Other;
            rest = after;
        }
    }

    fn token(&mut self, token: Token, text: &str) {
        match token {
            Token::Mark(b'(' | b'[' | b'{') => {
                // A name and its bracket belong together, and so do brackets.
                self.begin(self.last == Last::Mark || self.last == Last::Other);
                self.open.push(self.line);
                self.last = Last::Opening;
            }
            Token::Mark(b')' | b']' | b'}') => {
                // It stands where the line began that its bracket was opened on.
                let line = self.open.pop();
                self.closes = line;
                self.begin(false);
                self.closes = None;
                self.last = Last::Other;
            }
            Token::Mark(_) => {
                self.begin(false);
                self.last = Last::Mark;
            }
            _ => {
                self.begin(self.last != Last::Opening);
                self.last = if token == Token::Name { Last::Name } else { Last::Other };
            }
        }
        self.out.push_str(text);
        self.line += text.matches('\n').count();
    }

    /// Comes to where the next thing is to stand: on a new line, behind a space, or at once.
    fn begin(&mut self, space: bool) {
        if self.out.is_empty() {
            self.breaks = 0;
        } else if self.breaks > 0 {
            let empty = if self.breaks > 1 && self.last != Last::Opening { "\n\n" } else { "\n" };
            self.out.push_str(empty);
            self.line += empty.len();
            self.out.push_str(&" ".repeat(4 * self.depth()));
            self.breaks = 0;
        } else if space && self.last != Last::Nothing {
            self.out.push(' ');
        }
    }

    /// How many lines have brackets that are open.
    fn depth(&self) -> usize {
        let mut lines = self.open.clone();
        lines.retain(|&line| self.closes != Some(line));
        lines.dedup();
        lines.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meaning_and_comments_stay_and_the_form_is_one() {
        let text = "// head\n\n\n(seeds:{ \"a\" : (from:[Text( \"x\" ),\n Hex(\"00\")],sha256:Some(\"y\") ), // why\n},\n\
                    /* two\n lines */\nderivations : {\"b\": (\nbuilder:\"/x\",args:[ \"1\" ,r#\"raw\n  kept\"#],\n)},\n\n\n targets:[\"b\"] )";
        let wanted = "// head\n\n(seeds: {\"a\": (from: [Text(\"x\"),\n    Hex(\"00\")], sha256: Some(\"y\")), // why\n},\n    \
                      /* two\n lines */\n    derivations: {\"b\": (\n        builder: \"/x\", args: [\"1\", r#\"raw\n  kept\"#],\n    \
                      )},\n\n    targets: [\"b\"])\n";
        let once = format(text);
        assert_eq!(crate::read("x", text).unwrap(), crate::read("x", &once).unwrap());
        assert_eq!(format(&once), once);
        assert_eq!(once, wanted);
    }
}
