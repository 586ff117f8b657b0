//! Restoring a NAR: making its files, directories and links, as `nix-store --restore` does. Files go to the disk piece by piece:
//! what a few kilobytes of zstd stand for need not fit into memory.

use formats::nar::read::{Error, Limits, Visitor, read};
use rustix::fs::{Mode, OFlags, mkdirat, openat, symlinkat};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Files, directories and links of the largest tree that is taken.
const NODES: usize = 2_000_000;

/// Restores a NAR of at most `limit` bytes at `path`, which must not exist, while it is read; returns its size in bytes.
/// Directories are nested as deep as PID 1 takes them, and not deeper.
///
/// # Errors
/// What is wrong with the NAR, or the file that could not be made. What was made until then stays.
pub fn restore(from: impl Read, path: &Path, limit: u64) -> Result<u64, Error> {
    let limits = Limits { bytes: limit, nodes: NODES, depth: formats::canonical::MAX_DEPTH };
    let mut files = Files { folders: Vec::new(), root: path, path: PathBuf::new(), file: None };
    read(from, limits, &mut files)
}

/// Makes `name` in the innermost folder, one component at a time: a whole path may be longer than the system takes.
struct Files<'a> {
    folders: Vec<OwnedFd>,
    root: &'a Path,
    /// Of the innermost folder below the root, for messages.
    path: PathBuf,
    /// The file whose bytes come, and its name.
    file: Option<(File, Vec<u8>)>,
}

impl Files<'_> {
    fn name<'n>(&'n self, name: &'n [u8]) -> &'n OsStr {
        match name {
            b"" => self.root.file_name().unwrap_or_default(),
            _ => OsStr::from_bytes(name),
        }
    }

    /// The innermost folder: the one that the root is made in is opened when the root is known to be there.
    fn dir(&mut self) -> Result<OwnedFd, Error> {
        let last = match self.folders.last() {
            Some(dir) => dir.try_clone(),
            None => {
                let parent = self.root.parent().filter(|folder| !folder.as_os_str().is_empty());
                File::open(parent.unwrap_or(Path::new("."))).map(OwnedFd::from)
            }
        };
        last.map_err(|error| self.error(b"", error))
    }

    fn open(&self, dir: &OwnedFd, name: &[u8], flags: OFlags, mode: u32) -> Result<OwnedFd, Error> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        openat(dir, self.name(name), flags, Mode::from_raw_mode(mode))
            .map_err(|errno| self.error(name, errno))
    }

    fn error(&self, name: &[u8], source: impl Into<io::Error>) -> Error {
        let below = self.path.join(OsStr::from_bytes(name));
        let path = if below.as_os_str().is_empty() { self.root.to_owned() } else { self.root.join(below) };
        Error::Make { path, source: source.into() }
    }
}

impl Visitor for Files<'_> {
    fn directory(&mut self, name: &[u8]) -> Result<(), Error> {
        let dir = &self.dir()?;
        mkdirat(dir, self.name(name), Mode::from_raw_mode(0o777)).map_err(|errno| self.error(name, errno))?;
        let opened = self.open(dir, name, OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
        self.folders.push(opened);
        if !name.is_empty() {
            self.path.push(OsStr::from_bytes(name));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.folders.pop();
        self.path.pop();
    }

    fn file(&mut self, name: &[u8], executable: bool) -> Result<(), Error> {
        let mode = if executable { 0o777 } else { 0o666 };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let dir = self.dir()?;
        let opened = self.open(&dir, name, flags, mode)?;
        self.file = Some((opened.into(), name.to_owned()));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some((file, name)) = &mut self.file else { return Ok(()) };
        match file.write_all(bytes) {
            Ok(()) => Ok(()),
            Err(source) => {
                let name = std::mem::take(name);
                Err(self.error(&name, source))
            }
        }
    }

    fn symlink(&mut self, name: &[u8], target: &[u8]) -> Result<(), Error> {
        let dir = self.dir()?;
        symlinkat(OsStr::from_bytes(target), dir, self.name(name)).map_err(|errno| self.error(name, errno))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::digest::Sha256;
    use std::fs;
    use std::io::Read;

    fn whole_nar(nar: &[u8], path: &Path) -> Result<(), Error> {
        restore(nar, path, nar.len() as u64).map(drop)
    }

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
        whole_nar(&directory(&[b"a", b"b"]), &folder.path().join("out")).unwrap();
        assert_eq!(fs::read_link(folder.path().join("out/b")).unwrap(), Path::new("x"));
    }

    /// A tree as deep as PID 1 takes one, with names as long as they can be: its paths are longer than the system takes.
    #[test]
    fn a_deep_tree_comes_out_whole() {
        let name = [b'd'; 255];
        let (mut bytes, mut end) = (nar(&[b"nix-archive-1"]), Vec::new());
        for _ in 0..formats::canonical::MAX_DEPTH {
            bytes.extend(nar(&[b"(", b"type", b"directory", b"entry", b"(", b"name", &name, b"node"]));
            end.extend(nar(&[b")", b")"]));
        }
        bytes.extend(nar(&[b"(", b"type", b"symlink", b"target", b"x", b")"]));
        bytes.extend(end);
        let folder = tempfile::tempdir().unwrap();
        whole_nar(&bytes, &folder.path().join("out")).unwrap();
        let ((mut names, mut order), mut buffer) = ((vec![0; 1 << 20], vec![0; 1 << 10]), [0; 100]);
        let room = init::walk::Buffers::new(&mut names, &mut order);
        let dir = File::open(folder.path()).unwrap();
        let (dir, path) = (std::os::fd::AsFd::as_fd(&dir), &mut init::walk::Path::new());
        let found =
            init::nar::write(dir, c"out", room, &mut buffer, path, &mut formats::nar::Discard).unwrap();
        assert_eq!(Sha256::from(found.0), Sha256::of(&bytes));
        folder.close().unwrap();
    }

    #[test]
    fn names_can_not_leave() {
        for names in [[b"..".as_slice()], [b"a/b"], [b""], [b"."], [b"a\0"]] {
            let folder = tempfile::tempdir().unwrap();
            assert!(whole_nar(&directory(&names), &folder.path().join("out")).is_err(), "{names:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(whole_nar(&directory(&[b"b", b"a"]), &folder.path().join("out")).is_err());
        assert!(whole_nar(&directory(&[b"a", b"a"]), &folder.path().join("again")).is_err());
    }

    #[test]
    fn no_prefix_is_a_nar() {
        let whole = directory(&[b"a"]);
        for end in 0..whole.len() {
            let folder = tempfile::tempdir().unwrap();
            assert!(whole_nar(&whole[..end], &folder.path().join("out")).is_err(), "{end}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(whole_nar(&[whole.as_slice(), b"\0"].concat(), &folder.path().join("out")).is_err());
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
        let error = restore(file(16 << 30), &folder.path().join("a"), 1 << 20).unwrap_err();
        assert!(matches!(error, Error::TooLarge(1_048_576)), "{error}");
        assert_eq!(fs::metadata(folder.path().join("a")).unwrap().len(), 0);
        // Many small ones add up.
        let whole = directory(&[b"a", b"b", b"c"]);
        let size = whole.len() as u64;
        assert_eq!(restore(&whole[..], &folder.path().join("b"), size).unwrap(), size);
        assert!(matches!(restore(&whole[..], &folder.path().join("c"), size - 1), Err(Error::TooLarge(_))));
        // A name of any length does not become memory.
        let long = [nar(&[b"nix-archive-1"]), (1_u64 << 40).to_le_bytes().to_vec()].concat();
        assert!(restore(&long[..], &folder.path().join("d"), u64::MAX).is_err());
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
