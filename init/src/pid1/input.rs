//! Inputs: an image is data, not a promise. An input is moved from `/inputs` to `/verified` once its hash is found right, and
//! only what is in `/verified` is ever bound into a step.

use crate::event;
use crate::memory::{Memory, PathBuffer, join};
use crate::output::At;
use crate::references;
use init::canon::Special;
use init::hex::Digest;
use init::nar;
use init::plan::{Input, Kind};
use init::walk::{Error, Path, at};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Gid, Mode, OFlags, Uid};

/// Verifies an input and says so.
pub fn verify(input: Input<'_>, memory: &mut Memory) {
    let name = input.name;
    let mut path = Path::new();
    match hash(input, memory, &mut path) {
        Ok(found) if found != input.sha256 => {
            event!("bad-input ", name, " expected ", &input.sha256, ", found ", &found);
        }
        result => match result.and_then(|found| keep(name, input.kind).map(|()| found)) {
            Ok(found) => event!("input ", name, " ", &found),
            Err(error) => event!("bad-input ", name, " ", At(&path), ": ", error),
        },
    }
}

fn folder(path: &core::ffi::CStr) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(at("open"))
}

/// Its hash, after it has been made canonical: the modes and times that a kernel unpacks are not a part of it.
fn hash(input: Input<'_>, memory: &mut Memory, path: &mut Path) -> Result<Digest, Error> {
    let mut name: PathBuffer = [0; _];
    let name = join(&[input.name], &mut name).ok_or(Error::Refused("a name too long"))?;
    let inputs = folder(c"/inputs")?;
    if matches!(input.kind, Kind::File | Kind::Exec) {
        let mode = Mode::from_raw_mode(if input.kind == Kind::Exec { 0o555 } else { 0o444 });
        rustix::fs::chmodat(&inputs, name, mode, rustix::fs::AtFlags::empty()).map_err(at("chmod"))?;
    }
    let (room, _) = memory.room();
    init::canon::canonicalise(
        inputs.as_fd(),
        name,
        Some((Uid::ROOT, Gid::ROOT)),
        u64::MAX,
        Special::Refused,
        room,
        path,
    )?;
    let (room, buffer) = memory.room();
    match input.kind {
        Kind::Tree | Kind::Data => {
            let written = nar::write(inputs.as_fd(), name, room, buffer, path, &mut nar::Discard)?;
            Ok(written.0)
        }
        Kind::File | Kind::Exec => nar::flat(inputs.as_fd(), name, buffer),
    }
}

/// What is only read is marked by a folder of its name, so that it is mounted noexec.
fn keep(name: &str, kind: Kind) -> Result<(), Error> {
    let (mut from, mut to): (PathBuffer, PathBuffer) = ([0; _], [0; _]);
    if matches!(kind, Kind::File | Kind::Data) {
        let mark = join(&["/noexec/", name], &mut to).ok_or(Error::Refused("a name too long"))?;
        rustix::fs::mkdir(mark, Mode::empty()).map_err(at("mkdir"))?;
    }
    match (join(&["/inputs/", name], &mut from), join(&["/verified/", name], &mut to)) {
        (Some(from), Some(to)) => rustix::fs::rename(from, to).map_err(at("rename")),
        _ => Err(Error::Refused("a name too long")),
    }
}

/// Notes what an input refers to.
pub fn refers(name: &str, base: &str) -> Option<()> {
    let (mut from, mut to): (PathBuffer, PathBuffer) = ([0; _], [0; _]);
    references::add(join(&[name], &mut from)?, join(&[base], &mut to)?).ok()
}

/// Frees the memory that a verified input takes.
pub fn forget(name: &str, memory: &mut Memory) {
    let mut buffer: PathBuffer = [0; _];
    if let (Ok(verified), Some(name)) = (folder(c"/verified"), join(&[name], &mut buffer)) {
        let (room, _) = memory.room();
        // What can't be removed only keeps its memory.
        let _ = init::walk::walk(verified.as_fd(), name, room, &mut Path::new(), &mut init::walk::Remove);
    }
}
