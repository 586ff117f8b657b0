//! Writing the entries of an archive, one after the other, through one large buffer.
//!
//! File contents are read straight into the buffer that is handed to the destination, so that a byte is copied
//! once on its way. What a file holds is compared with the size in its header: a file that changes while it is
//! packed is an error, never a broken archive.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::Error;
use formats::newc::{self, Header};

/// How much is collected before it is written: enough that system calls do not count, and it stays in the cache.
const BUFFER: usize = 1 << 18;

/// An archive in the making. Entries are numbered from 1 in the order in which they come.
pub struct Archive<W> {
    out: W,
    buffer: Vec<u8>,
    filled: usize,
    written: u64,
    entries: u32,
}

impl<W: Write> Archive<W> {
    /// An empty archive that will be written to `out`.
    pub fn new(out: W) -> Self {
        Self { out, buffer: vec![0; BUFFER], filled: 0, written: 0, entries: 0 }
    }

    /// Adds a directory.
    pub fn directory(&mut self, name: &[u8]) -> Result<(), Error> {
        self.header(name, newc::DIRECTORY, 0)
    }

    /// Adds a symbolic link to `target`.
    pub fn symlink(&mut self, name: &[u8], target: &[u8]) -> Result<(), Error> {
        if target.len() > newc::TARGET_LIMIT {
            let path = shown(name);
            let (length, limit) = (target.len(), newc::TARGET_LIMIT);
            return Err(Error::TooLong { path, what: "the link target", length, limit });
        }
        self.header(name, newc::SYMLINK, target.len() as u32)?;
        self.put(target)?;
        self.pad()
    }

    /// Adds a file whose content is at hand.
    pub fn bytes(&mut self, name: &[u8], executable: bool, content: &[u8]) -> Result<(), Error> {
        self.file(name, executable, &shown(name), content.len() as u64, &mut &*content)
    }

    /// Adds a file of `size` bytes read from `content`; `path` is named in errors.
    pub fn file(
        &mut self,
        name: &[u8],
        executable: bool,
        path: &Path,
        size: u64,
        content: &mut impl Read,
    ) -> Result<(), Error> {
        let Ok(filesize) = u32::try_from(size) else {
            return Err(Error::TooLarge { path: path.to_owned(), size });
        };
        self.header(name, if executable { newc::EXECUTABLE } else { newc::FILE }, filesize)?;
        let mut left = size;
        // One byte more than declared is asked for at the end: a file that grew must not go unnoticed.
        loop {
            if self.filled == BUFFER {
                self.flush()?;
            }
            let room = (BUFFER - self.filled).min(usize::try_from(left).unwrap_or(BUFFER).max(1));
            let found = match content.read(&mut self.buffer[self.filled..self.filled + room]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
                Ok(found) => found as u64,
            };
            if (found == 0) != (left == 0) {
                let found = size - left + found;
                return Err(Error::Changed { path: path.to_owned(), expected: size, found });
            }
            if found == 0 {
                return self.pad();
            }
            self.filled += found as usize;
            left -= found;
        }
    }

    /// Ends the archive and gives back the destination, flushed, with the number of entries and of bytes.
    pub fn finish(mut self) -> Result<(W, u32, u64), Error> {
        self.put(&Header::trailer().encode())?;
        self.put(newc::TRAILER)?;
        self.put(&[0])?;
        self.pad()?;
        self.flush()?;
        self.out.flush().map_err(Error::Write)?;
        Ok((self.out, self.entries, self.written))
    }

    fn header(&mut self, name: &[u8], mode: u32, filesize: u32) -> Result<(), Error> {
        if name.len() > newc::NAME_LIMIT {
            let (length, limit) = (name.len(), newc::NAME_LIMIT);
            return Err(Error::TooLong { path: shown(name), what: "the name", length, limit });
        }
        if name == newc::TRAILER {
            return Err(Error::Name { name: "TRAILER!!!".to_owned(), why: "the mark of an archive's end" });
        }
        self.entries = self.entries.checked_add(1).ok_or(Error::TooMany)?;
        let header = Header::canonical(self.entries, mode, filesize, name.len() as u32 + 1);
        self.put(&header.encode())?;
        self.put(name)?;
        self.put(&[0])?;
        self.pad()
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.filled == BUFFER {
                self.flush()?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(BUFFER - self.filled));
            self.buffer[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
        }
        Ok(())
    }

    fn pad(&mut self) -> Result<(), Error> {
        let zeros = newc::padding(self.written + self.filled as u64);
        self.put(&[0; 4][..zeros])
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.out.write_all(&self.buffer[..self.filled]).map_err(Error::Write)?;
        self.written += self.filled as u64;
        self.filled = 0;
        Ok(())
    }
}

/// An entry's name as a path inside the image, for messages.
fn shown(name: &[u8]) -> PathBuf {
    Path::new("/").join(String::from_utf8_lossy(name).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(size: u64, content: &[u8]) -> Result<Vec<u8>, Error> {
        let mut archive = Archive::new(Vec::new());
        archive.file(b"f", false, Path::new("host/f"), size, &mut &*content)?;
        Ok(archive.finish()?.0)
    }

    #[test]
    fn files_that_change_are_refused() {
        assert!(packed(3, b"abc").is_ok());
        for (size, found) in [(4, 3), (2, 3), (0, 1)] {
            match packed(size, b"abc") {
                Err(Error::Changed { expected, found: f, .. }) => assert_eq!((expected, f), (size, found)),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn sizes_beyond_32_bits_are_refused_before_anything_is_read() {
        let error = packed(1 << 32, b"").unwrap_err();
        assert_eq!(
            error.to_string(),
            "host/f: 4294967296 bytes, but an initrd holds files of at most 4294967295 bytes"
        );
    }

    #[test]
    fn what_the_kernel_would_skip_is_refused() {
        let mut archive = Archive::new(Vec::new());
        archive.directory(&[b'a'; 4095]).unwrap();
        assert!(matches!(archive.directory(&[b'a'; 4096]), Err(Error::TooLong { length: 4096, .. })));
        archive.symlink(b"l", &[b'a'; 4095]).unwrap();
        assert!(matches!(archive.symlink(b"l", &[b'a'; 4096]), Err(Error::TooLong { length: 4096, .. })));
    }

    #[test]
    fn content_longer_than_the_buffer_arrives_whole() {
        let content: Vec<u8> = (0..3 * BUFFER + 7).map(|i| (i % 251) as u8).collect();
        let bytes = packed(content.len() as u64, &content).unwrap();
        assert_eq!(&bytes[112..112 + content.len()], &content);
        assert_eq!(bytes.len() % 4, 0);
    }

    #[test]
    fn a_full_destination_is_an_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Ok(0)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(matches!(Archive::new(Full).finish(), Err(Error::Write(_))));
    }
}
