//! The step's /proc: it can change no setting and nothing of its supervisor, and sees no keys, whoever the kernel takes it for.

use crate::memory::{PathBuffer, c_string};
use crate::world::{Kind, Place, Root, attach, below, c_str, clone};
use crate::{host, sys};
use core::ffi::CStr;
use formats::plan::{Field, PidOne, Step};
use rustix::fd::AsFd;
use rustix::fs::OFlags;
use rustix::io::Errno;

/// What is covered in a step's /proc, the first two by a null device, the others by themselves, to be read only. Of what else runc covers
/// (`readonlyPaths` and `maskedPaths`), a builder can write or read nothing, since it is nobody on the host.
const COVERED: [&CStr; 8] = [c"keys", c"key-users", c"bus", c"fs", c"irq", c"sys", c"sysrq-trigger", c"1"];
const BY_NULL: usize = 2;

impl Root {
    /// Makes it. What is about the builder itself can be written to: debuggers do.
    pub fn proc(&self, step: &Step<'_>, path: Field<'_>) -> Result<(), Errno> {
        self.mount(path, Kind::Proc)?;
        let mut buffer: PathBuffer = [0; _];
        let path = c_string(path, &mut buffer).ok_or(Errno::NAMETOOLONG)?;
        let folder = below(&self.root, c_str(&path.to_bytes_with_nul()[1..])?, OFlags::DIRECTORY)?;
        let mut place = Place { folder, name: c"" };
        // A kernel of our own has no keys.
        let first = if host::is_shared() { 0 } else { BY_NULL };
        // The supervisor is process 1, where there is one.
        let last = COVERED.len() - usize::from(step.pid_one == PidOne::Builder);
        for (at, name) in COVERED.into_iter().enumerate().take(last).skip(first) {
            place.name = name;
            let there = match below(&place.folder, name, OFlags::empty()) {
                // What a kernel does not have needs no cover.
                Err(Errno::NOENT) => continue,
                result => result?,
            };
            let mount = clone(if at < BY_NULL { &self.null } else { &there })?;
            sys::make_read_only(mount.as_fd(), 0)?;
            attach(&mount, &place)?;
        }
        Ok(())
    }
}
