//! An output: its name, where it lies, and what it must be.

use super::cursor::{Cursor, reread};
use super::text::{Field, Name, is_relative_path};
use crate::hex::Digest;

/// `output NAME PATH EXPECTED`, and the `expect-file` lines below it.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// Its name in events and records.
    pub name: Name<'a>,
    /// The last component of its path, which lies directly in the store.
    pub base: Name<'a>,
    /// What it must be, if anything.
    pub expected: Option<Expected>,
    files: Cursor<'a>,
}

/// What an output must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Its NAR has this sha256.
    Nar(Digest),
    /// It is a plain file, and its bytes have this sha256.
    Flat(Digest),
}

impl<'a> Output<'a> {
    /// Files inside it by their paths, and the sha256 that the bytes of each must have.
    pub fn files(&self) -> impl Iterator<Item = (Field<'a>, Digest)> + use<'a> {
        reread(self.files, file)
    }
}

/// An output and the folder that it lies in.
pub(super) fn output<'a>(cursor: &mut Cursor<'a>) -> (Output<'a>, &'a [u8]) {
    let (name, path, expected) = cursor.one("output", |cursor| {
        let (name, path) = (cursor.name(), cursor.path().spelled());
        let expected = if cursor.take("-") {
            None
        } else if cursor.prefix("flat:") {
            Some(Expected::Flat(cursor.digest()))
        } else {
            Some(Expected::Nar(cursor.digest()))
        };
        (name, path, expected)
    });
    let slash = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    let base = Name::new(path.get(slash + 1..).unwrap_or_default()).unwrap_or_else(|| {
        cursor.fail("an output path that ends in a name");
        Name::default()
    });
    let files = cursor.lines(&["expect-file"], |cursor| {
        file(cursor);
    });
    (Output { name, base, expected, files }, &path[..slash])
}

/// Small rather than fast: PID 1 has both the check and the use of it.
#[inline(never)]
fn file<'a>(cursor: &mut Cursor<'a>) -> (Field<'a>, Digest) {
    cursor.one("expect-file", |cursor| {
        let path = cursor.field();
        if !is_relative_path(path.bytes()) {
            cursor.fail("a normalised path inside the output");
        }
        (path, cursor.digest())
    })
}
