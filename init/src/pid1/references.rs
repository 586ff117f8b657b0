//! Which things in the store refer to which: found by the hashes of their names, as Nix and Guix do, in the NAR of each output,
//! and kept as folders, `/references/BASE/BASE`, in which what something refers to in turn is there too.
//!
//! Source: E. Dolstra, "The Purely Functional Software Deployment Model" (2006), 5.5.2.

use crate::event;
use crate::known::Known;
use crate::memory::{Memory, PathBuffer};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use formats::plan::{Output, RootfsEntry, Step};
use formats::say::Text;
use formats::unpack::has_slash;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, RawDir};
use rustix::io::Errno;

/// The folder of all folders.
fn all() -> Result<OwnedFd, Errno> {
    open(CWD, c"/references")
}

fn open(folder: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

/// Does something with the name of each thing that this refers to, directly or not, as far as that is known.
pub fn each(base: &CStr, act: &mut dyn FnMut(&CStr) -> Result<(), Errno>) -> Result<(), Errno> {
    let Ok(folder) = open(all()?, base) else { return Ok(()) };
    let mut buffer = [MaybeUninit::uninit(); 2048];
    let mut entries = RawDir::new(&folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let name = entry?;
        if name.file_name().to_bytes()[0] != b'.' {
            act(name.file_name())?;
        }
    }
    Ok(())
}

/// A folder, which may be there already.
fn make(folder: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(0o755)) {
        Err(Errno::EXIST) => Ok(()),
        result => result,
    }
}

/// Notes that one thing refers to another, and to what that refers to in turn.
pub fn add(base: &CStr, to: &CStr) -> Result<(), Errno> {
    let all = all()?;
    make(&all, base)?;
    let folder = open(&all, base)?;
    make(&folder, to)?;
    each(to, &mut |further| make(&folder, further))
}

/// The base name of what a step binds directly in its store.
pub fn in_store<'b>(step: &Step<'_>, world: RootfsEntry<'_>, room: &'b mut PathBuffer) -> Option<&'b CStr> {
    let RootfsEntry::Bind { path, .. } = world else { return None };
    let base = path.spelled().strip_prefix(step.store.spelled())?.strip_prefix(b"/")?;
    if has_slash(base) { None } else { base_name(base, room) }
}

/// A name as a C string.
pub fn base_name<'b>(name: &[u8], room: &'b mut PathBuffer) -> Option<&'b CStr> {
    room.get_mut(..name.len())?.copy_from_slice(name);
    *room.get_mut(name.len())? = 0;
    CStr::from_bytes_until_nul(room).ok()
}

/// Learns what the outputs of a step may refer to: what it binds in the store, what that refers to, and each other.
pub fn learn(step: &Step<'_>, memory: &mut Memory) -> Result<(), Errno> {
    let known = &mut memory.known;
    known.clear();
    let mut room: PathBuffer = [0; _];
    for world in step.world() {
        if let Some(base) = in_store(step, world, &mut room) {
            known.add(base.to_bytes())?;
            each(base, &mut |further| known.add(further.to_bytes()))?;
        }
    }
    step.outputs().try_for_each(|output| known.add(output.base.as_bytes()))
}

/// Reports and keeps what was found in an output.
pub fn keep(step: &Step<'_>, output: &Output<'_>, base: &CStr, known: &Known) -> Result<(), Errno> {
    let mut room: PathBuffer = [0; _];
    for name in (0..known.count).filter(|&i| known.found[i]).map(|i| known.name(i)) {
        event!("reference ", output.name, " ", Text(name));
        add(base, base_name(name, &mut room).unwrap_or_default())?;
    }
    // Where it is found, for who refers to it.
    let all = all()?;
    make(&all, base)?;
    let step = base_name(step.name.as_bytes(), &mut room).unwrap_or_default();
    match rustix::fs::symlinkat(step, open(&all, base)?, FROM) {
        // Several steps may make the same to be compared: the first counts.
        Err(Errno::EXIST) => Ok(()),
        result => result,
    }
}

/// The name of a symbolic link to the step that makes something.
const FROM: &CStr = c".from";

/// Notes what outputs of one step refer to through each other.
pub fn close(step: &Step<'_>) -> Result<(), Errno> {
    let (mut room, mut other): (PathBuffer, PathBuffer) = ([0; _], [0; _]);
    for _ in step.outputs() {
        for output in step.outputs() {
            let base = base_name(output.base.as_bytes(), &mut room).unwrap_or_default();
            each(base, &mut |further| {
                let sibling = step.outputs().any(|output| output.base.as_bytes() == further.to_bytes());
                let further = base_name(further.to_bytes(), &mut other).unwrap_or_default();
                if sibling { add(base, further) } else { Ok(()) }
            })?;
        }
    }
    Ok(())
}

/// The step that makes something, written to `room`, and its length; none for an input.
pub fn maker(base: &CStr, room: &mut PathBuffer) -> Option<usize> {
    let folder = open(all().ok()?, base).ok()?;
    rustix::fs::readlinkat_raw(folder, FROM, &mut room[..]).ok()
}
