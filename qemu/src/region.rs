//! The export region: memory of the guest that is a file of the host, through which outputs leave.
//!
//! The guest sees it as BAR 2 of an `ivshmem-plain` PCI device (vendor 1af4, device 1110) and maps it through sysfs:
//! no driver, no interrupt, nothing that completes later, so it does not disturb determinism. The file has no name, so nothing
//! stays behind however this process ends. Its room on the disk is taken at once: who writes to a mapped file for which there is
//! none is killed by the kernel, be it QEMU or PID 1, and everything else would be lost with it. Where there is less room than
//! was asked for, the region is smaller, and what does not fit is one output's failure.
//!
//! Nothing in the region is believed: offsets and sizes come from the console's events and are checked here, the
//! content is for the caller to hash.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, fstatfs, fstatvfs};
use rustix::io::Errno;

/// Memory shared with the guest.
#[derive(Debug)]
pub struct Region {
    file: File,
    size: u64,
    folder: PathBuf,
    cut: bool,
}

/// Why there is no region, or no such part of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A PCI device's memory has a power of two as its size.
    #[error("an export region of {0} bytes: the size must be a power of two of at least 4096")]
    Size(u64),
    /// The file could not be made.
    #[error("{folder}: making the export region: {source}")]
    Create {
        /// Where.
        folder: String,
        /// What the system said.
        source: io::Error,
    },
    /// An output that would lie outside.
    #[error("{size} bytes at {offset} do not lie in the export region of {region} bytes")]
    Bounds {
        /// Where the output would start.
        offset: u64,
        /// How long it would be.
        size: u64,
        /// How large the region is.
        region: u64,
    },
}

impl Region {
    /// A region of `size` bytes, a power of two, on the file system of `folder`, or of half as many and so on if there is no room.
    pub fn create(folder: &Path, size: u64) -> Result<Self, Error> {
        if !size.is_power_of_two() || size < 4096 {
            return Err(Error::Size(size));
        }
        let asked = size;
        let make = || {
            let file = tempfile::tempfile_in(folder)?;
            let mut size = asked;
            while let Err(errno) = reserve(&file, size) {
                size /= 2;
                // What was taken before there was no more.
                file.set_len(0)?;
                if errno != Errno::NOSPC || size < 4096 {
                    return Err(errno.into());
                }
            }
            file.set_len(size)?;
            Ok((file, size))
        };
        let fail = |source| Error::Create { folder: folder.display().to_string(), source };
        let (file, size) = make().map_err(fail)?;
        Ok(Self { file, size, folder: folder.to_owned(), cut: size < asked })
    }

    /// Where its file is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether there was no room for as much as was asked for.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The `size` bytes at `offset`, which must lie in the region.
    pub fn read(&self, offset: u64, size: u64) -> Result<Part<'_>, Error> {
        match offset.checked_add(size) {
            Some(end) if end <= self.size => Ok(Part { file: &self.file, offset, end }),
            _ => Err(Error::Bounds { offset, size, region: self.size }),
        }
    }

    /// The file, to be inherited by QEMU.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

/// Takes room for so many bytes. On a file system in memory that would cost as much memory at once, so there it is only done where
/// room is scarce; one that can't do it is taken at its word.
fn reserve(file: &File, size: u64) -> Result<(), Errno> {
    const TMPFS: u32 = 0x0102_1994;
    if fstatfs(file)?.f_type as u32 == TMPFS {
        let system = fstatvfs(file)?;
        // A limit of 0 is none.
        if system.f_blocks == 0 || system.f_bavail.saturating_mul(system.f_frsize) / 4 > size {
            return Ok(());
        }
    }
    match fallocate(file, FallocateFlags::empty(), 0, size) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        result => result,
    }
}

/// A part of a region.
#[derive(Debug)]
pub struct Part<'a> {
    file: &'a File,
    offset: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let found = self.file.read_at(&mut buffer[..length], self.offset)?;
        if found == 0 && length != 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the export region's file was cut"));
        }
        self.offset += found as u64;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_inside_is_read() {
        let region = Region::create(&std::env::temp_dir(), 8192).unwrap();
        region.file.write_all_at(b"nar", 4096).unwrap();
        let mut bytes = Vec::new();
        region.read(4096, 3).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"nar");
        assert_eq!(region.read(8192, 0).unwrap().read(&mut [0; 9]).unwrap(), 0);
        for (offset, size) in [(8192, 1), (0, 8193), (u64::MAX, 1), (1, u64::MAX), (4097, 4096)] {
            assert!(matches!(region.read(offset, size), Err(Error::Bounds { .. })));
        }
    }

    #[test]
    fn odd_sizes_are_refused() {
        for size in [0, 1, 2048, 4095, 5000, u64::MAX] {
            assert!(matches!(Region::create(&std::env::temp_dir(), size), Err(Error::Size(_))));
        }
    }
}
