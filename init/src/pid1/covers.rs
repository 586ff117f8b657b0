//! The step's /proc: it can change no setting, and see nothing of keys and of the kernel's inside, whoever the kernel takes it for.

use crate::memory::{PathBuffer, c_string};
use crate::world::{Kind, Place, Root, attach, below, c_str, clone};
use crate::{host, sys};
use core::ffi::CStr;
use init::plan::{Field, Rules, Step};
use rustix::fd::AsFd;
use rustix::fs::OFlags;
use rustix::io::Errno;

/// What is covered in a step's /proc: the first by themselves, to be read only, the others by a null device. Of what else runc covers
/// (`readonlyPaths` and `maskedPaths`), a builder can write or read nothing, since it is nobody on the host. A kernel of our own has no keys.
const COVERED: [&CStr; 4] = [c"sys", c"sysrq-trigger", c"key-users", c"keys"];
const READ_ONLY: usize = 2;

impl Root {
    /// Makes it. Builders of Nix and Guix find what is about themselves as writable as they know it.
    pub fn proc(&self, step: &Step<'_>, path: Field<'_>) -> Result<(), Errno> {
        let kind = if step.rules == Rules::Groundup { Kind::FixedProc } else { Kind::Proc };
        self.mount(path, kind)?;
        let mut buffer: PathBuffer = [0; _];
        let path = c_string(path, &mut buffer).ok_or(Errno::NAMETOOLONG)?;
        let folder = below(&self.root, c_str(&path.to_bytes_with_nul()[1..])?, OFlags::DIRECTORY)?;
        let mut place = Place { folder, name: c"" };
        let count = if host::is_shared() { COVERED.len() } else { READ_ONLY };
        for (at, name) in COVERED.into_iter().take(count).enumerate() {
            place.name = name;
            let there = match below(&place.folder, name, OFlags::empty()) {
                // What a kernel does not have needs no cover.
                Err(Errno::NOENT) => continue,
                result => result?,
            };
            let mount = clone(if at < READ_ONLY { &there } else { &self.null })?;
            sys::make_read_only(mount.as_fd(), 0)?;
            attach(&mount, &place)?;
        }
        Ok(())
    }
}
