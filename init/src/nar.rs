//! The archive of a tree of files, written and hashed while the tree is walked, and perhaps made again part by part. The format is
//! in `formats::nar`.

use crate::walk::{self, Buffers, Entry, Error, Path, at};
use core::ffi::CStr;
use formats::hex::Digest;
use formats::nar::{Encoder, Hashed, Sha256, Sink};
use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};

/// Something that is made part by part, in the archive's order, while the archive is written.
pub trait Parts {
    /// Whether this may be made at all. An error says what is wrong with it.
    fn allow(&mut self, entry: Entry<'_>) -> Result<(), Error>;
    /// A directory, in which the parts up to its `leave` are made.
    fn directory(&mut self, name: &CStr) -> Result<(), Error>;
    /// A file, whose bytes follow.
    fn file(&mut self, name: &CStr, executable: bool) -> Result<(), Error>;
    /// The next bytes of the file.
    fn data(&mut self, bytes: &[u8]) -> Result<(), Error>;
    /// All bytes of the file were there.
    fn file_end(&mut self) -> Result<(), Error>;
    /// A symbolic link.
    fn symlink(&mut self, name: &CStr, target: &[u8]) -> Result<(), Error>;
    /// All that is in the directory was there.
    fn leave(&mut self) -> Result<(), Error>;
}

/// Writes the archive of the tree at `name` in `dir` to `sink`; returns its sha256 and its size in bytes.
/// After an error, `path` says where.
pub fn write(
    dir: BorrowedFd<'_>,
    name: &CStr,
    room: Buffers<'_>,
    buffer: &mut [u8],
    path: &mut Path,
    sink: &mut dyn Sink,
) -> Result<(Digest, u64), Error> {
    hash(Hashed::Archive, dir, name, room, buffer, path, sink, None)
}

/// The same of what is to be hashed. With `parts` the tree is made again by these; what is not a directory is removed from `dir` once
/// it is there, so that no more than one file takes memory twice.
#[expect(clippy::too_many_arguments, reason = "what it works with, what it works on, and where")]
pub fn hash<'a>(
    hashed: Hashed,
    dir: BorrowedFd<'_>,
    name: &CStr,
    room: Buffers<'_>,
    buffer: &'a mut [u8],
    path: &mut Path,
    sink: &'a mut dyn Sink,
    parts: Option<&'a mut dyn Parts>,
) -> Result<(Digest, u64), Error> {
    let mut writer = Writer { encoder: Encoder::new(sink, hashed), buffer, parts };
    walk::walk(dir, name, room, path, &mut writer)?;
    Ok(writer.encoder.finish())
}

/// The sha256 of the bytes of an open file.
#[inline(never)]
pub fn bytes(file: rustix::fd::OwnedFd, buffer: &mut [u8]) -> Result<Digest, Error> {
    let mut hash = Sha256::new();
    loop {
        let length = rustix::io::read(&file, &mut *buffer).map_err(at("read"))?;
        if length == 0 {
            return Ok(hash.finalize());
        }
        hash.update(&buffer[..length]);
    }
}

fn open(dir: BorrowedFd<'_>, name: &CStr) -> Result<rustix::fd::OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty()).map_err(at("open"))
}

struct Writer<'a> {
    encoder: Encoder<'a>,
    buffer: &'a mut [u8],
    parts: Option<&'a mut dyn Parts>,
}

impl Writer<'_> {
    fn contents(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        let file = open(entry.dir, entry.name)?;
        let mut left = entry.stat.st_size as u64;
        loop {
            let length = rustix::io::read(&file, &mut *self.buffer).map_err(at("read"))?;
            if length == 0 && left == 0 {
                return Ok(());
            }
            if length == 0 || length as u64 > left {
                return Err(Error::Refused("a file that changes while it is read"));
            }
            let bytes = &self.buffer[..length];
            self.encoder.data(bytes);
            if let Some(parts) = &mut self.parts {
                parts.data(bytes)?;
            }
            left -= length as u64;
        }
    }

    /// Removes what has been made again.
    fn moved(&self, entry: Entry<'_>) -> Result<(), Error> {
        match self.parts {
            Some(_) => rustix::fs::unlinkat(entry.dir, entry.name, AtFlags::empty()).map_err(at("unlink")),
            None => Ok(()),
        }
    }
}

impl walk::Visitor for Writer<'_> {
    fn enter(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        if let Some(parts) = &mut self.parts {
            parts.allow(entry)?;
        }
        match entry.file_type() {
            FileType::RegularFile => {
                let executable = entry.stat.st_mode & 0o100 != 0;
                self.encoder.file(executable, entry.stat.st_size as u64);
                if let Some(parts) = &mut self.parts {
                    parts.file(entry.name, executable)?;
                }
                self.contents(entry)?;
                self.encoder.file_end();
                if let Some(parts) = &mut self.parts {
                    parts.file_end()?;
                }
                self.moved(entry)
            }
            FileType::Symlink => {
                let length = rustix::fs::readlinkat_raw(entry.dir, entry.name, &mut *self.buffer)
                    .map_err(at("readlink"))?;
                if length == self.buffer.len() {
                    return Err(Error::Refused("a symbolic link longer than the buffer"));
                }
                let target = &self.buffer[..length];
                self.encoder.symlink(target);
                if let Some(parts) = &mut self.parts {
                    parts.symlink(entry.name, target)?;
                }
                self.moved(entry)
            }
            FileType::Directory => {
                self.encoder.directory();
                self.parts.as_mut().map_or(Ok(()), |parts| parts.directory(entry.name))
            }
            _ => Err(Error::Refused("a file that is no plain file, directory or symbolic link")),
        }
    }

    fn child(&mut self, name: &[u8]) {
        self.encoder.child(name);
    }

    fn child_done(&mut self) {
        self.encoder.child_done();
    }

    fn leave(&mut self, _entry: Entry<'_>) -> Result<(), Error> {
        self.encoder.leave();
        self.parts.as_mut().map_or(Ok(()), |parts| parts.leave())
    }
}
