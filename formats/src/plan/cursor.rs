//! Lines, fields and the first mistake in them.
//!
//! A mistake is remembered, and ends the plan: what is read after it is empty, and nobody looks at it. So there is one
//! check for each item, not one for each field, which keeps PID 1 small.

use super::text::{Field, Name, is_path};
use crate::hex::{self, Digest};
use crate::say;
use crate::say::{Display, LineBuf};

/// The first place where a plan is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line, counted from 1.
    pub line: u32,
    /// What should have stood there.
    pub expected: &'static str,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "line {}: expected {}", self.line, self.expected)
    }
}

impl core::error::Error for Error {}

impl Display for Error {
    fn say(self, words: &mut LineBuf) {
        say!(words, "line ", self.line, ": expected ", self.expected);
    }
}

/// A place in a plan: what is left of a line, and the lines behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    /// The fields of this line that are still to be read; `None` after the last.
    fields: Option<&'a [u8]>,
    /// The number of lines read so far.
    line: u32,
    mistake: Option<Error>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        let mut cursor = Cursor { rest: bytes, fields: None, line: 0, mistake: None };
        if bytes.last() != Some(&b'\n') {
            cursor.line = bytes.iter().filter(|&&byte| byte == b'\n').count() as u32 + 1;
            cursor.fail("a line feed at the end of the plan");
        }
        cursor
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// What was read so far, unless there was a mistake.
    pub(super) fn check<T>(&self, value: T) -> Result<T, Error> {
        self.mistake.map_or(Ok(value), Err)
    }

    /// In the line read last, this was expected.
    pub(super) fn fail(&mut self, expected: &'static str) {
        // PID 1 has no room for these texts: it names the line, and `groundup verify-image` says what is expected there.
        let expected =
            if cfg!(not(any(feature = "host", test))) { "a directive of the grammar" } else { expected };
        self.mistake.get_or_insert(Error { line: self.line.max(1), expected });
        (self.rest, self.fields) = (&[], None);
    }

    fn expect(&mut self, is: bool, expected: &'static str) {
        if !is {
            self.fail(expected);
        }
    }

    /// The first word of the next line; empty at the end.
    pub(super) fn keyword(&self) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| byte == b' ' || byte == b'\n');
        &self.rest[..end.unwrap_or(0)]
    }

    /// The next line, without its line feed.
    pub(super) fn line(&mut self) -> &'a [u8] {
        self.line += 1;
        let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') else {
            self.fail("another line: the plan is not complete");
            return &[];
        };
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        line
    }

    /// The next line must be this.
    pub(super) fn exactly(&mut self, text: &str, expected: &'static str) {
        let is = self.line() == text.as_bytes();
        self.expect(is, expected);
    }

    /// A line of this directive, whose fields are to be read next.
    pub(super) fn begin(&mut self, name: &'static str) {
        let found = self.keyword() == name.as_bytes();
        self.fields = self.line().get(name.len() + 1..);
        self.expect(found, name);
    }

    pub(super) fn end(&mut self) {
        self.expect(self.fields.is_none(), "the end of the line");
    }

    /// A line with one value, or one that is read as a whole.
    pub(super) fn one<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Cursor<'a>) -> T) -> T {
        self.begin(name);
        let value = read(self);
        self.end();
        value
    }

    /// The lines of these directives that follow; each goes to `read` once, and may be read again from the result.
    pub(super) fn lines(&mut self, names: &[&str], mut read: impl FnMut(&mut Cursor<'a>)) -> Cursor<'a> {
        let start = *self;
        while is_one_of(self.keyword(), names).is_some() {
            read(self);
        }
        Cursor { rest: &start.rest[..start.rest.len() - self.rest.len()], ..start }
    }

    pub(super) fn word(&mut self) -> &'a [u8] {
        let Some(rest) = self.fields else {
            self.fail("another field");
            return &[];
        };
        let end = rest.iter().position(|&byte| byte == b' ');
        self.fields = end.map(|end| &rest[end + 1..]);
        &rest[..end.unwrap_or(rest.len())]
    }

    /// Takes the next word if it is this.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let mut ahead = *self;
        let is = ahead.fields.is_some() && ahead.word() == word.as_bytes();
        if is {
            *self = ahead;
        }
        is
    }

    /// Takes what the next word starts with if it is this.
    pub(super) fn prefix(&mut self, start: &str) -> bool {
        let rest = self.fields.and_then(|rest| rest.strip_prefix(start.as_bytes()));
        self.fields = rest.or(self.fields);
        rest.is_some()
    }

    /// Which of these the next word is.
    pub(super) fn choice(&mut self, words: &[&str], expected: &'static str) -> usize {
        let word = self.word();
        let found = is_one_of(word, words);
        self.expect(found.is_some(), expected);
        found.unwrap_or(0)
    }

    pub(super) fn digest(&mut self) -> Digest {
        let digest = hex::decode(self.word());
        self.expect(digest.is_some(), "64 lower-case hexadecimal digits");
        digest.unwrap_or([0; 32])
    }

    pub(super) fn name(&mut self) -> Name<'a> {
        let name = Name::new(self.word());
        self.expect(
            name.is_some(),
            "a name of 1 to 244 bytes of A-Z a-z 0-9 + . _ ? = -, not starting with a dot",
        );
        name.unwrap_or_default()
    }

    /// A field that ends at the next space.
    pub(super) fn field(&mut self) -> Field<'a> {
        let field = Field::new(self.word(), false).filter(|field| !field.bytes().any(|byte| byte == 0));
        self.expect(field.is_some(), "a field in its one spelling, without NUL");
        field.unwrap_or_default()
    }

    pub(super) fn path(&mut self) -> Field<'a> {
        let field = self.field();
        self.expect(is_path(field.bytes()), "an absolute, normalised path");
        field
    }

    /// A path that goes to the kernel as it is: it may lead through links and back, or be too long.
    pub(super) fn program(&mut self) -> Field<'a> {
        let field = self.field();
        self.expect(field.bytes().next() == Some(b'/'), "an absolute path");
        field
    }

    /// The rest of the line.
    pub(super) fn text(&mut self) -> Field<'a> {
        let Some(rest) = self.fields.take() else {
            self.fail("text");
            return Field::default();
        };
        let field = Field::new(rest, true);
        self.expect(field.is_some(), "text in its one spelling");
        field.unwrap_or_default()
    }

    pub(super) fn number(&mut self) -> u64 {
        self.digits(10, 1 << 63, "a decimal number below 2^63, without leading zeros")
    }

    /// File mode bits: four octal digits.
    pub(super) fn mode(&mut self) -> u32 {
        let word = self.word();
        let mode = word.iter().try_fold(0, |mode, digit| match digit {
            b'0'..=b'7' => Some(mode << 3 | u32::from(digit - b'0')),
            _ => None,
        });
        let mode = mode.filter(|_| word.len() == 4);
        self.expect(mode.is_some(), "four octal digits");
        mode.unwrap_or(0)
    }

    pub(super) fn hexadecimal(&mut self) -> u32 {
        self.digits(16, 1 << 32, "a lower-case hexadecimal number below 2^32, without leading zeros") as u32
    }

    fn digits(&mut self, radix: u64, end: u64, expected: &'static str) -> u64 {
        let word = self.word();
        let value = word.iter().try_fold(0_u64, |value, &digit| {
            let digit = hex::nibble(digit).map(u64::from).filter(|&digit| digit < radix)?;
            value.checked_mul(radix)?.checked_add(digit)
        });
        let one_spelling = word.first().is_some_and(|&first| first != b'0' || word.len() == 1);
        let value = value.filter(|&value| one_spelling && value < end);
        self.expect(value.is_some(), expected);
        value.unwrap_or(0)
    }
}

fn is_one_of(word: &[u8], words: &[&str]) -> Option<usize> {
    words.iter().position(|other| other.as_bytes() == word)
}

/// Reads lines again that were found right when the step was read.
pub(super) fn reread<'a, T>(
    mut cursor: Cursor<'a>,
    read: impl Fn(&mut Cursor<'a>) -> T,
) -> impl Iterator<Item = T> {
    core::iter::from_fn(move || if cursor.is_done() { None } else { Some(read(&mut cursor)) })
}
