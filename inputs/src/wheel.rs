//! Wheels, through the `pip` of the machine, with the index, proxies and certificates that it is set up to use.
//!
//! The Python version and platform asked for are fixed, so that every machine is given the same file of a release that
//! has several: a wheel for any machine, or for glibc on x86-64, the newest platform tag first.

use super::{child, error::Reason, hash, progress::Reporter};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const PYTHON: &str = "3.11";
const PLATFORMS: [&str; 10] = [
    "manylinux_2_36_x86_64",
    "manylinux_2_34_x86_64",
    "manylinux_2_31_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_24_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
    "manylinux2010_x86_64",
    "manylinux1_x86_64",
    "linux_x86_64",
];
/// The ways in which a machine has `pip`.
const WAYS: [&[&str]; 3] = [&["python3", "-m", "pip"], &["pip3"], &["pip"]];

/// One wheel as it was downloaded.
#[derive(Debug)]
pub struct Wheel {
    pub path: PathBuf,
    pub file: String,
    pub version: String,
    pub sha256: String,
    pub size: u64,
}

/// Downloads the wheel of a package into the folder. With a hash, `pip` takes only a file of that hash.
pub fn download(
    package: &str,
    version: Option<&str>,
    sha256: Option<&str>,
    folder: &Path,
    reporter: Reporter,
) -> Result<Wheel, Reason> {
    let wanted = match version {
        Some(version) => format!("{package}=={version}"),
        None => package.into(),
    };
    if !wanted.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+!=".contains(&byte))
        || package.starts_with('-')
    {
        return Err(pip(format!("\"{wanted}\" is no name and version of a package")));
    }
    let request = folder.join("request.txt");
    let hashes = sha256.map(|sha256| format!(" --hash=sha256:{sha256}")).unwrap_or_default();
    let read = |path: &Path, source: io::Error| Reason::Read { path: path.into(), source };
    fs::write(&request, format!("{wanted}{hashes}\n")).map_err(|error| read(&request, error))?;
    reporter.say(&format!("wheel {wanted}"));
    run(&request, folder, sha256)?;
    let entries = fs::read_dir(folder).map_err(|error| read(folder, error))?;
    let found =
        entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "whl"));
    let path = found.ok_or_else(|| pip("it ended well but left no wheel".into()))?;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl (the wheel file name convention).
    let version = file.split('-').nth(1).unwrap_or_default().to_owned();
    let (digest, size) = hash::file(&path).map_err(|error| read(&path, error))?;
    let sha256 = digest.to_string();
    Ok(Wheel { path, file, version, sha256, size })
}

fn run(request: &Path, folder: &Path, sha256: Option<&str>) -> Result<(), Reason> {
    for way in WAYS {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args([
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--no-input",
        ]);
        command.args(["--progress-bar=off", "--disable-pip-version-check", "--python-version", PYTHON]);
        command.args(PLATFORMS.iter().flat_map(|platform| ["--platform", platform]));
        command.arg("--dest").arg(folder).arg("--requirement").arg(request);
        command.env("LC_ALL", "C").stdin(Stdio::null());
        let output = match child::output(&mut command, child::LIMIT) {
            // A folder on PATH that this user may not enter says PermissionDenied.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) =>
            {
                continue;
            }
            Err(error) => return Err(pip(error.to_string())),
            Ok(output) => output,
        };
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok(());
        }
        if said.contains("No module named pip") {
            continue;
        }
        let got = said.lines().find_map(|line| line.trim().strip_prefix("Got "));
        return Err(match (sha256, got) {
            (Some(expected), Some(found)) => {
                Reason::OtherFile { expected: expected.into(), found: found.trim().into() }
            }
            _ => pip(said.lines().filter(|l| l.starts_with("ERROR")).collect::<Vec<_>>().join("; ")),
        });
    }
    Err(Reason::MissingProgram { program: "pip", package: "python3-pip" })
}

fn pip(what: String) -> Reason {
    let what = if what.is_empty() { "it failed and said nothing".into() } else { what };
    Reason::Program { program: "pip", what }
}
