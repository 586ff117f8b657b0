//! Outputs of an earlier run that are taken as inputs of another. Nothing is believed: each is hashed before it is taken, and
//! PID 1 hashes it again before its first use.

use crate::failure::Failure;
use formats::digest::Sha256;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// An output that is there.
#[derive(Clone, Debug)]
pub struct Prebuilt {
    /// Of its NAR.
    pub sha256: Sha256,
    /// Bytes of its NAR.
    pub size: u64,
    /// The step that made it.
    pub step: String,
    /// The machine that ran that step.
    pub machine: String,
    /// How many system calls that step made, and their fingerprint, where that is known.
    pub trace: Option<(u64, String)>,
    /// The base names of what it refers to in the store, where that was looked for.
    pub references: Vec<String>,
    /// What it is, unpacked.
    pub path: PathBuf,
}

/// Outputs by their names.
pub type All = BTreeMap<String, Prebuilt>;

/// Finds an output below `folder` as `run --out` leaves it, as files, as a NAR or in a binary cache; what a NAR holds is unpacked
/// below `scratch`. Nothing where it is not there or not what it should be, and then why.
pub fn find(folder: &Path, name: &str, sha256: Sha256, scratch: &Path) -> Result<PathBuf, String> {
    let (files, archive) = (folder.join(name), archive(folder, name, sha256));
    let wrong = |found: Sha256| format!("{name}: recorded as {sha256}, found {found}");
    let said = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    if files.symlink_metadata().is_ok() {
        let (found, _) = inputs::nar(&files).map_err(|error| said(&error))?;
        return if found == sha256 { Ok(files) } else { Err(wrong(found)) };
    }
    if !archive.exists() {
        return Err(format!("{name}: not in {}", folder.display()));
    }
    unpack(&archive, name, sha256, scratch)
}

/// Unpacks a NAR to `scratch/NAME` if it has this hash, else says why not.
pub fn unpack(archive: &Path, name: &str, sha256: Sha256, scratch: &Path) -> Result<PathBuf, String> {
    let said = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let (found, size) = inputs::hash_file(archive).map_err(|error| said(&error))?;
    if found != sha256 {
        return Err(format!("{name}: recorded as {sha256}, found {found}"));
    }
    let path = scratch.join(name);
    let file = File::open(archive).map_err(|error| said(&error))?;
    inputs::restore(BufReader::new(file), &path, size).map_err(|error| said(&error))?;
    Ok(path)
}

/// Where the NAR of an output is, if it is there: by its name, or by its hash in a binary cache.
pub fn archive(folder: &Path, name: &str, sha256: Sha256) -> PathBuf {
    let cached = folder.join("nar").join(format!("{}.nar", sha256.nix32()));
    if cached.exists() { cached } else { folder.join(format!("{name}.nar")) }
}

/// A folder for what is unpacked, which goes when it is dropped.
pub fn scratch(cache: &Path) -> Result<tempfile::TempDir, Failure> {
    let folder = crate::prepare::folders::temporary(cache);
    tempfile::Builder::new()
        .prefix("given-")
        .tempdir_in(&folder)
        .map_err(|error| Failure::machine(format!("{}: {error}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_recorded_hash_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("x"), "").unwrap();
        let (sha256, _) = inputs::nar(&at("x")).unwrap();
        let find = |name: &str, sha256: Sha256| find(folder.path(), name, sha256, &at("scratch"));
        assert_eq!(find("x", sha256), Ok(at("x")));
        std::fs::write(at("x"), "y").unwrap();
        assert!(find("x", sha256).unwrap_err().starts_with(&format!("x: recorded as {sha256}, found ")));
        assert!(find("none", sha256).unwrap_err().starts_with("none: not in "));
        std::fs::write(at("bad.nar"), "nix-archive-1").unwrap();
        let sha256 = Sha256::of("nix-archive-1");
        assert!(find("bad", sha256).unwrap_err().starts_with("bad: byte "));
    }
}
