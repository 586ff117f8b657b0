//! What a step made: found, made canonical, hashed, exported, moved to where later steps find it, and held against what was
//! expected.

use crate::event;
use crate::folder;
use crate::memory::{Memory, PathBuffer, c_string, join};
use crate::references;
use crate::region::{Export, Region};
use core::ffi::CStr;
use formats::canonical::{Allowed, SetIdPolicy};
use formats::hex::Digest;
use formats::nar::Hashed;
use formats::plan::{Expected, Field, Output, Rules, Step};
use formats::say;
use formats::say::{Display, LineBuf, Text};
use formats::scan::Scan;
use init::errno::Text as Errors;
use init::keep::Keeper;
use init::nar;
use init::walk::{Error, Path, at};
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// A place in an output; `.` is the output itself.
pub struct At<'a>(pub &'a Path);

impl Display for At<'_> {
    fn say(self, words: &mut LineBuf) {
        let path = self.0.as_bytes();
        Text(if path.is_empty() { b"." } else { path }).say(words);
    }
}

/// Takes all outputs of a step whose processes are gone. Every output is reported, also when another is wrong; what is wrong
/// is written to `words`, and nothing else.
pub fn collect(step: &Step<'_>, memory: &mut Memory, region: &mut Option<Region>, words: &mut LineBuf) {
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
fn files(step: &Step<'_>, output: Output<'_>, memory: &mut Memory, words: &mut LineBuf) {
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

/// A builder's links are no way into what PID 1 sees: none is followed.
fn file(step: &Step<'_>, output: Output<'_>, path: Field<'_>, memory: &mut Memory) -> Result<Digest, Error> {
    const TOO_LONG: Error = Error::Refused("a name too long");
    let mut name: PathBuffer = [0; _];
    let length = join(&[step.name.as_bytes(), b"/", output.base.as_bytes(), b"/"], &mut name)
        .ok_or(TOO_LONG)?
        .count_bytes();
    c_string(path, &mut name[length..]).ok_or(TOO_LONG)?;
    let name = CStr::from_bytes_until_nul(&name).unwrap_or_default();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let stores = folder::open(c"/stores")?;
    nar::bytes(
        rustix::fs::openat2(stores, name, flags, Mode::empty(), resolve).map_err(at("open"))?,
        memory.room().1,
    )
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
    let (mut name, mut kept): (PathBuffer, PathBuffer) = ([0; _], [0; _]);
    let store = folder::open(folder::STORE)?;
    // A name is at most 211 bytes.
    let kept = join(&[b"/stores/", step.name.as_bytes()], &mut kept).unwrap_or_default();
    let special = if step.rules == Rules::Groundup { SetIdPolicy::Refused } else { SetIdPolicy::Stripped };
    let allowed = Allowed { special, left: step.space_limit };
    let mut keeper = Keeper::new(folder::open(kept)?, allowed);
    let name = join(&[output.base.as_bytes()], &mut name).ok_or(Error::Refused("a name too long"))?;
    match rustix::fs::statat(&store, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        Ok(stat)
            if step.rules != Rules::Groundup
                && stat.st_mode & 0o022 != 0
                && FileType::from_raw_mode(stat.st_mode) != FileType::Symlink =>
        {
            return Err(Error::Refused("that its group or others may write it"));
        }
        _ => {}
    }
    let (room, buffer, known) = memory.parts();
    let mut export = Export::new(region.as_mut());
    let hashed = Hashed::Archive;
    let parts: Option<&mut dyn nar::Parts> = Some(&mut keeper);
    let (found, size) = if step.closure {
        known.found.fill(false);
        let mut scan = Scan::new(known, &mut export);
        let written = nar::hash(hashed, store.as_fd(), name, room, buffer, path, &mut scan, parts)?;
        references::keep(step, &output, name, known).map_err(at("note references"))?;
        written
    } else {
        nar::hash(hashed, store.as_fd(), name, room, buffer, path, &mut export, parts)?
    };
    let place = export.keep();
    let flat = match output.expected {
        Some(Expected::Flat(_)) => {
            let kept = folder::open(kept)?;
            let stat = rustix::fs::statat(&kept, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at("lstat"))?;
            let ours = step.rules == Rules::Groundup;
            let executable = stat.st_mode & 0o111 != 0 && !ours;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || executable {
                let what = if ours {
                    "anything but a plain file"
                } else {
                    "anything but a plain file that is not executable"
                };
                return Err(Error::Refused(what));
            }
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let file = rustix::fs::openat(kept, name, flags, Mode::empty()).map_err(at("open"))?;
            Some(nar::bytes(file, memory.room().1)?)
        }
        _ => None,
    };
    Ok(Some(Taken { found, size, place, flat }))
}
