//! The NAR sha256 of a path on disk, by the code that PID 1 runs.

use formats::digest::Sha256;
use formats::nar::{Discard, Sink};
use init::nar;
use init::walk::{self, Buffers};
use std::{
    ffi::CString,
    fs::File,
    io,
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::Path,
};

/// Room for the names of folders being walked. The pages that a tree doesn't need are never touched.
const NAMES: usize = 64 << 20;
const ENTRIES: usize = 4 << 20;

/// Hash and size of the NAR of a path.
pub fn nar(path: &Path) -> io::Result<(Sha256, u64)> {
    nar_to(path, &mut Discard)
}

/// The same, and the NAR itself into a sink.
pub fn nar_to(path: &Path, sink: &mut dyn Sink) -> io::Result<(Sha256, u64)> {
    let parent =
        File::open(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    let name = path.file_name().ok_or_else(|| io::Error::other("a path without a name"))?;
    let name = CString::new(name.as_bytes())?;
    let (mut names, mut order, mut buffer) = (vec![0; NAMES], vec![0; ENTRIES], vec![0; 256 << 10]);
    let room = Buffers::new(&mut names, &mut order);
    let mut at = walk::Path::new();
    match nar::write(parent.as_fd(), &name, room, &mut buffer, &mut at, sink) {
        Ok((digest, size)) => Ok((digest.into(), size)),
        Err(walk::Error::System(what, errno)) => {
            let error = io::Error::from(errno);
            Err(io::Error::new(
                error.kind(),
                format!("{what} {}: {error}", String::from_utf8_lossy(at.as_bytes())),
            ))
        }
        Err(error) => Err(io::Error::other(format!("{}: {error}", String::from_utf8_lossy(at.as_bytes())))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn hashes_as_published() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "").unwrap();
        // The NAR of an empty file, as `nix-store --dump` writes it.
        let (sha256, size) = nar(&path).unwrap();
        assert_eq!((&sha256.to_string()[..16], size), ("77ac62e2629d8e45", 112));
        assert!(nar(&folder.path().join("none")).is_err());
    }
}
