//! Reading a NAR while it arrives. Nothing in it is believed: it comes from a machine that ran foreign programs.
//!
//! The reader accepts what the writer writes and nothing else: names are single components in ascending order, and every byte of
//! padding is zero.

use std::io::{self, Read};

/// Bytes of the longest name, link target or word of the grammar: no file system takes more.
const LONGEST: u64 = 4096;

/// Why a NAR was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no NAR.
    #[error("byte {offset} of the NAR: expected {expected}")]
    Malformed {
        /// Where.
        offset: u64,
        /// What should be there.
        expected: &'static str,
    },
    /// More bytes than were allowed.
    #[error("the NAR has more than the {0} bytes that are allowed")]
    TooLarge(u64),
    /// More nodes than are allowed.
    #[error("the NAR has more than the {0} files that are allowed")]
    TooMany(usize),
    /// The bytes could not be read.
    #[error("after byte {offset} of the NAR: {source}")]
    Read {
        /// Where.
        offset: u64,
        /// What the system or the decompressor said.
        source: io::Error,
    },
    /// A node could not be made.
    #[error("{}: {source}", path.display())]
    Make {
        /// What was to be made.
        path: std::path::PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// How much of a NAR is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the NAR.
    pub bytes: u64,
    /// Files, directories and links.
    pub nodes: usize,
    /// Directories in one another.
    pub depth: usize,
}

/// What makes something of a NAR's nodes, in their order. The root's name is empty.
pub trait Visitor {
    /// A directory; its entries follow up to `leave`.
    fn directory(&mut self, name: &[u8]) -> Result<(), Error>;
    /// All entries of the directory were there.
    fn leave(&mut self);
    /// A file; its bytes follow as `data`.
    fn file(&mut self, name: &[u8], executable: bool) -> Result<(), Error>;
    /// The next bytes of the file.
    fn data(&mut self, bytes: &[u8]) -> Result<(), Error>;
    /// A symbolic link.
    fn symlink(&mut self, name: &[u8], target: &[u8]) -> Result<(), Error>;
}

/// Reads a NAR to its end, which must be the end of `from`; returns its size in bytes.
pub fn read(from: impl Read, limits: Limits, visitor: &mut dyn Visitor) -> Result<u64, Error> {
    let mut reader = Reader { from, offset: 0, limits, left: limits.nodes };
    reader.expect(b"nix-archive-1", "`nix-archive-1`")?;
    reader.node(visitor, b"", limits.depth)?;
    let end = reader.offset;
    // One byte more is asked for.
    match io::copy(&mut reader.from.by_ref().take(1), &mut io::sink()) {
        Ok(0) => Ok(end),
        Ok(_) => Err(reader.error("the end")),
        Err(source) => Err(reader.failed(source)),
    }
}

/// The bytes of the plain file, not executable, that is all of `nar`.
pub fn plain(nar: &[u8]) -> Option<&[u8]> {
    let limits = Limits { bytes: nar.len() as u64, nodes: 1, depth: 0 };
    let mut reader = Reader { from: nar, offset: 0, limits, left: 1 };
    for word in ["nix-archive-1", "(", "type", "regular", "contents"] {
        reader.expect(word.as_bytes(), "a plain file").ok()?;
    }
    let length = usize::try_from(reader.length().ok()?).ok()?;
    let contents = reader.from.get(..length)?;
    reader.from = &reader.from[length..];
    reader.padding(length as u64).ok()?;
    reader.expect(b")", "`)`").ok()?;
    reader.from.is_empty().then_some(contents)
}

struct Reader<R> {
    from: R,
    offset: u64,
    limits: Limits,
    /// Nodes that may still come.
    left: usize,
}

impl<R: Read> Reader<R> {
    fn error(&self, expected: &'static str) -> Error {
        Error::Malformed { offset: self.offset, expected }
    }

    fn failed(&self, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => self.error("more bytes"),
            _ => Error::Read { offset: self.offset, source },
        }
    }

    /// Counts bytes before they are read.
    fn grow(&mut self, length: u64) -> Result<(), Error> {
        let end = self.offset.checked_add(length).filter(|&end| end <= self.limits.bytes);
        self.offset = end.ok_or(Error::TooLarge(self.limits.bytes))?;
        Ok(())
    }

    fn bytes(&mut self, into: &mut [u8]) -> Result<(), Error> {
        self.from.read_exact(into).map_err(|source| self.failed(source))?;
        self.grow(into.len() as u64)
    }

    fn length(&mut self) -> Result<u64, Error> {
        let mut length = [0; 8];
        self.bytes(&mut length)?;
        Ok(u64::from_le_bytes(length))
    }

    fn padding(&mut self, length: u64) -> Result<(), Error> {
        let mut zeros = [0; 8];
        let zeros = &mut zeros[..(length.wrapping_neg() % 8) as usize];
        self.bytes(zeros)?;
        if zeros.iter().any(|&byte| byte != 0) { Err(self.error("zeros before this")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Vec<u8>, Error> {
        let length = self.length()?;
        if length > LONGEST {
            return Err(self.error("a string of at most 4096 bytes"));
        }
        let mut bytes = vec![0; length as usize];
        self.bytes(&mut bytes)?;
        self.padding(length)?;
        Ok(bytes)
    }

    fn expect(&mut self, text: &[u8], expected: &'static str) -> Result<(), Error> {
        let offset = self.offset;
        if self.string()? == text { Ok(()) } else { Err(Error::Malformed { offset, expected }) }
    }

    fn node(&mut self, visitor: &mut dyn Visitor, name: &[u8], depth: usize) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or(Error::TooMany(self.limits.nodes))?;
        self.expect(b"(", "`(`")?;
        self.expect(b"type", "`type`")?;
        match &self.string()?[..] {
            b"regular" => {
                let mut word = self.string()?;
                let executable = word == b"executable";
                if executable {
                    self.expect(b"", "an empty string")?;
                    word = self.string()?;
                }
                if word != b"contents" {
                    return Err(self.error("`contents` before this"));
                }
                visitor.file(name, executable)?;
                self.contents(visitor)?;
                self.expect(b")", "`)`")
            }
            b"symlink" => {
                self.expect(b"target", "`target`")?;
                let target = self.string()?;
                visitor.symlink(name, &target)?;
                self.expect(b")", "`)`")
            }
            b"directory" if depth == 0 => Err(self.error("fewer directories around this")),
            b"directory" => {
                visitor.directory(name)?;
                self.entries(visitor, depth)?;
                visitor.leave();
                Ok(())
            }
            _ => Err(self.error("`regular`, `symlink` or `directory` before this")),
        }
    }

    /// Hands over a file's bytes, however many, piece by piece.
    fn contents(&mut self, visitor: &mut dyn Visitor) -> Result<(), Error> {
        let length = self.length()?;
        self.grow(length)?;
        let (mut left, mut buffer) = (length, vec![0; length.min(256 << 10) as usize]);
        while left > 0 {
            let piece = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.from.read_exact(&mut buffer[..piece]).map_err(|source| self.failed(source))?;
            visitor.data(&buffer[..piece])?;
            left -= piece as u64;
        }
        self.padding(length)
    }

    fn entries(&mut self, visitor: &mut dyn Visitor, depth: usize) -> Result<(), Error> {
        let mut before: Option<Vec<u8>> = None;
        loop {
            match &self.string()?[..] {
                b")" => return Ok(()),
                b"entry" => {}
                _ => return Err(self.error("`entry` or `)` before this")),
            }
            self.expect(b"(", "`(`")?;
            self.expect(b"name", "`name`")?;
            let name = self.string()?;
            let component =
                !matches!(&name[..], b"" | b"." | b"..") && !name.iter().any(|byte| b"/\0".contains(byte));
            if !component || before.is_some_and(|before| before >= name) {
                return Err(self.error("a single component above the one before, before this"));
            }
            self.expect(b"node", "`node`")?;
            self.node(visitor, &name, depth - 1)?;
            self.expect(b")", "`)`")?;
            before = Some(name);
        }
    }
}
