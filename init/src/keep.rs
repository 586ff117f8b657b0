//! A tree made anew from an archive's parts, whoever made the first one: what a step sees of an input, or of an earlier step's
//! output, follows from the archive alone. So neither holes, links between files, flags, attributes, owners, the order of entries
//! nor times come through. Every file and directory has mode 0444 or 0555 and modification and access time 1. What is left are
//! inode numbers and times of last change.
//!
//! Source: Nix, `src/libstore/posix-fs-canonicalise.cc`, for what is canonical.

use crate::nar::Parts;
use crate::walk::{Entry, Error, at};
use core::ffi::CStr;
use formats::canonical::{Allowed, What};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timespec, Timestamps};

/// What comes next is made here.
pub struct Keeper {
    folder: OwnedFd,
    file: Option<OwnedFd>,
    allowed: Allowed,
}

/// When everything was changed last.
const ONE: Timestamps = {
    let one = Timespec { tv_sec: 1, tv_nsec: 0 };
    Timestamps { last_access: one, last_modification: one }
};

impl Keeper {
    /// Makes the tree in this folder, as far as that may be.
    pub fn new(folder: OwnedFd, allowed: Allowed) -> Keeper {
        Keeper { folder, file: None, allowed }
    }

    fn enter(&mut self, name: &CStr) -> Result<(), Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        self.folder = rustix::fs::openat(&self.folder, name, flags, Mode::empty()).map_err(at("open"))?;
        Ok(())
    }
}

fn settle(file: &OwnedFd) -> Result<(), Error> {
    rustix::fs::futimens(file, &ONE).map_err(at("utimensat"))
}

impl Parts for Keeper {
    fn allow(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        let what = match entry.file_type() {
            FileType::RegularFile => What::File(entry.stat.st_size as u64),
            FileType::Directory => What::Directory,
            FileType::Symlink => What::Symlink,
            FileType::Fifo => What::Fifo,
            FileType::Socket => What::Socket,
            _ => What::Device,
        };
        self.allowed.ask(what, entry.stat.st_mode).map_err(Error::Refused)
    }

    fn directory(&mut self, name: &CStr) -> Result<(), Error> {
        rustix::fs::mkdirat(&self.folder, name, Mode::from_raw_mode(0o755)).map_err(at("mkdir"))?;
        self.enter(name)
    }

    fn file(&mut self, name: &CStr, executable: bool) -> Result<(), Error> {
        let mode = Mode::from_raw_mode(if executable { 0o555 } else { 0o444 });
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        self.file = Some(rustix::fs::openat(&self.folder, name, flags, mode).map_err(at("create"))?);
        Ok(())
    }

    fn data(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty()
            && let Some(file) = &self.file
        {
            let written = rustix::io::write(file, bytes).map_err(at("write"))?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn file_end(&mut self) -> Result<(), Error> {
        self.file.take().map_or(Ok(()), |file| settle(&file))
    }

    fn symlink(&mut self, name: &CStr, target: &[u8]) -> Result<(), Error> {
        // A zero ends it: the kernel's own are at most 4095 bytes.
        let mut buffer = [0; 4096];
        if let Some(room) = buffer.get_mut(..target.len()) {
            room.copy_from_slice(target);
        }
        let target = CStr::from_bytes_until_nul(&buffer).unwrap_or_default();
        rustix::fs::symlinkat(target, &self.folder, name).map_err(at("symlink"))?;
        rustix::fs::utimensat(&self.folder, name, &ONE, AtFlags::SYMLINK_NOFOLLOW).map_err(at("utimensat"))
    }

    fn leave(&mut self) -> Result<(), Error> {
        rustix::fs::fchmod(&self.folder, Mode::from_raw_mode(0o555)).map_err(at("chmod"))?;
        settle(&self.folder)?;
        self.enter(c"..")
    }
}
