//! Obtaining a kernel: Debian's stock one, by package name, through the machine's own apt, without root.
//!
//! `apt-cache show` resolves the meta package to the package that holds a kernel, `apt-get download` fetches it and
//! checks it against the signed package lists, `dpkg-deb --fsys-tarfile` opens it. `CACHE/kernels/debian` remembers
//! package, version and hash, `CACHE/kernels/debian.deb` is the package.
//!
//! None of that is believed. Before each use the package is held against the sha256 that apt's signed lists, outside of the
//! cache, say of it, and the kernel against the one in the package; what differs is fetched anew. Lists that were
//! renewed no longer know an older kernel: that one is still used, and [`Kernel::about`] says that it was not verified.

use super::{Error, Kernel, at, folder, keep, output};
use formats::digest::Sha256;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The meta packages, in order of preference: the cloud kernel is smaller and has the same features built in.
const META: [&str; 2] = ["linux-image-cloud-amd64", "linux-image-amd64"];

/// Debian's stock kernel: the one in `cache` if it is what Debian signed, or else the one that apt offers now, which is then
/// kept there.
pub fn debian(cache: &Path) -> Result<Kernel, Error> {
    let folder = cache.join("kernels");
    let Some((kernel, package)) = cached(&folder) else { return renew(cache) };
    let unverified =
        |why: &str| Kernel { about: format!("{}, not verified: {why}", kernel.about), ..kernel.clone() };
    match listed(&package) {
        None => Ok(unverified("apt's lists do not have it")),
        Some(expected) if is_of(&kernel, &folder.join(PACKAGE), &expected, &package) => Ok(kernel),
        Some(_) => renew(cache).or_else(|error| match error {
            // Without a network there is no other.
            Error::Download { .. } if !folder.join(PACKAGE).exists() => {
                Ok(unverified("its package is not in the cache and could not be downloaded"))
            }
            error => Err(error),
        }),
    }
}

/// The name of the package in the folder of kernels.
const PACKAGE: &str = "debian.deb";

/// Debian's stock kernel as apt offers it now, kept in `cache`.
pub fn renew(cache: &Path) -> Result<Kernel, Error> {
    let folder = folder(cache)?;
    let (package, version) = resolve()?;
    let download = tempfile::tempdir_in(&folder).map_err(at(&folder))?;
    let deb = fetch(download.path(), &package, &version)?;
    let kernel = Kernel::keep(&folder, &unpack(&deb, &package)?, &format!("{package} {version}"))?;
    fs::rename(&deb, folder.join(PACKAGE)).map_err(at(&deb))?;
    keep(&folder.join("debian"), format!("{package} {version} {}\n", kernel.sha256).as_bytes())?;
    Ok(kernel)
}

/// The kernel that is remembered, if it still has its hash, and its package as `NAME=VERSION`.
fn cached(folder: &Path) -> Option<(Kernel, String)> {
    let index = fs::read_to_string(folder.join("debian")).ok()?;
    let [package, version, sha256] = index.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
    // Anybody may have written it: above all it is to be no option of apt's.
    let plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.:~".contains(&byte));
    if !package.starts_with("linux-image-") || !plain(package) || !plain(version) {
        return None;
    }
    let kernel = Kernel::kept(folder, sha256, &format!("{package} {version}"))?;
    Some((kernel, format!("{package}={version}")))
}

/// The sha256 of a package, from apt's signed lists.
fn listed(package: &str) -> Option<String> {
    let mut command = Command::new("apt-cache");
    command.args(["show", "--no-all-versions", package]);
    let output = output(&mut command, "apt-cache").ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| Some(line.strip_prefix("SHA256: ")?.trim().to_owned()))
}

/// Whether the package has this hash, and this kernel in it.
fn is_of(kernel: &Kernel, deb: &Path, expected: &str, package: &str) -> bool {
    let Ok(bytes) = fs::read(deb) else { return false };
    Sha256::of(&bytes).to_string() == expected
        && unpack(deb, package).is_ok_and(|inside| Sha256::of(&inside) == kernel.sha256)
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
        let sha256 = Sha256::of("kernel").to_string();
        fs::write(dir.path().join("debian"), format!("linux-image-x 1 {sha256}\n")).unwrap();
        assert_eq!(cached(dir.path()), None);
        fs::write(dir.path().join(&sha256), "kernel").unwrap();
        let found = cached(dir.path()).map(|(kernel, package)| (kernel.about, package));
        assert_eq!(found, Some(("linux-image-x 1".into(), "linux-image-x=1".into())));
        for bad in ["-oAPT::X=y", "linux-image-x;y", "other"] {
            fs::write(dir.path().join("debian"), format!("{bad} 1 {sha256}\n")).unwrap();
            assert_eq!(cached(dir.path()), None, "{bad}");
        }
        fs::write(dir.path().join("debian"), format!("linux-image-x 1 {sha256}\n")).unwrap();
        fs::write(dir.path().join(&sha256), "other").unwrap();
        assert_eq!(cached(dir.path()), None);
    }

    #[test]
    fn a_kernel_is_held_against_its_package() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("p/DEBIAN")).unwrap();
        fs::create_dir_all(at("p/boot")).unwrap();
        fs::write(at("p/boot/vmlinuz-1"), "kernel").unwrap();
        let control = "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: m <m@m>\nDescription: d\n";
        fs::write(at("p/DEBIAN/control"), control).unwrap();
        let built = Command::new("dpkg-deb").arg("-b").arg(at("p")).arg(at("x.deb")).output().unwrap();
        assert!(built.status.success(), "{built:?}");
        let signed = Sha256::of(fs::read(at("x.deb")).unwrap()).to_string();
        let good = Kernel::keep(dir.path(), b"kernel", "p 1").unwrap();
        assert!(is_of(&good, &at("x.deb"), &signed, "p=1"));
        // The kernel and the index that names it were changed, and agree.
        let evil = Kernel::keep(dir.path(), b"evil", "p 1").unwrap();
        assert!(!is_of(&evil, &at("x.deb"), &signed, "p=1"));
        // The package was changed with them.
        fs::write(at("p/boot/vmlinuz-1"), "evil").unwrap();
        assert!(
            Command::new("dpkg-deb")
                .arg("-b")
                .arg(at("p"))
                .arg(at("x.deb"))
                .output()
                .unwrap()
                .status
                .success()
        );
        assert!(!is_of(&evil, &at("x.deb"), &signed, "p=1"));
        assert!(!is_of(&good, &at("none.deb"), &signed, "p=1"));
    }
}
