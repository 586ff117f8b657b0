//! What a step made: found, made canonical, hashed, exported, and held against what was expected.

use crate::event;
use crate::memory::{Memory, PathBuffer, c_string, join};
use crate::references::{self, Scan};
use crate::region::{Export, Region};
use core::ffi::CStr;
use init::canon::Special;
use init::errno::Text as Errors;
use init::hex::Digest;
use init::plan::{Expected, Field, Output, Rules, Step};
use init::say;
use init::say::{Say, Text, Words};
use init::walk::{self, Error, Path, at};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid};
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
    if step.closure
        && let Err(errno) = references::learn(step, memory)
    {
        say!(words, "what its outputs may refer to: ", Errors(errno));
    }
    for output in step.outputs() {
        let mut path = Path::new();
        let result = hash(step, output, memory, region, &mut path);
        if let Ok(Some(taken)) = &result {
            event!("output ", output.name, " ", &taken.found, " ", taken.size, " ", taken.place);
        }
        if !words.is_empty() {
            continue;
        }
        let name = output.name;
        match (result, output.expected) {
            (Ok(Some(taken)), expected) => {
                let found = taken.flat.unwrap_or(taken.found);
                if let Some(Expected::Nar(expected) | Expected::Flat(expected)) = expected
                    && found != expected
                {
                    say!(words, "output ", name, ": expected ", &expected, ", found ", &found);
                } else {
                    files(step, output, memory, words);
                }
            }
            (Ok(None), _) => say!(words, "output ", name, " was not made"),
            (Err(Error::Refused(what)), _) => {
                say!(words, "output ", name, ", ", At(&path), ": ", what, " is not allowed");
            }
            (Err(error), _) => say!(words, "output ", name, ", ", At(&path), ": ", error),
        }
    }
    if step.closure
        && words.is_empty()
        && let Err(errno) = references::close(step)
    {
        say!(words, "what its outputs refer to: ", Errors(errno));
    }
}

/// Holds the files inside an output against the plan; the first that is wrong is written to `words`.
fn files(step: &Step<'_>, output: Output<'_>, memory: &mut Memory, words: &mut Words) {
    for (path, expected) in output.files() {
        let found = file(step, output, path, memory);
        if found.as_ref().is_ok_and(|found| *found == expected) {
            continue;
        }
        say!(words, "output ", output.name, ", ", Text(path.spelled()), ": expected ", &expected, ", ");
        return match found {
            Ok(found) => say!(words, "found ", &found),
            Err(error) => say!(words, error),
        };
    }
}

fn file(step: &Step<'_>, output: Output<'_>, path: Field<'_>, memory: &mut Memory) -> Result<Digest, Error> {
    let mut name: PathBuffer = [0; _];
    let folder = join(&[output.base], &mut name).ok_or(Error::Refused("a name too long"))?;
    let folder = below(open(step)?.as_fd(), folder, OFlags::PATH)?;
    let path = c_string(path, &mut name).ok_or(Error::Refused("a name too long"))?;
    let file = below(folder.as_fd(), path, OFlags::RDONLY)?;
    init::nar::bytes(file, memory.room().1)
}

/// Opens what lies below a folder, through no symbolic link: a builder's links are no way into what PID 1 sees.
fn below(folder: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd, Error> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    rustix::fs::openat2(folder, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve).map_err(at("open"))
}

struct Taken {
    found: Digest,
    size: u64,
    place: crate::region::Place,
    /// Of a plain file's bytes, where that is what is expected.
    flat: Option<Digest>,
}

fn hash(
    step: &Step<'_>,
    output: Output<'_>,
    memory: &mut Memory,
    region: &mut Option<Region>,
    path: &mut Path,
) -> Result<Option<Taken>, Error> {
    let mut name: PathBuffer = [0; _];
    let store = open(step)?;
    let name = join(&[output.base], &mut name).ok_or(Error::Refused("a name too long"))?;
    let ours = step.rules == Rules::Groundup;
    match rustix::fs::statat(&store, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        Ok(stat)
            if !ours
                && stat.st_mode & 0o022 != 0
                && FileType::from_raw_mode(stat.st_mode) != FileType::Symlink =>
        {
            return Err(Error::Refused("that its group or others may write it"));
        }
        _ => {}
    }
    let (room, _) = memory.room();
    let owner = Some((Uid::ROOT, Gid::ROOT));
    let special = if ours { Special::Refused } else { Special::Stripped };
    init::canon::canonicalise(store.as_fd(), name, owner, step.space_limit, special, room, path)?;
    let (room, buffer, known) = memory.parts();
    let mut export = Export::new(region.as_mut());
    let (found, size) = if step.closure {
        let mut scan = Scan::new(known, &mut export);
        let written = init::nar::write(store.as_fd(), name, room, buffer, path, &mut scan)?;
        references::keep(step, &output, name, known).map_err(at("note references"))?;
        written
    } else {
        init::nar::write(store.as_fd(), name, room, buffer, path, &mut export)?
    };
    let place = export.keep();
    let flat = match output.expected {
        Some(Expected::Flat(_)) => {
            let stat = rustix::fs::statat(&store, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at("lstat"))?;
            let executable = stat.st_mode & 0o111 != 0 && !ours;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || executable {
                let what = if ours {
                    "anything but a plain file"
                } else {
                    "anything but a plain file that is not executable"
                };
                return Err(Error::Refused(what));
            }
            Some(init::nar::flat(store.as_fd(), name, memory.room().1)?)
        }
        _ => None,
    };
    Ok(Some(Taken { found, size, place, flat }))
}
