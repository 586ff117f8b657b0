//! PID 1's own folders.

use crate::memory::{Memory, PathBuffer, join};
use core::ffi::CStr;
use formats::plan::Name;
use init::walk::{Error, Path, Remove, at, walk};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};

/// Where the store of a step is, for PID 1, as long as the step runs.
pub const STORE: &CStr = c"/store";

/// Opens one.
pub fn open(path: &CStr) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(at("open"))
}

/// Removes a tree, which frees the memory that it takes. What can't be removed only keeps it.
pub fn remove(place: &CStr, name: Name<'_>, memory: &mut Memory) {
    let mut buffer: PathBuffer = [0; _];
    if let (Ok(folder), Some(name)) = (open(place), join(&[name.as_bytes()], &mut buffer)) {
        let _ = walk(folder.as_fd(), name, memory.room().0, &mut Path::new(), &mut Remove);
    }
}
