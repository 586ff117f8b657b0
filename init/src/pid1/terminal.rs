//! A terminal for a builder's output: raw, so that what is printed arrives as it was printed.

use crate::sys;
use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::MountFlags;
use rustix::pty::OpenptFlags;

/// PID 1's own, of which no step's world has anything.
const PTMX: &CStr = c"/pts/ptmx";

/// Our end, and the builder's.
pub fn open() -> Result<(OwnedFd, OwnedFd), Errno> {
    let open = || rustix::fs::open(PTMX, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
    let ours = open().or_else(|_| {
        match rustix::fs::mkdir(c"/pts", Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
        rustix::mount::mount(c"devpts", c"/pts", c"devpts", flags, c"ptmxmode=0600")?;
        open()
    })?;
    rustix::pty::unlockpt(&ours)?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let theirs = rustix::pty::ioctl_tiocgptpeer(&ours, flags)?;
    sys::make_raw(theirs.as_fd())?;
    Ok((ours, theirs))
}
