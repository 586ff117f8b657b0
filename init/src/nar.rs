//! The Nix archive: the one serialisation of a tree, and the sha256 of it that every output is known by.
//!
//! # Encoding
//! A string is its length as a little-endian u64, its bytes, and zeros up to a multiple of 8.
//!
//! # Grammar
//! ```text
//! archive = "nix-archive-1" node
//! node    = "(" "type" ("regular" ["executable" ""] "contents" BYTES
//!                      | "symlink" "target" BYTES
//!                      | "directory" { "entry" "(" "name" BYTES "node" node ")" }) ")"
//! ```
//! # Restrictions
//! Entries ascend by the bytes of their names. A file is executable if its owner may execute it. Nothing else of the metadata
//! is there: no times, no owners, no other modes.
//!
//! Source: figure 5.2 of E. Dolstra, "The Purely Functional Software Deployment Model" (2006); Nix's manual, "Nix Archive
//! (NAR) format". Oracle in the tests: `nix-store --dump`.

use crate::hex::Digest;
use crate::walk::{self, Entry, Error, Path, Room, at};
use core::ffi::CStr;
use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};

#[cfg(feature = "pid1")]
pub use crate::sha256::Sha256;
#[cfg(not(feature = "pid1"))]
pub use host::Sha256;

/// Programs of the host hash with instructions for it, where the CPU has them.
#[cfg(not(feature = "pid1"))]
mod host {
    use sha2::Digest as _;

    /// A message that is being hashed.
    #[derive(Default)]
    pub struct Sha256(sha2::Sha256);

    impl Sha256 {
        /// The empty message.
        pub fn new() -> Sha256 {
            Sha256::default()
        }

        /// Adds to the message.
        pub fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        /// The hash.
        pub fn finalize(self) -> crate::hex::Digest {
            self.0.finalize().into()
        }
    }
}

/// Where the bytes of an archive go.
pub trait Sink {
    /// The next bytes.
    fn write(&mut self, bytes: &[u8]);
}

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
/// After an error, `path` tells where.
pub fn write(
    dir: BorrowedFd<'_>,
    name: &CStr,
    room: Room<'_>,
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
    room: Room<'_>,
    buffer: &'a mut [u8],
    path: &mut Path,
    sink: &'a mut dyn Sink,
    parts: Option<&'a mut dyn Parts>,
) -> Result<(Digest, u64), Error> {
    let mut writer = Writer { encoder: Encoder::new(sink, hashed), buffer, parts };
    walk::walk(dir, name, room, path, &mut writer)?;
    Ok(writer.encoder.finish())
}

/// A sink for who wants nothing but the hash.
pub struct Discard;

impl Sink for Discard {
    fn write(&mut self, _bytes: &[u8]) {}
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

/// What a hash is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hashed {
    /// The archive.
    Archive,
    /// The bytes of files alone.
    Bytes,
    /// Nothing, which takes no time.
    Nothing,
}

/// Writes an archive, node by node, and hashes it.
pub struct Encoder<'a> {
    hash: Sha256,
    hashed: Hashed,
    size: u64,
    sink: &'a mut dyn Sink,
}

impl<'a> Encoder<'a> {
    /// Starts an archive.
    pub fn new(sink: &'a mut dyn Sink, hashed: Hashed) -> Encoder<'a> {
        let mut encoder = Encoder { hash: Sha256::new(), hashed, size: 0, sink };
        encoder.strings(&[b"nix-archive-1"]);
        encoder
    }

    /// The sha256 and the size in bytes of what was written.
    pub fn finish(self) -> (Digest, u64) {
        (self.hash.finalize(), self.size)
    }

    /// Bytes of a file.
    pub fn data(&mut self, bytes: &[u8]) {
        if self.hashed != Hashed::Nothing {
            self.hash.update(bytes);
        }
        self.sink.write(bytes);
        self.size += bytes.len() as u64;
    }

    fn raw(&mut self, bytes: &[u8]) {
        if self.hashed == Hashed::Archive {
            self.data(bytes);
        }
    }

    /// What was written is padded to a multiple of 8, which all that stands before a string or a file's bytes is.
    fn pad(&mut self) {
        self.raw(&[0; 8][..(self.size.wrapping_neg() % 8) as usize]);
    }

    fn strings(&mut self, strings: &[&[u8]]) {
        for string in strings {
            self.raw(&(string.len() as u64).to_le_bytes());
            self.raw(string);
            self.pad();
        }
    }

    /// A directory: `child`, a node and `child_done` for each entry, and `leave`.
    pub fn directory(&mut self) {
        self.strings(&[b"(", b"type", b"directory"]);
    }

    /// A file of this size, whose bytes come as `data`, and `file_end`.
    pub fn file(&mut self, executable: bool, size: u64) {
        self.strings(&[b"(", b"type", b"regular"]);
        if executable {
            self.strings(&[b"executable", b""]);
        }
        self.strings(&[b"contents"]);
        self.raw(&size.to_le_bytes());
    }

    /// All bytes of the file were there.
    pub fn file_end(&mut self) {
        self.pad();
        self.leave();
    }

    /// A symbolic link.
    pub fn symlink(&mut self, target: &[u8]) {
        self.strings(&[b"(", b"type", b"symlink", b"target", target, b")"]);
    }

    /// An entry of the directory.
    pub fn child(&mut self, name: &[u8]) {
        self.strings(&[b"entry", b"(", b"name", name, b"node"]);
    }

    /// The entry's node was there.
    pub fn child_done(&mut self) {
        self.leave();
    }

    /// All entries were there.
    pub fn leave(&mut self) {
        self.strings(&[b")"]);
    }
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
