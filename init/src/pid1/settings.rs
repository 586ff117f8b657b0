//! Settings of the kernel, as files below /proc.

use core::ffi::CStr;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// Files of the kernel and what is written to each.
pub type Settings<'a> = [(&'static CStr, &'a [u8])];

/// Makes settings. A kernel without one needs none.
pub fn set(settings: &Settings<'_>) -> Result<(), Errno> {
    for &(path, value) in settings {
        match rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => rustix::io::write(&file, value).map(drop)?,
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
