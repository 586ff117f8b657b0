//! The folder that holds what was fetched: files by sha256, trees by what they were made of.
//!
//! ```text
//! files/SHA256          a file; SHA256.from beside it says where it came from, for people and records
//! trees/KEY/tree        a tree, by what it was made of
//! parts/SHA256          a download that is not complete
//! locks/NAME            taken while NAME is being made, so that a second process waits instead of doing it again
//! tmp/                  whatever is being made; a rename puts it in its place
//! apt/                  states of our own for `apt`
//! ```
//! Nothing in it is trusted. A file is hashed before each use, and removed if it does not hash to its name, which is the
//! sha256 that the graph or the lock file says. A tree is hashed before each use, and held against the lock file's hash or
//! against one that is made again of its archives (`store::make`). Only `SHA256.from` is taken as it is: it is for people, and
//! no decision hangs on it.

use super::discard::discard;
use super::{
    error::{Error, cache},
    hash,
};
use std::{
    env, fs,
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// What is left in `tmp` by processes that were killed goes after this time.
const STALE: Duration = Duration::from_secs(2 * 24 * 3600);

/// Bytes of the longest note on where a file came from that is shown.
const LONGEST: u64 = 4096;

/// `$XDG_CACHE_HOME/groundup`, else `~/.cache/groundup`; the current folder's `.groundup-cache` without a home.
pub fn default_folder() -> PathBuf {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    match (absolute("XDG_CACHE_HOME"), absolute("HOME")) {
        (Some(cache), _) => cache.join("groundup"),
        (None, Some(home)) => home.join(".cache/groundup"),
        (None, None) => PathBuf::from(".groundup-cache"),
    }
}

/// The folder, with all that is needed to change it safely.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub fn open(folder: &Path) -> Result<Self, Error> {
        for name in ["files", "trees", "parts", "locks", "tmp", "apt"] {
            let path = folder.join(name);
            cache(&path, fs::create_dir_all(&path))?;
        }
        let folder = cache(folder, folder.canonicalize())?;
        let this = Cache { folder };
        this.sweep();
        Ok(this)
    }

    /// Old leftovers only; failing to remove one does no harm.
    fn sweep(&self) {
        for entry in fs::read_dir(self.folder.join("tmp")).into_iter().flatten().flatten() {
            let age = entry.metadata().and_then(|meta| meta.modified()).map(|time| time.elapsed());
            if matches!(age, Ok(Ok(age)) if age > STALE) {
                discard(&entry.path());
            }
        }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    pub fn file(&self, sha256: &str) -> PathBuf {
        self.folder.join("files").join(sha256)
    }

    pub fn part(&self, sha256: &str) -> PathBuf {
        self.folder.join("parts").join(sha256)
    }

    /// Waits until nobody else makes `name`; the guard gives it free.
    pub fn lock(&self, name: &str) -> Result<File, Error> {
        let path = self.folder.join("locks").join(name);
        let file = cache(&path, File::options().create(true).append(true).open(&path))?;
        cache(&path, file.lock())?;
        Ok(file)
    }

    /// A fresh folder that goes when it is dropped.
    pub fn temporary(&self) -> Result<tempfile::TempDir, Error> {
        let path = self.folder.join("tmp");
        cache(&path, tempfile::Builder::new().prefix("").tempdir_in(&path))
    }

    /// The size of a file that is here and is what its name says. One that is not is removed.
    pub fn find(&self, sha256: &str) -> Option<u64> {
        let path = self.file(sha256);
        match hash::file(&path) {
            Ok((found, size)) if found.to_string() == sha256 => Some(size),
            Ok(_) => {
                discard(&path);
                None
            }
            Err(_) => None,
        }
    }

    /// Where a file came from, as remembered beside it.
    pub fn origin(&self, sha256: &str) -> String {
        let mut text = String::new();
        let read = File::open(self.file(sha256).with_extension("from"))
            .and_then(|file| file.take(LONGEST).read_to_string(&mut text));
        let plain = read.is_ok() && !text.is_empty() && !text.chars().any(char::is_control);
        if plain { text } else { "cache".into() }
    }

    /// Takes a file, already hashed, from somewhere in the cache's folder.
    pub fn adopt(&self, from: &Path, sha256: &str, place: &str) -> Result<(), Error> {
        cache(from, fs::set_permissions(from, fs::Permissions::from_mode(0o644)))?;
        // Graphs' own files come here at every run; one that a signal ends while it writes leaves a temporary file.
        if self.origin(sha256) != place {
            self.write(&self.file(sha256).with_extension("from"), place.as_bytes())?;
        }
        let to = self.file(sha256);
        cache(&to, fs::rename(from, &to))
    }

    /// Writes a file in whole or not at all.
    pub fn write(&self, to: &Path, content: &[u8]) -> Result<(), Error> {
        let tmp = self.folder.join("tmp");
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&tmp)?;
            file.write_all(content)?;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
            file.persist(to)?;
            Ok(())
        };
        cache(to, write())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupt_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let sha256 = hash::bytes(b"good");
        cache.write(&cache.path("tmp/x"), b"good").unwrap();
        cache.adopt(&cache.path("tmp/x"), &sha256, "here").unwrap();
        assert_eq!(cache.find(&sha256), Some(4));
        assert_eq!(cache.origin(&sha256), "here");
        fs::write(cache.file(&sha256), "evil").unwrap();
        assert_eq!(cache.find(&sha256), None);
        assert!(!cache.file(&sha256).exists());
    }
}
