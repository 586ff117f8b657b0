//! Taking a NAR apart into files. Nothing in it is believed: it comes from a machine that ran foreign programs.
//!
//! The grammar is in `formats::nar`. This reader accepts what that writer writes and nothing else: names are single
//! components in ascending order, and every byte of padding is zero.

use rustix::fs::{Mode, OFlags, mkdirat, openat, symlinkat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Directories deeper than this are refused, as PID 1 does.
const MAX_DEPTH: usize = formats::canonical::MAX_DEPTH;
/// Bytes of the longest name, link target or word of the grammar: no file system takes more.
const LONGEST: u64 = 4096;
/// Files, directories and links of the largest tree that is taken.
const MOST: usize = 2_000_000;

/// Why a NAR could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no NAR.
    #[error("byte {offset} of the NAR: expected {expected}")]
    Malformed {
        /// Where.
        offset: u64,
        /// What should have stood there.
        expected: &'static str,
    },
    /// More bytes than were allowed.
    #[error("the NAR has more than the {0} bytes that are allowed")]
    TooLarge(u64),
    /// More files than are allowed.
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
    /// The host's files.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was to be made.
        path: std::path::PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Unpacks `nar`, all of it, to `path`, which must not exist.
pub fn unpack(nar: &[u8], path: &Path) -> Result<(), Error> {
    all(Reader { from: nar, offset: 0, limit: nar.len() as u64, left: usize::MAX }, path).map(drop)
}

/// Unpacks a NAR of at most `limit` bytes while it is read, and says how many it had. Files go to the disk piece by piece:
/// what a few kilobytes of zstd stand for need not fit into memory.
pub fn read(from: impl Read, path: &Path, limit: u64) -> Result<u64, Error> {
    all(Reader { from, offset: 0, limit, left: MOST }, path)
}

fn all(mut reader: Reader<impl Read>, path: &Path) -> Result<u64, Error> {
    reader.expect(b"nix-archive-1", "`nix-archive-1`")?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |source| Error::Io { path: folder.to_owned(), source };
    let dir = File::open(folder).map_err(io)?;
    let name = path.file_name().unwrap_or_default();
    reader.node(&dir, name, path, MAX_DEPTH)?;
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
    let mut reader = Reader { from: nar, offset: 0, limit: nar.len() as u64, left: 1 };
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
    limit: u64,
    /// Files that may still come.
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
        let end = self.offset.checked_add(length).filter(|&end| end <= self.limit);
        self.offset = end.ok_or(Error::TooLarge(self.limit))?;
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

    /// A name, a link's target, or a word of the grammar.
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

    /// Makes `name` in `dir`, one component at a time: a whole path may be longer than the system takes. `path` is for messages.
    fn node(&mut self, dir: &File, name: &OsStr, path: &Path, depth: usize) -> Result<(), Error> {
        let io = |errno: Errno| Error::Io { path: path.to_owned(), source: errno.into() };
        let open =
            |flags, mode| openat(dir, name, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, mode).map_err(io);
        self.left = self.left.checked_sub(1).ok_or(Error::TooMany(MOST))?;
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
                let mode = Mode::from_raw_mode(if executable { 0o777 } else { 0o666 });
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
                self.contents(&mut open(flags, mode)?.into(), path)?;
                self.expect(b")", "`)`")
            }
            b"symlink" => {
                self.expect(b"target", "`target`")?;
                let target = self.string()?;
                symlinkat(OsStr::from_bytes(&target), dir, name).map_err(io)?;
                self.expect(b")", "`)`")
            }
            b"directory" if depth == 0 => Err(self.error("fewer directories around this")),
            b"directory" => {
                mkdirat(dir, name, Mode::from_raw_mode(0o777)).map_err(io)?;
                let dir = open(OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
                self.entries(&dir.into(), path, depth)
            }
            _ => Err(self.error("`regular`, `symlink` or `directory` before this")),
        }
    }

    /// Copies a file's bytes, however many.
    fn contents(&mut self, file: &mut File, path: &Path) -> Result<(), Error> {
        let length = self.length()?;
        self.grow(length)?;
        let (mut left, mut buffer) = (length, vec![0; length.min(256 << 10) as usize]);
        while left > 0 {
            let piece = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.from.read_exact(&mut buffer[..piece]).map_err(|source| self.failed(source))?;
            io::Write::write_all(file, &buffer[..piece])
                .map_err(|source| Error::Io { path: path.to_owned(), source })?;
            left -= piece as u64;
        }
        self.padding(length)
    }

    fn entries(&mut self, dir: &File, path: &Path, depth: usize) -> Result<(), Error> {
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
            let entry = OsStr::from_bytes(&name);
            self.node(dir, entry, &path.join(entry), depth - 1)?;
            self.expect(b")", "`)`")?;
            before = Some(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn nar(strings: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for string in strings {
            bytes.extend((string.len() as u64).to_le_bytes());
            bytes.extend(*string);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        bytes
    }

    fn entry(name: &[u8]) -> Vec<&[u8]> {
        vec![b"entry", b"(", b"name", name, b"node", b"(", b"type", b"symlink", b"target", b"x", b")", b")"]
    }

    fn directory(names: &[&'static [u8]]) -> Vec<u8> {
        let mut strings: Vec<&[u8]> = vec![b"nix-archive-1", b"(", b"type", b"directory"];
        names.iter().for_each(|name| strings.extend(entry(name)));
        strings.push(b")");
        nar(&strings)
    }

    #[test]
    fn what_the_writer_writes_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        unpack(&directory(&[b"a", b"b"]), &folder.path().join("out")).unwrap();
        assert_eq!(fs::read_link(folder.path().join("out/b")).unwrap(), Path::new("x"));
    }

    /// A tree as deep as PID 1 takes one, with names as long as they can be: its paths are longer than the system takes.
    #[test]
    fn a_deep_tree_comes_out_whole() {
        let name = [b'd'; 255];
        let (mut bytes, mut end) = (nar(&[b"nix-archive-1"]), Vec::new());
        for _ in 0..MAX_DEPTH {
            bytes.extend(nar(&[b"(", b"type", b"directory", b"entry", b"(", b"name", &name, b"node"]));
            end.extend(nar(&[b")", b")"]));
        }
        bytes.extend(nar(&[b"(", b"type", b"symlink", b"target", b"x", b")"]));
        bytes.extend(end);
        let folder = tempfile::tempdir().unwrap();
        unpack(&bytes, &folder.path().join("out")).unwrap();
        let ((mut names, mut order), mut buffer) = ((vec![0; 1 << 20], vec![0; 1 << 10]), [0; 100]);
        let room = init::walk::Room::new(&mut names, &mut order);
        let dir = File::open(folder.path()).unwrap();
        let (dir, path) = (std::os::fd::AsFd::as_fd(&dir), &mut init::walk::Path::new());
        let found =
            init::nar::write(dir, c"out", room, &mut buffer, path, &mut formats::nar::Discard).unwrap();
        assert_eq!(crate::hex(&found.0), crate::hash(&bytes));
        folder.close().unwrap();
    }

    #[test]
    fn names_can_not_leave() {
        for names in [[b"..".as_slice()], [b"a/b"], [b""], [b"."], [b"a\0"]] {
            let folder = tempfile::tempdir().unwrap();
            assert!(unpack(&directory(&names), &folder.path().join("out")).is_err(), "{names:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(unpack(&directory(&[b"b", b"a"]), &folder.path().join("out")).is_err());
        assert!(unpack(&directory(&[b"a", b"a"]), &folder.path().join("again")).is_err());
    }

    #[test]
    fn no_prefix_is_a_nar() {
        let whole = directory(&[b"a"]);
        for end in 0..whole.len() {
            let folder = tempfile::tempdir().unwrap();
            assert!(unpack(&whole[..end], &folder.path().join("out")).is_err(), "{end}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(unpack(&[whole.as_slice(), b"\0"].concat(), &folder.path().join("out")).is_err());
    }

    #[test]
    fn no_more_than_the_limit_is_written() {
        let file = |length: u64| {
            let start: Vec<&[u8]> = vec![b"nix-archive-1", b"(", b"type", b"regular", b"contents"];
            let start = [nar(&start), length.to_le_bytes().to_vec()].concat();
            start.chain_zeros(length)
        };
        let folder = tempfile::tempdir().unwrap();
        // The length alone is enough to refuse it: nothing of 16 GiB is read.
        let error = read(file(16 << 30), &folder.path().join("a"), 1 << 20).unwrap_err();
        assert!(matches!(error, Error::TooLarge(1_048_576)), "{error}");
        assert_eq!(fs::metadata(folder.path().join("a")).unwrap().len(), 0);
        // Many small ones add up.
        let whole = directory(&[b"a", b"b", b"c"]);
        let size = whole.len() as u64;
        assert_eq!(read(&whole[..], &folder.path().join("b"), size).unwrap(), size);
        assert!(matches!(read(&whole[..], &folder.path().join("c"), size - 1), Err(Error::TooLarge(_))));
        // A name of any length does not become memory.
        let long = [nar(&[b"nix-archive-1"]), (1_u64 << 40).to_le_bytes().to_vec()].concat();
        assert!(read(&long[..], &folder.path().join("d"), u64::MAX).is_err());
    }

    trait Zeros {
        fn chain_zeros(self, length: u64) -> Box<dyn Read>;
    }

    impl Zeros for Vec<u8> {
        fn chain_zeros(self, length: u64) -> Box<dyn Read> {
            Box::new(io::Cursor::new(self).chain(io::repeat(0).take(length)))
        }
    }
}
