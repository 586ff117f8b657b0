//! Taking a NAR apart into files. Nothing in it is believed: it comes from a machine that ran foreign programs.
//!
//! The grammar stands in `init::nar`. This reader accepts what that writer writes and nothing else: names are single
//! components in ascending order, and every byte of padding is zero.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

/// Directories deeper than this are refused, as PID 1 does.
const MAX_DEPTH: usize = init::walk::MAX_DEPTH;

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
    let mut reader = Reader { nar, offset: 0 };
    reader.expect(b"nix-archive-1", "`nix-archive-1`")?;
    reader.node(path, MAX_DEPTH)?;
    if reader.offset < nar.len() { Err(reader.error("the end")) } else { Ok(()) }
}

/// The bytes of the plain file, not executable, that is all of `nar`.
pub fn plain(nar: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader { nar, offset: 0 };
    for word in ["nix-archive-1", "(", "type", "regular", "contents"] {
        reader.expect(word.as_bytes(), "a plain file").ok()?;
    }
    let contents = reader.string().ok()?;
    reader.expect(b")", "`)`").ok()?;
    (reader.offset == nar.len()).then_some(contents)
}

struct Reader<'a> {
    nar: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, expected: &'static str) -> Error {
        Error::Malformed { offset: self.offset as u64, expected }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let end = self.offset.checked_add(length).filter(|&end| end <= self.nar.len());
        let end = end.ok_or_else(|| self.error("more bytes"))?;
        let bytes = &self.nar[self.offset..end];
        self.offset = end;
        Ok(bytes)
    }

    fn string(&mut self) -> Result<&'a [u8], Error> {
        let mut length = [0; 8];
        self.take(8)?.read_exact(&mut length).map_err(|_| self.error("a length"))?;
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| self.error("a length"))?;
        let bytes = self.take(length)?;
        let padding = self.take(length.wrapping_neg() % 8)?;
        if padding.iter().any(|&byte| byte != 0) { Err(self.error("zeros before this")) } else { Ok(bytes) }
    }

    fn expect(&mut self, text: &[u8], expected: &'static str) -> Result<(), Error> {
        let start = self.offset;
        if self.string()? == text {
            return Ok(());
        }
        self.offset = start;
        Err(self.error(expected))
    }

    fn node(&mut self, path: &Path, depth: usize) -> Result<(), Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        self.expect(b"(", "`(`")?;
        self.expect(b"type", "`type`")?;
        match self.string()? {
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
                let contents = self.string()?;
                let mode = if executable { 0o777 } else { 0o666 };
                let file = File::options().write(true).create_new(true).mode(mode).open(path);
                file.and_then(|mut file| file.write_all(contents)).map_err(io)?;
                self.expect(b")", "`)`")
            }
            b"symlink" => {
                self.expect(b"target", "`target`")?;
                let target = self.string()?;
                symlink(std::ffi::OsStr::from_bytes(target), path).map_err(io)?;
                self.expect(b")", "`)`")
            }
            b"directory" if depth == 0 => Err(self.error("fewer directories around this")),
            b"directory" => {
                fs::create_dir(path).map_err(io)?;
                self.entries(path, depth)
            }
            _ => Err(self.error("`regular`, `symlink` or `directory` before this")),
        }
    }

    fn entries(&mut self, path: &Path, depth: usize) -> Result<(), Error> {
        let mut before: Option<&[u8]> = None;
        loop {
            match self.string()? {
                b")" => return Ok(()),
                b"entry" => {}
                _ => return Err(self.error("`entry` or `)` before this")),
            }
            self.expect(b"(", "`(`")?;
            self.expect(b"name", "`name`")?;
            let name = self.string()?;
            let component =
                !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| b"/\0".contains(byte));
            if !component || before.is_some_and(|before| before >= name) {
                return Err(self.error("a single component above the one before, before this"));
            }
            before = Some(name);
            self.expect(b"node", "`node`")?;
            self.node(&path.join(std::ffi::OsStr::from_bytes(name)), depth - 1)?;
            self.expect(b")", "`)`")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
