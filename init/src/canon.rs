//! The canonicaliser: takes from a tree the metadata that its NAR does not hold, so that a later step sees the same tree
//! whatever step, umask or clock made it. What it leaves are the order of a directory's entries, times of last change, and
//! that two names may be hard links to one file.
//!
//! Afterwards every file and directory has mode 0444 or 0555, the owner that was asked for, modification and access time 1,
//! and no extended attributes. Special files are refused, not repaired, and set-user-id and set-group-id bits unless they are to be stripped: whoever
//! made them wanted something that an output can't be. So is a tree with more to read than its maker had space for: holes
//! and hard links take no space, and a petabyte of them would be hashed for years.
//!
//! Source: Nix, `src/libstore/posix-fs-canonicalise.cc`, for what is canonical.

use crate::walk::{self, Entry, Error, Path, Room, at};
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FallocateFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;

/// Canonicalises the tree at `name` in `dir`, whose files may hold `limit` bytes in all; `owner` is set where one is
/// given, which takes privilege. After an error, `path` tells where.
pub fn canonicalise(
    dir: BorrowedFd<'_>,
    name: &CStr,
    owner: Option<(Uid, Gid)>,
    limit: u64,
    special: Special,
    room: Room<'_>,
    path: &mut Path,
) -> Result<(), Error> {
    walk::walk(dir, name, room, path, &mut Canoniser { owner, left: limit, special })
}

/// What becomes of set-user-id and set-group-id bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// A tree with them is refused.
    Refused,
    /// They are taken away.
    Stripped,
}

struct Canoniser {
    special: Special,
    owner: Option<(Uid, Gid)>,
    left: u64,
}

impl walk::Visitor for Canoniser {
    fn enter(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        if let Some((uid, gid)) = self.owner {
            rustix::fs::chownat(entry.dir, entry.name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(at("chown"))?;
        }
        let special = self.special == Special::Refused && entry.stat.st_mode & 0o6000 != 0;
        match entry.file_type() {
            FileType::RegularFile if special => Err(Error::Refused("a set-user-id or set-group-id file")),
            FileType::Directory if special => Err(Error::Refused("a set-group-id directory")),
            FileType::RegularFile => {
                let left = self.left.checked_sub(entry.stat.st_size as u64);
                self.left = left.ok_or(Error::Refused("more to read than the step's space limit"))?;
                fill(entry, self.owner.is_some())?;
                let executable = entry.stat.st_mode & 0o100 != 0;
                settle(entry, if executable { 0o555 } else { 0o444 })
            }
            // Searchable and writable by us until all that it holds is settled; an owner without privilege needs both.
            FileType::Directory => {
                rustix::fs::chmodat(entry.dir, entry.name, Mode::from_raw_mode(0o755), AtFlags::empty())
                    .map_err(at("chmod"))
            }
            FileType::Symlink => times(entry),
            FileType::Fifo => Err(Error::Refused("a FIFO")),
            FileType::Socket => Err(Error::Refused("a socket")),
            _ => Err(Error::Refused("a device")),
        }
    }

    fn leave(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        settle(entry, 0o555)
    }
}

/// Gives space to a file's holes: who reads one through a mapping would fill it, for all others to see, or find no space.
/// Only the machine's own file systems make that promise, and only there is it needed.
fn fill(entry: Entry<'_>, ours: bool) -> Result<(), Error> {
    let size = entry.stat.st_size as u64;
    if !ours || entry.stat.st_blocks as u64 * 512 >= size {
        return Ok(());
    }
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(entry.dir, entry.name, flags, Mode::empty()).map_err(at("open"))?;
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, size) {
        // The image's own file system, ramfs, has neither holes nor this call.
        Ok(()) | Err(Errno::OPNOTSUPP) => Ok(()),
        Err(errno) => Err(Error::System("fill its holes", errno)),
    }
}

/// Mode, attributes and times, in the order in which each is still allowed.
fn settle(entry: Entry<'_>, mode: u32) -> Result<(), Error> {
    rustix::fs::chmodat(entry.dir, entry.name, Mode::from_raw_mode(mode), AtFlags::empty())
        .map_err(at("chmod"))?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(entry.dir, entry.name, flags, Mode::empty()).map_err(at("open"))?;
    strip(file.as_fd())?;
    times(entry)
}

/// Removes all extended attributes, access control lists among them.
fn strip(file: BorrowedFd<'_>) -> Result<(), Error> {
    let mut names = [0; 4096];
    loop {
        let length = match rustix::fs::flistxattr(file, &mut names) {
            Ok(length) => length,
            Err(Errno::OPNOTSUPP) => 0,
            Err(Errno::RANGE) => return Err(Error::Refused("more than 4096 bytes of attribute names")),
            Err(errno) => return Err(Error::System("listxattr", errno)),
        };
        let Ok(name) = CStr::from_bytes_until_nul(&names[..length]) else {
            return Ok(());
        };
        rustix::fs::fremovexattr(file, name).map_err(at("removexattr"))?;
    }
}

fn times(entry: Entry<'_>) -> Result<(), Error> {
    let one = Timespec { tv_sec: 1, tv_nsec: 0 };
    let stamps = Timestamps { last_access: one, last_modification: one };
    rustix::fs::utimensat(entry.dir, entry.name, &stamps, AtFlags::SYMLINK_NOFOLLOW).map_err(at("utimensat"))
}
