//! A terminal for a builder's output: raw, so that what is printed arrives as it was printed.

use crate::sys;
use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, FdFlags};
use rustix::mount::MountFlags;
use rustix::pty::OpenptFlags;

/// PID 1's own, of which no step's world has anything but the name, which readlink(2) tells.
const PTMX: &CStr = c"/dev/pts/ptmx";

/// Our end, and the builder's.
pub fn open() -> Result<(OwnedFd, OwnedFd), Errno> {
    let open = || rustix::fs::open(PTMX, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
    let ours = open().or_else(|_| {
        match rustix::fs::mkdir(c"/dev/pts", Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
        rustix::mount::mount(c"devpts", c"/dev/pts", c"devpts", flags, c"ptmxmode=0600")?;
        open()
    })?;
    rustix::pty::unlockpt(&ours)?;
    // The flags that a builder sees, as open(2) would have set them by its name.
    let large = OpenptFlags::from_bits_retain(OFlags::LARGEFILE.bits());
    let theirs = rustix::pty::ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY | large)?;
    rustix::io::fcntl_setfd(&theirs, FdFlags::CLOEXEC)?;
    sys::make_raw(theirs.as_fd())?;
    Ok((ours, theirs))
}
