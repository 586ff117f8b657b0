//! Hostile and honest archives.

mod hostile;
mod tars;
mod zips;

use super::*;
use std::{
    fs,
    io::{Cursor, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    slice::from_ref,
};

/// A member: name, type, content or link target.
type Member<'a> = (&'a str, u8, &'a str);

/// The names are put into the header as they are: the crate's own functions would refuse the hostile ones.
fn tar_of(members: &[Member]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, kind, content) in members {
        let mut header = ::tar::Header::new_gnu();
        let data = if matches!(*kind, b'0' | b'x') { content.as_bytes() } else { &[] };
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(::tar::EntryType::new(if *kind == b'x' { b'0' } else { *kind }));
        header.set_mode(if *kind == b'x' { 0o4755 } else { 0o600 });
        header.set_size(data.len() as u64);
        if data.is_empty() {
            header.as_mut_bytes()[157..157 + content.len()].copy_from_slice(content.as_bytes());
        }
        header.set_cksum();
        builder.append(&header, data).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip_of(members: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in members {
        let options = ::zip::write::SimpleFileOptions::default().unix_permissions(*mode);
        if mode & 0o170000 == 0o120000 {
            writer.add_symlink(*name, *content, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

fn deb_of(data_name: &str, data: &[u8]) -> Vec<u8> {
    let mut builder = ar::Builder::new(Vec::new());
    for (name, content) in [("debian-binary", &b"2.0\n"[..]), ("control.tar", b""), (data_name, data)] {
        builder.append(&ar::Header::new(name.into(), content.len() as u64), content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// What `find` would print: folders with a slash, links with their target, `*` for programs.
fn list(root: &Path) -> Vec<String> {
    fn walk(root: &Path, at: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if meta.is_dir() {
                out.push(name + "/");
                walk(root, &path, out);
            } else if meta.is_symlink() {
                out.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
            } else {
                let mark = if meta.mode() & 0o111 != 0 { "*" } else { "" };
                out.push(format!("{name}{mark}={}", fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut out = Vec::new();
    walk(root, root, &mut out);
    out.sort();
    out
}

fn limits() -> Limits {
    Limits { bytes: 1 << 20, members: 100 }
}

fn run(archives: &[Vec<u8>], strip: usize, pick: &[&str]) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<(String, PathBuf)> = (0..archives.len())
        .map(|n| (format!("archive{n}"), folder.path().join(format!("file{n}"))))
        .collect();
    for (content, (_, path)) in archives.iter().zip(&files) {
        fs::write(path, content).unwrap();
    }
    let pick: Vec<String> = pick.iter().map(|pick| (*pick).into()).collect();
    let root = folder.path().join("root");
    let recipe = Recipe { strip, pick: &pick, limits: limits() };
    let done = unpack(&files, recipe, &root).map_err(|(archive, error)| format!("{archive}: {error}"));
    let outside = fs::read_dir(folder.path()).unwrap().count();
    assert!(outside <= archives.len() + 2, "something was written outside");
    done.map(|()| {
        assert_eq!(outside, archives.len() + 1, "something was left beside the tree");
        list(&root)
    })
}

const GOOD: &[Member] = &[
    ("./", b'5', ""),
    ("./top/", b'5', ""),
    ("./top/a", b'0', "text"),
    ("./top/prog", b'x', "code"),
    ("./top/hard", b'1', "./top/a"),
    ("./top/sym", b'2', "../../../etc/passwd"),
    ("./top/empty/", b'5', ""),
    ("top/deep/er/file", b'0', "implied folders"),
];
