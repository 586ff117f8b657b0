//! Writing an image to a file.

use crate::failure::{CANCELLED, Failure};
use formats::digest::Sha256;
use sha2::Digest;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What was written.
pub struct Written {
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of the archive, before compression.
    pub unpacked: u64,
    /// Entries of the archive.
    pub entries: u32,
}

/// What a new file has before the umask: a temporary one is its owner's alone otherwise.
pub fn mode() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Writes an image to a file that is open.
pub fn pack(
    image: &images::Image<'_>,
    (path, file): (&Path, &File),
    xz: bool,
    cancel: &AtomicBool,
) -> Result<Written, Failure> {
    let full = |error: &io::Error| Failure::written(path, "the image", error);
    let mut out =
        Hashing { cancel, file: BufWriter::with_capacity(1 << 20, file), hash: sha2::Sha256::new(), size: 0 };
    let write = if xz { images::write_xz } else { images::write };
    let summary = write(image, &mut out).map_err(|error| match cancel.load(Ordering::Relaxed) {
        true => Failure::machine(CANCELLED),
        false => match &error {
            images::Error::Write(source) => full(source),
            _ => Failure::input(error),
        },
    })?;
    out.flush().map_err(|error| full(&error))?;
    Ok(Written {
        sha256: <[u8; 32]>::from(out.hash.finalize()).into(),
        size: out.size,
        unpacked: summary.bytes,
        entries: summary.entries,
    })
}

/// Hashes what passes through.
struct Hashing<'a> {
    cancel: &'a AtomicBool,
    file: BufWriter<&'a File>,
    hash: sha2::Sha256,
    size: u64,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(io::Error::other("cancelled"));
        }
        let length = self.file.write(bytes)?;
        self.hash.update(&bytes[..length]);
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
