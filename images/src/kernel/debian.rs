//! Obtaining a kernel: Debian's stock one, by package name, through the machine's own apt, without root.
//!
//! `apt-cache show` resolves the meta package to the package that holds a kernel, `apt-get download` fetches it and
//! checks it against the signed package lists, `dpkg-deb --fsys-tarfile` opens it. `CACHE/kernels/debian` remembers
//! package, version and hash.

use super::{Error, Kernel, at, folder, keep, output};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The meta packages, in order of preference: the cloud kernel is smaller and has the same features built in.
const META: [&str; 2] = ["linux-image-cloud-amd64", "linux-image-amd64"];

/// Debian's stock kernel: the one in `cache`, or else the one that apt offers now, which is then kept there.
pub fn debian(cache: &Path) -> Result<Kernel, Error> {
    match cached(&cache.join("kernels")) {
        Some(kernel) => Ok(kernel),
        None => renew(cache),
    }
}

/// Debian's stock kernel as apt offers it now, kept in `cache`.
pub fn renew(cache: &Path) -> Result<Kernel, Error> {
    let folder = folder(cache)?;
    let (package, version) = resolve()?;
    let download = tempfile::tempdir_in(&folder).map_err(at(&folder))?;
    let deb = fetch(download.path(), &package, &version)?;
    let kernel = Kernel::keep(&folder, &unpack(&deb, &package)?, &format!("{package} {version}"))?;
    keep(&folder.join("debian"), format!("{package} {version} {}\n", kernel.sha256).as_bytes())?;
    Ok(kernel)
}

/// The kernel that is remembered, if it is still what it was.
fn cached(folder: &Path) -> Option<Kernel> {
    let index = fs::read_to_string(folder.join("debian")).ok()?;
    let [package, version, sha256] = index.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
    Kernel::kept(folder, sha256, &format!("{package} {version}"))
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
    Err(Error::NoLists(META[0]))
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
    let files = fs::read_dir(folder).map_err(at(folder))?;
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
        let sha256 = super::super::hash(b"kernel");
        fs::write(dir.path().join("debian"), format!("p 1 {sha256}\n")).unwrap();
        assert_eq!(cached(dir.path()), None);
        fs::write(dir.path().join(&sha256), "kernel").unwrap();
        assert_eq!(cached(dir.path()).map(|k| k.about), Some("p 1".into()));
        fs::write(dir.path().join(&sha256), "other").unwrap();
        assert_eq!(cached(dir.path()), None);
    }
}
