//! Kernels, obtained or built, and kept in the cache.
//!
//! [`debian()`] is Debian's stock kernel, by package name. [`minimal`] is one of our own, built from source, with no more in
//! it than PID 1 and ordinary builds need; [`footing()`] is no Linux at all, and comes with this program. Each is kept as `CACHE/kernels/SHA256`, and files beside it remember what it is: as
//! long as they are there and the kernel has its hash, nothing is fetched and nothing built. What beyond that is verified of a
//! kernel in the cache, and what is not, stands in each module, and [`Kernel::about`] says what was not.

mod debian;
mod error;
pub mod minimal;

pub use debian::{debian, renew};
pub use error::Error;

use formats::digest::Sha256;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A kernel to boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Where it is.
    pub path: PathBuf,
    /// What it is: package and version, or source and compiler.
    pub about: String,
    /// Of its bytes.
    pub sha256: Sha256,
}

impl Kernel {
    /// The kernel with this hash in the cache's folder, if it is there and still is what it was.
    fn kept(folder: &Path, sha256: &str, about: &str) -> Option<Kernel> {
        let (sha256, path) = (Sha256::from_hex(sha256)?, folder.join(sha256));
        let intact = Sha256::of(fs::read(&path).ok()?) == sha256;
        intact.then(|| Kernel { path, about: about.to_owned(), sha256 })
    }

    /// Keeps a kernel under its hash.
    fn keep(folder: &Path, bytes: &[u8], about: &str) -> Result<Kernel, Error> {
        let sha256 = Sha256::of(bytes);
        let path = folder.join(sha256.to_string());
        keep(&path, bytes)?;
        Ok(Kernel { path, about: about.to_owned(), sha256 })
    }
}

/// What [`Kernel::about`] says of footing.
pub const FOOTING: &str = "footing, which carries out the plan itself";

/// footing, written to the cache, where QEMU can read it.
pub fn footing(cache: &Path) -> Result<Kernel, Error> {
    let folder = folder(cache)?;
    match Kernel::kept(&folder, &Sha256::of(crate::FOOTING).to_string(), FOOTING) {
        Some(kernel) => Ok(kernel),
        None => Kernel::keep(&folder, crate::FOOTING, FOOTING),
    }
}

/// Keeps a kernel that a graph built.
pub fn keep_built(cache: &Path, bytes: &[u8]) -> Result<Kernel, Error> {
    Kernel::keep(&folder(cache)?, bytes, "")
}

/// The kernel with this hash in a cache, if it is there and still is what it was.
pub fn kept_built(cache: &Path, sha256: &str) -> Option<Kernel> {
    Kernel::kept(&folder(cache).ok()?, sha256, "")
}

/// The folder for kernels in a cache.
fn folder(cache: &Path) -> Result<PathBuf, Error> {
    let folder = cache.join("kernels");
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    Ok(folder)
}

/// Writes a file so that it is there whole or not at all.
fn keep(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error).map(drop)
    };
    write().map_err(at(path))
}

/// `result.map_err(at(path))`
fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Cache { path, source }
}

/// Runs a program in a fixed language, its output collected.
fn output(command: &mut Command, name: &'static str) -> Result<std::process::Output, Error> {
    let result = command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output();
    result.map_err(|_| Error::NoProgram(name))
}
