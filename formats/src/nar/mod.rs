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

#[cfg(feature = "host")]
pub mod read;

use crate::hex::Digest;

#[cfg(not(feature = "host"))]
pub use crate::sha256::Sha256;
#[cfg(feature = "host")]
pub use host::Sha256;

/// Programs of the host hash with instructions for it, where the CPU has them.
#[cfg(feature = "host")]
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

/// A sink for who wants nothing but the hash.
pub struct Discard;

impl Sink for Discard {
    fn write(&mut self, _bytes: &[u8]) {}
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
