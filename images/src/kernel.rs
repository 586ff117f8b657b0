//! Obtaining a kernel: Debian's stock one, by package name, through the machine's own apt, without root.
//!
//! `apt-cache show` resolves the meta package to the package that holds a kernel, `apt-get download` fetches it and
//! checks it against the signed package lists, `dpkg-deb --fsys-tarfile` opens it. The kernel is kept as
//! `CACHE/kernels/SHA256`, and `CACHE/kernels/debian` remembers package, version and hash: while that file is there
//! and the kernel has its hash, nothing is asked of the network. Both are written beside their place and renamed.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

/// The meta packages, in order of preference: the cloud kernel is smaller and has the same features built in.
const META: [&str; 2] = ["linux-image-cloud-amd64", "linux-image-amd64"];

/// A kernel to boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Where it is.
    pub path: PathBuf,
    /// The package it came from.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// Its hash, 64 lower-case digits.
    pub sha256: String,
}

/// Why there is no kernel, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program of Debian's is not there.
    #[error(
        "`{0}` was not found: Debian's kernel needs a Debian system; name a kernel file with --kernel instead"
    )]
    NoProgram(&'static str),
    /// apt's lists are missing or hold no kernel.
    #[error("apt knows no package {}: run `apt-get update` as root, then try again", META[0])]
    NoLists,
    /// apt could not download the package.
    #[error(
        "apt could not download {package}: {stderr}\nrun `apt-get update` as root, check the network, then try again"
    )]
    Download {
        /// The package and its version.
        package: String,
        /// What apt said.
        stderr: String,
    },
    /// The package is not as expected.
    #[error("{package}: {what}")]
    Package {
        /// The package.
        package: String,
        /// What is wrong.
        what: String,
    },
    /// The cache folder could not be used.
    #[error("{}: {source}", path.display())]
    Cache {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Debian's stock kernel: the one in `cache`, or else the one that apt offers now, which is then kept there.
pub fn debian(cache: &Path) -> Result<Kernel, Error> {
    match cached(&cache.join("kernels")) {
        Some(kernel) => Ok(kernel),
        None => renew(cache),
    }
}

/// Debian's stock kernel as apt offers it now, kept in `cache`.
pub fn renew(cache: &Path) -> Result<Kernel, Error> {
    let folder = cache.join("kernels");
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Cache { path, source }
    };
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let (package, version) = resolve()?;
    let download = tempfile::tempdir_in(&folder).map_err(at(&folder))?;
    let deb = fetch(download.path(), &package, &version)?;
    let bytes = unpack(&deb, &package)?;
    let sha256 = hex(&Sha256::digest(&bytes));
    let path = folder.join(&sha256);
    keep(&folder, &path, &bytes).map_err(at(&path))?;
    let index = folder.join("debian");
    keep(&folder, &index, format!("{package} {version} {sha256}\n").as_bytes()).map_err(at(&index))?;
    Ok(Kernel { path, package, version, sha256 })
}

/// The kernel that is remembered, if it is still what it was.
fn cached(folder: &Path) -> Option<Kernel> {
    let index = fs::read_to_string(folder.join("debian")).ok()?;
    let [package, version, sha256] = index.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
    let plain = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
    let path = folder.join(sha256);
    let intact = plain && hex(&Sha256::digest(fs::read(&path).ok()?)) == sha256;
    intact.then(|| Kernel {
        path,
        package: package.to_owned(),
        version: version.to_owned(),
        sha256: sha256.to_owned(),
    })
}

/// The package that the first known meta package depends on, and its version.
fn resolve() -> Result<(String, String), Error> {
    for meta in META {
        let mut command = Command::new("apt-cache");
        command.args(["show", "--no-all-versions", meta]);
        let output = output(&mut command, "apt-cache")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if let Some(found) = text.lines().find_map(|line| depends(line.strip_prefix("Depends: ")?)) {
            return Ok(found);
        }
    }
    Err(Error::NoLists)
}

/// The kernel package in a list like `linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2), other`.
fn depends(list: &str) -> Option<(String, String)> {
    list.split(',').find_map(|one| {
        let (package, version) = one.trim().split_once(" (= ")?;
        let version = version.strip_suffix(')')?;
        package.starts_with("linux-image-").then(|| (package.to_owned(), version.to_owned()))
    })
}

/// Downloads a package into `folder` and says where it is.
fn fetch(folder: &Path, package: &str, version: &str) -> Result<PathBuf, Error> {
    let wanted = format!("{package}={version}");
    let mut command = Command::new("apt-get");
    // As root apt would drop to a user of its own, who may not write here.
    command.args(["-q", "-o", "APT::Sandbox::User=root", "download", &wanted]).current_dir(folder);
    let output = output(&mut command, "apt-get")?;
    let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !output.status.success() {
        return Err(Error::Download { package: wanted, stderr });
    }
    let files = fs::read_dir(folder).map_err(|source| Error::Cache { path: folder.to_owned(), source })?;
    let mut debs =
        files.flatten().map(|file| file.path()).filter(|path| path.extension() == Some("deb".as_ref()));
    debs.next().ok_or(Error::Download { package: wanted, stderr: "it left no package".to_owned() })
}

/// The bytes of the one `boot/vmlinuz-*` in a package.
fn unpack(deb: &Path, package: &str) -> Result<Vec<u8>, Error> {
    let bad = |what: String| Error::Package { package: package.to_owned(), what };
    let mut command = Command::new("dpkg-deb");
    command.arg("--fsys-tarfile").arg(deb).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|_| Error::NoProgram("dpkg-deb"))?;
    let stdout = child.stdout.take();
    let found = stdout.map(|stdout| vmlinuz(&mut tar::Archive::new(stdout))).unwrap_or(Ok(None));
    // The pipe is closed by now, so dpkg-deb ends, if only by SIGPIPE.
    let status = child.wait().map_err(|error| bad(error.to_string()))?;
    match found {
        Ok(Some(bytes)) if !bytes.is_empty() => Ok(bytes),
        Ok(_) => Err(bad(format!("no boot/vmlinuz-* inside (dpkg-deb: {status})"))),
        Err(error) => Err(bad(format!("not a package: {error} (dpkg-deb: {status})"))),
    }
}

fn vmlinuz(archive: &mut tar::Archive<impl Read>) -> io::Result<Option<Vec<u8>>> {
    for entry in archive.entries()? {
        let mut entry = entry?;
        let is_kernel = |path: &Path| {
            path.to_str().is_some_and(|p| p.trim_start_matches("./").starts_with("boot/vmlinuz-"))
        };
        if entry.header().entry_type().is_file() && is_kernel(&entry.path()?) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// Runs a program in a fixed language, its output collected.
fn output(command: &mut Command, name: &'static str) -> Result<std::process::Output, Error> {
    let result = command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output();
    result.map_err(|_| Error::NoProgram(name))
}

/// Writes a file so that it is there whole or not at all.
fn keep(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meta_package_names_the_kernel() {
        let found = depends("linux-base, linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)");
        assert_eq!(found, Some(("linux-image-6.1.0-56-cloud-amd64".into(), "6.1.192-2".into())));
        assert_eq!(depends("linux-base (= 1), initramfs-tools"), None);
    }

    #[test]
    fn a_kept_kernel_is_used_only_while_it_is_intact() {
        let dir = tempfile::tempdir().unwrap();
        let sha256 = hex(&Sha256::digest(b"kernel"));
        fs::write(dir.path().join("debian"), format!("p 1 {sha256}\n")).unwrap();
        assert_eq!(cached(dir.path()), None);
        fs::write(dir.path().join(&sha256), "kernel").unwrap();
        assert_eq!(cached(dir.path()).map(|k| (k.package, k.version)), Some(("p".into(), "1".into())));
        fs::write(dir.path().join(&sha256), "other").unwrap();
        assert_eq!(cached(dir.path()), None);
    }
}
