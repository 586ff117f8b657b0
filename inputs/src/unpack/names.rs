//! Members' names: which of them stay inside the tree, and how errors show them. Pure.

use super::{Error, show};
use std::io;

/// What is wrong with one member.
pub fn member(name: &[u8], what: &str) -> Error {
    Error::Member { member: show(name), what: what.into() }
}

/// What went wrong at one member.
pub fn broken(name: &[u8], source: io::Error) -> Error {
    Error::Broken { after: format!("member \"{}\"", show(name)), source }
}

/// The path inside the tree; `None` for the root itself and what `strip` takes away whole.
pub fn inside(name: &[u8], strip: usize) -> Result<Option<Vec<u8>>, Error> {
    let parts: Vec<&[u8]> =
        name.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).collect();
    match () {
        () if name.first() == Some(&b'/') => Err(member(name, "an absolute path")),
        () if parts.contains(&&b".."[..]) => Err(member(name, "a path with ..")),
        () if name.contains(&0) => Err(member(name, "a NUL byte in its name")),
        () if parts.len() <= strip => Ok(None),
        () => Ok(Some(parts[strip..].join(&b'/'))),
    }
}
