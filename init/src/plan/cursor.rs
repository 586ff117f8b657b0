//! Lines, fields and the errors that name them.

use super::text::{Field, is_name, is_path};
use crate::hex::{self, Digest};

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

/// A place between two lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    /// The number of lines read so far.
    line: u32,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Cursor<'a>, Error> {
        if bytes.last() != Some(&b'\n') {
            let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
            return Err(Error { line: lines as u32 + 1, expected: "a line feed at the end of the plan" });
        }
        Ok(Cursor { rest: bytes, line: 0 })
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn finish(&mut self) {
        self.rest = &[];
    }

    /// The error that the line read last is not what was expected.
    pub(super) fn error(&self, expected: &'static str) -> Error {
        Error { line: self.line.max(1), expected }
    }

    /// The first word of the next line; empty at the end.
    pub(super) fn keyword(&self) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| byte == b' ' || byte == b'\n');
        &self.rest[..end.unwrap_or(0)]
    }

    /// The next line, without its line feed.
    pub(super) fn line(&mut self) -> Result<&'a [u8], Error> {
        self.line += 1;
        let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') else {
            return Err(self.error("another line: the plan is not complete"));
        };
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Ok(line)
    }

    /// The fields of the next line, which must be this directive.
    pub(super) fn directive(&mut self, name: &'static str) -> Result<Fields<'a>, Error> {
        let found = self.keyword() == name.as_bytes();
        let line = self.line()?;
        if !found {
            return Err(self.error(name));
        }
        Ok(Fields { rest: line.get(name.len() + 1..), line: self.line })
    }

    /// The lines of this directive that follow; each goes to `check` once, and may be read again from the result.
    pub(super) fn lines(
        &mut self,
        is: fn(&[u8]) -> bool,
        mut check: impl FnMut(&mut Cursor<'a>) -> Result<(), Error>,
    ) -> Result<Cursor<'a>, Error> {
        let start = *self;
        while is(self.keyword()) {
            check(self)?;
        }
        Ok(Cursor { rest: &start.rest[..start.rest.len() - self.rest.len()], line: start.line })
    }
}

/// The fields of a line that are still to be read; `None` after the last.
pub(super) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    pub(super) line: u32,
}

impl<'a> Fields<'a> {
    pub(super) fn error(&self, expected: &'static str) -> Error {
        Error { line: self.line, expected }
    }

    pub(super) fn word(&mut self) -> Result<&'a [u8], Error> {
        let rest = self.rest.ok_or(self.error("another field"))?;
        let end = rest.iter().position(|&byte| byte == b' ');
        self.rest = end.map(|end| &rest[end + 1..]);
        Ok(&rest[..end.unwrap_or(rest.len())])
    }

    /// The next word, which is not taken; empty after the last.
    pub(super) fn peek(&self) -> &'a [u8] {
        let rest = self.rest.unwrap_or(&[]);
        rest.split(|&byte| byte == b' ').next().unwrap_or(rest)
    }

    pub(super) fn end(&self) -> Result<(), Error> {
        if self.rest.is_some() { Err(self.error("the end of the line")) } else { Ok(()) }
    }

    pub(super) fn digest(&mut self) -> Result<Digest, Error> {
        hex::decode(self.word()?).ok_or(self.error("64 lower-case hexadecimal digits"))
    }

    pub(super) fn name(&mut self) -> Result<&'a str, Error> {
        let word = self.word()?;
        let text = core::str::from_utf8(word).ok().filter(|_| is_name(word));
        text.ok_or(self.error("a name of 1 to 211 bytes of A-Z a-z 0-9 + . _ ? = -, not starting with a dot"))
    }

    /// A field that ends at the next space.
    pub(super) fn field(&mut self) -> Result<Field<'a>, Error> {
        let field = Field::new(self.word()?, false).filter(|field| !field.bytes().any(|byte| byte == 0));
        field.ok_or(self.error("a field in its one spelling, without NUL"))
    }

    pub(super) fn path(&mut self) -> Result<Field<'a>, Error> {
        let field = self.field()?;
        if is_path(field.bytes()) { Ok(field) } else { Err(self.error("an absolute, normalised path")) }
    }

    /// The rest of the line.
    pub(super) fn text(&mut self) -> Result<Field<'a>, Error> {
        let rest = self.rest.take().ok_or(self.error("text"))?;
        Field::new(rest, true).ok_or(self.error("text in its one spelling"))
    }

    pub(super) fn number(&mut self) -> Result<u64, Error> {
        let word = self.word()?;
        self.digits(word, 10).ok_or(self.error("a decimal number below 2^63, without leading zeros"))
    }

    /// File mode bits: four octal digits.
    pub(super) fn mode(&mut self) -> Result<u32, Error> {
        let word = self.word()?;
        let mode = word.iter().try_fold(0, |mode, digit| match digit {
            b'0'..=b'7' => Some(mode << 3 | u32::from(digit - b'0')),
            _ => None,
        });
        mode.filter(|_| word.len() == 4).ok_or(self.error("four octal digits"))
    }

    pub(super) fn hexadecimal(&mut self) -> Result<u32, Error> {
        let word = self.word()?;
        let value = self.digits(word, 16).and_then(|value| u32::try_from(value).ok());
        value.ok_or(self.error("a lower-case hexadecimal number below 2^32, without leading zeros"))
    }

    fn digits(&self, word: &[u8], radix: u64) -> Option<u64> {
        if word.is_empty() || word.len() > 1 && word[0] == b'0' {
            return None;
        }
        let value = word.iter().try_fold(0_u64, |value, &digit| {
            let digit = hex::nibble(digit).map(u64::from).filter(|&digit| digit < radix)?;
            value.checked_mul(radix)?.checked_add(digit)
        });
        value.filter(|&value| value < 1 << 63)
    }
}
