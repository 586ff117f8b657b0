//! What a step made: found, made canonical, hashed, exported, and held against what was expected.

use crate::event;
use crate::memory::{Memory, PathBuffer, join};
use crate::region::{Export, Region};
use init::hex::Digest;
use init::plan::Step;
use init::say;
use init::say::{Say, Text, Words};
use init::walk::{self, Error, Path, at};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

/// A place in an output; `.` is the output itself.
pub struct At<'a>(pub &'a Path);

impl Say for At<'_> {
    fn say(self, words: &mut Words) {
        let path = self.0.as_bytes();
        Text(if path.is_empty() { b"." } else { path }).say(words);
    }
}

/// Removes what a step left beside its outputs: it would take memory as long as they do. What stands in the way of that is
/// written to `words`.
pub fn clear(step: &Step<'_>, memory: &mut Memory, words: &mut Words) {
    let mut path = Path::new();
    let is_output = |name: &[u8]| step.outputs().any(|output| output.base.as_bytes() == name);
    let (room, _) = memory.room();
    let result = open(step).and_then(|store| walk::clear(store.as_fd(), &is_output, room, &mut path));
    if let Err(error) = result {
        say!(words, "what it left beside its outputs, ", At(&path), ": ", error);
    }
}

/// The store of a step, for PID 1.
fn open(step: &Step<'_>) -> Result<OwnedFd, Error> {
    let mut folder: PathBuffer = [0; _];
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(crate::step::store(step.name, &mut folder), flags, Mode::empty())
        .map_err(at("open the store"))
}

/// Takes all outputs of a step whose processes are gone. Every output is reported, also when another is wrong; what is wrong
/// is written to `words`, and nothing else.
pub fn collect(step: &Step<'_>, memory: &mut Memory, region: &mut Option<Region>, words: &mut Words) {
    for output in step.outputs() {
        let mut path = Path::new();
        let result = hash(step, output.base, memory, region, &mut path);
        if let Ok(Some((found, size, place))) = &result {
            event!("output ", output.name, " ", found, " ", *size, " ", *place);
        }
        if !words.is_empty() {
            continue;
        }
        let name = output.name;
        match (result, output.expected) {
            (Ok(Some((found, ..))), Some(expected)) if found != expected => {
                say!(words, "output ", name, ": expected ", &expected, ", found ", &found);
            }
            (Ok(Some(_)), _) => {}
            (Ok(None), _) => say!(words, "output ", name, " was not made"),
            (Err(Error::Refused(what)), _) => {
                say!(words, "output ", name, ", ", At(&path), ": ", what, " is not allowed");
            }
            (Err(error), _) => say!(words, "output ", name, ", ", At(&path), ": ", error),
        }
    }
}

type Taken = (Digest, u64, crate::region::Place);

fn hash(
    step: &Step<'_>,
    base: &str,
    memory: &mut Memory,
    region: &mut Option<Region>,
    path: &mut Path,
) -> Result<Option<Taken>, Error> {
    let mut name: PathBuffer = [0; _];
    let store = open(step)?;
    let name = join(&[base], &mut name).ok_or(Error::Refused("a name too long"))?;
    if let Err(Errno::NOENT) = rustix::fs::statat(&store, name, AtFlags::SYMLINK_NOFOLLOW) {
        return Ok(None);
    }
    let (room, _) = memory.room();
    let owner = Some((Uid::ROOT, Gid::ROOT));
    init::canon::canonicalise(store.as_fd(), name, owner, step.space_limit, room, path)?;
    let (room, buffer) = memory.room();
    let mut export = Export::new(region.as_mut());
    let (found, size) = init::nar::write(store.as_fd(), name, room, buffer, path, &mut export)?;
    Ok(Some((found, size, export.keep())))
}
