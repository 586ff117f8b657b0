//! PID 1 as a file: it needs nothing but a kernel, tells nothing of the machine that built it, is small, and has the same bytes
//! wherever it is built.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use formats::archive::Archive;
use images::INIT;
use std::env::var_os;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn number(at: usize, size: usize) -> usize {
    INIT[at..at + size].iter().rev().fold(0, |value, &byte| value << 8 | usize::from(byte))
}

/// The types of program headers, and of section headers. Source: System V ABI, chapters 4 and 5.
fn headers() -> (Vec<usize>, Vec<usize>) {
    let types = |table: usize, size: usize, count: usize, field: usize| {
        (0..count).map(|i| number(table + i * size + field, 4)).collect()
    };
    let programs = types(number(0x20, 8), number(0x36, 2), number(0x38, 2), 0);
    let sections = types(number(0x28, 8), number(0x3a, 2), number(0x3c, 2), 4);
    (programs, sections)
}

fn workspace() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

fn cargo_home() -> PathBuf {
    let home = var_os("CARGO_HOME").map(PathBuf::from);
    home.unwrap_or_else(|| std::env::home_dir().unwrap().join(".cargo"))
}

#[test]
fn it_is_a_static_program_without_symbols() {
    const EXECUTABLE: usize = 2;
    const X86_64: usize = 62;
    assert_eq!(&INIT[..6], b"\x7fELF\x02\x01");
    assert_eq!((number(0x10, 2), number(0x12, 2)), (EXECUTABLE, X86_64));
    let (programs, sections) = headers();
    const LOAD: usize = 1;
    const DYNAMIC_AND_INTERPRETER: [usize; 2] = [2, 3];
    assert!(programs.contains(&LOAD), "{programs:?}");
    assert!(!programs.iter().any(|kind| DYNAMIC_AND_INTERPRETER.contains(kind)), "{programs:?}");
    // Symbols, relocations with and without addends, dynamic, dynamic symbols: what is not there is not undefined.
    const TO_BE_LINKED: [usize; 5] = [2, 4, 6, 9, 11];
    // A program needs no sections, and there is no room for their names.
    assert!(!sections.iter().any(|kind| TO_BE_LINKED.contains(kind)), "{sections:?}");
}

/// An archive with an entry of each kind, written by the images room.
fn archive() -> Vec<u8> {
    let mut archive = images::Archive::new(Vec::new());
    archive.directory(b"inputs").unwrap();
    archive.bytes(b"inputs/empty", false, b"").unwrap();
    archive.bytes(b"inputs/file", true, b"content").unwrap();
    archive.symlink(b"inputs/link", b"to nowhere").unwrap();
    archive.finish().unwrap().0
}

#[test]
fn it_reads_an_image_as_it_was_written() {
    let bytes = archive();
    let entries: Vec<_> = images::read::entries(&bytes).map(Result::unwrap).collect();
    let read: Vec<_> = Archive::new(&bytes).map(Result::unwrap).collect();
    assert_eq!(read.len(), 4);
    for (read, entry) in read.iter().zip(entries) {
        assert_eq!(read.mode, entry.header.mode);
        assert_eq!((read.name.to_bytes(), read.data), (entry.name, entry.data));
    }
    // As a device's memory it ends in zeros.
    let padded = [&bytes[..], &[0; 512]].concat();
    assert_eq!(Archive::new(&padded).count(), 4);
}

#[test]
fn an_image_that_is_cut_is_noticed() {
    let bytes = archive();
    let starts: Vec<_> = images::read::entries(&bytes).map(|entry| entry.unwrap().offset).collect();
    // What pads the trailer is missed by nobody.
    for length in 1..bytes.len() - 4 {
        let last = Archive::new(&bytes[..length]).last();
        let start = starts.iter().copied().rfind(|&start| start < length).unwrap();
        assert!(matches!(last, Some(Err(at)) if at >= start && at < length + 4), "{length}: {last:?}");
    }
    for at in 0..110 {
        let mut bytes = bytes.clone();
        bytes[at] = b'/';
        // Only some of a header's numbers say something.
        let used = at < 6 || (14..22).contains(&at) || (54..62).contains(&at) || (94..102).contains(&at);
        assert_eq!(Archive::new(&bytes).next() == Some(Err(0)), used, "{at}");
    }
}

/// Whoever compares what they see with the documents must find it there.
#[test]
fn the_documents_show_the_image_that_is_made() {
    let folder = support::folder();
    let mut command = support::groundup();
    let output = command.args(["image", "-o"]).arg(folder.path().join("image")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let image = printed.lines().last().unwrap().split(' ').next().unwrap();
    let page = fs::read_to_string(workspace().join("docs/demonstrations.md")).unwrap();
    assert!(page.contains(&format!("image {image} ")), "{image}");
}

#[test]
fn it_is_at_most_64_kib() {
    assert!(INIT.len() <= 64 << 10, "{} bytes", INIT.len());
}

#[test]
fn it_holds_no_path_of_the_host() {
    let mut paths = vec![workspace(), cargo_home(), PathBuf::from(env!("CARGO_TARGET_TMPDIR"))];
    paths.extend(["HOME", "RUSTUP_HOME", "PWD"].into_iter().filter_map(var_os).map(PathBuf::from));
    paths.extend(["/home/", "/.cargo", "registry/src", "rustup"].map(PathBuf::from));
    for path in paths {
        let text = path.as_os_str().as_encoded_bytes();
        if text.len() > 1 {
            let found = INIT.windows(text.len()).any(|window| window == text);
            assert!(!found, "{}", path.display());
        }
    }
}

/// Copies what is not built.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if ["target", ".git", "corpus"].iter().any(|left_out| name == *left_out) {
            continue;
        }
        let target = to.join(&name);
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &target),
            kind if kind.is_file() => drop(fs::copy(entry.path(), target).unwrap()),
            _ => {}
        }
    }
}

/// Builds `images/build.rs` of a copied workspace and runs it as cargo would, in surroundings that have little in common with
/// ours: what it leaves is PID 1.
fn built(workspace: &Path, folder: &Path) -> Vec<u8> {
    let script = folder.join("script");
    let edition = ["--edition", "2024", "-o"];
    let source = workspace.join("images/build.rs");
    let status = Command::new("rustc").args(edition).arg(&script).arg(source).status();
    assert!(status.unwrap().success(), "rustc is needed");
    // The same packages by another path.
    let home = folder.join("another home");
    fs::create_dir(&home).unwrap();
    for name in ["registry", "config.toml", "config"] {
        if cargo_home().join(name).exists() {
            std::os::unix::fs::symlink(cargo_home().join(name), home.join(name)).unwrap();
        }
    }
    let kept = ["PATH", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE"];
    let rustup =
        var_os("RUSTUP_HOME").unwrap_or_else(|| std::env::home_dir().unwrap().join(".rustup").into());
    let kept = kept.into_iter().filter_map(|name| Some((name.into(), var_os(name)?)));
    let environment: Vec<(OsString, OsString)> =
        [("RUSTUP_HOME".into(), rustup)].into_iter().chain(kept).collect();
    let out = folder.join("out");
    let mut command = Command::new(&script);
    command.env_clear().envs(environment).env("HOME", folder).env("CARGO_HOME", &home);
    command.env("CARGO", var_os("CARGO").unwrap_or("cargo".into()));
    command.env("CARGO_MANIFEST_DIR", workspace.join("images")).env("OUT_DIR", &out);
    // What must not steer it.
    command.env("RUSTFLAGS", "-Copt-level=0").env("CARGO_PROFILE_RELEASE_DEBUG", "true");
    command.env("SOURCE_DATE_EPOCH", "1").env("USER", "somebody").env("LC_ALL", "C").env("TZ", "Asia/Tokyo");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(out.join("x86_64-unknown-linux-gnu/release/init")).unwrap()
}

#[test]
fn it_has_the_same_bytes_from_another_folder() {
    let folder = support::folder();
    let copied = folder.path().join("a longer name, with spaces");
    copy(&workspace(), &copied);
    assert!(built(&copied, folder.path()) == INIT, "PID 1 differs when it is built elsewhere");

    // The twin: one word of its source.
    let source = copied.join("init/src/pid1/step.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("\"exit status \"", "\"exit  status \"")).unwrap();
    let again = support::folder();
    assert!(built(&copied, again.path()) != INIT, "a changed PID 1 has the same bytes");
}
