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
use rustix::fs::{FileType, Mode, OFlags};
use sha2::Digest as _;

/// Where the bytes of an archive go.
pub trait Sink {
    /// The next bytes.
    fn write(&mut self, bytes: &[u8]);
}

impl Sink for sha2::Sha256 {
    fn write(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
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
    let mut writer = Writer { hash: sha2::Sha256::new(), size: 0, sink, buffer };
    writer.string(b"nix-archive-1");
    walk::walk(dir, name, room, path, &mut writer)?;
    Ok((writer.hash.finalize().into(), writer.size))
}

/// A sink for who wants nothing but the hash.
pub struct Discard;

impl Sink for Discard {
    fn write(&mut self, _bytes: &[u8]) {}
}

/// The sha256 of the bytes of the plain file at `name` in `dir`.
pub fn flat(dir: BorrowedFd<'_>, name: &CStr, buffer: &mut [u8]) -> Result<Digest, Error> {
    bytes(open(dir, name)?, buffer)
}

/// The sha256 of the bytes of an open file.
#[inline(never)]
pub fn bytes(file: rustix::fd::OwnedFd, buffer: &mut [u8]) -> Result<Digest, Error> {
    let mut hash = sha2::Sha256::new();
    loop {
        let length = rustix::io::read(&file, &mut *buffer).map_err(at("read"))?;
        if length == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(&buffer[..length]);
    }
}

fn open(dir: BorrowedFd<'_>, name: &CStr) -> Result<rustix::fd::OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty()).map_err(at("open"))
}

struct Writer<'a> {
    hash: sha2::Sha256,
    size: u64,
    sink: &'a mut dyn Sink,
    buffer: &'a mut [u8],
}

impl Writer<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.sink.write(bytes);
        self.size += bytes.len() as u64;
    }

    fn pad(&mut self, length: u64) {
        self.raw(&[0; 8][..(length.wrapping_neg() % 8) as usize]);
    }

    fn string(&mut self, bytes: &[u8]) {
        self.raw(&(bytes.len() as u64).to_le_bytes());
        self.raw(bytes);
        self.pad(bytes.len() as u64);
    }

    fn strings(&mut self, strings: &[&[u8]]) {
        strings.iter().for_each(|string| self.string(string));
    }

    fn contents(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        let file = open(entry.dir, entry.name)?;
        let size = entry.stat.st_size as u64;
        self.raw(&size.to_le_bytes());
        let mut left = size;
        loop {
            let length = rustix::io::read(&file, &mut *self.buffer).map_err(at("read"))?;
            if length == 0 && left == 0 {
                break;
            }
            if length == 0 || length as u64 > left {
                return Err(Error::Refused("a file that changes while it is read"));
            }
            self.hash.update(&self.buffer[..length]);
            self.sink.write(&self.buffer[..length]);
            left -= length as u64;
        }
        self.size += size;
        self.pad(size);
        Ok(())
    }
}

impl walk::Visitor for Writer<'_> {
    fn enter(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        self.strings(&[b"(", b"type"]);
        match entry.file_type() {
            FileType::RegularFile => {
                self.string(b"regular");
                if entry.stat.st_mode & 0o100 != 0 {
                    self.strings(&[b"executable", b""]);
                }
                self.string(b"contents");
                self.contents(entry)?;
                self.string(b")");
            }
            FileType::Symlink => {
                self.strings(&[b"symlink", b"target"]);
                let length = rustix::fs::readlinkat_raw(entry.dir, entry.name, &mut *self.buffer)
                    .map_err(at("readlink"))?;
                if length == self.buffer.len() {
                    return Err(Error::Refused("a symbolic link longer than the buffer"));
                }
                self.raw(&(length as u64).to_le_bytes());
                self.hash.update(&self.buffer[..length]);
                self.sink.write(&self.buffer[..length]);
                self.size += length as u64;
                self.pad(length as u64);
                self.string(b")");
            }
            FileType::Directory => self.string(b"directory"),
            _ => return Err(Error::Refused("a file that is no plain file, directory or symbolic link")),
        }
        Ok(())
    }

    fn child(&mut self, name: &[u8]) {
        self.strings(&[b"entry", b"(", b"name", name, b"node"]);
    }

    fn child_done(&mut self) {
        self.string(b")");
    }

    fn leave(&mut self, _entry: Entry<'_>) -> Result<(), Error> {
        self.string(b")");
        Ok(())
    }
}
