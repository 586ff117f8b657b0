//! Images against GNU cpio, against the `cpio` crate, against themselves from another host's files.

#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use formats::newc;
use images::{Archive, Image, Input, Kind, read};
use proptest::prelude::*;

/// What a tree holds, by path.
type Model = BTreeMap<Vec<u8>, Node>;

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Directory,
    File(bool, Vec<u8>),
    Link(Vec<u8>),
}

fn path(root: &Path, name: &[u8]) -> PathBuf {
    root.join(OsString::from_vec(name.to_vec()))
}

/// What one host may have that another has not.
#[derive(Clone, Copy)]
struct Host {
    backwards: bool,
    umask: u32,
    owner: u32,
    time: u64,
}

const HERE: Host = Host { backwards: false, umask: 0o022, owner: 0, time: 1_000_000_000 };
const THERE: Host = Host { backwards: true, umask: 0o007, owner: 1234, time: 1_700_000_000 };

/// Makes the tree, as that host would have made it.
fn make(root: &Path, model: &Model, host: Host) {
    fs::create_dir_all(root).unwrap();
    let mut order: Vec<_> = model.iter().collect();
    if host.backwards {
        order.reverse();
    }
    for (name, node) in &order {
        let at = path(root, name);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        match node {
            Node::Directory => fs::create_dir_all(&at).unwrap(),
            Node::File(_, content) => fs::write(&at, content).unwrap(),
            Node::Link(target) => symlink(OsString::from_vec(target.clone()), &at).unwrap(),
        }
    }
    for (name, node) in order.iter().rev() {
        let at = path(root, name);
        let mode = match node {
            Node::Link(_) => continue,
            Node::File(false, _) => 0o666,
            _ => 0o777,
        };
        fs::set_permissions(&at, Permissions::from_mode(mode & !host.umask)).unwrap();
        // Only root can give files away; others still test the rest.
        let _ = chown(&at, Some(host.owner), Some(host.owner));
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(host.time);
        File::open(&at).unwrap().set_modified(time).unwrap();
    }
}

fn pack(root: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let inputs = vec![Input { name: "tree".into(), kind: Kind::Tree, path: root.to_owned() }];
    let summary =
        images::write(&Image { init: b"init", shell: None, plan: b"plan", inputs }, &mut bytes).unwrap();
    assert_eq!(read::canonical(&bytes), Ok(summary));
    bytes
}

/// The tree in an image.
fn unpack(bytes: &[u8]) -> Model {
    let entries = read::entries(bytes).map(Result::unwrap);
    let below = entries.filter_map(|entry| {
        let name = entry.name.strip_prefix(b"inputs/tree/")?;
        let node = match entry.header.mode {
            newc::DIRECTORY => Node::Directory,
            newc::SYMLINK => Node::Link(entry.data.to_vec()),
            mode => Node::File(mode == newc::EXECUTABLE, entry.data.to_vec()),
        };
        Some((name.to_vec(), node))
    });
    below.collect()
}

fn sample() -> Model {
    let large: Vec<u8> = (0..3_000_001_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let entries: [(&[u8], Node); 14] = [
        (b"a", Node::Directory),
        (b"a/b", Node::Directory),
        (b"a/b/deep", Node::File(false, b"deep".to_vec())),
        (b"a-b", Node::File(false, b"before a/b as a path, after it in a walk".to_vec())),
        (b"dangling", Node::Link(b"../no/where".to_vec())),
        (b"empty", Node::File(false, Vec::new())),
        (b"empty directory", Node::Directory),
        (b"large", Node::File(false, large)),
        (b"link", Node::Link(b"a/b".to_vec())),
        (b"new\nline", Node::File(false, b"1".to_vec())),
        (b"not utf-8 \xff\xfe", Node::File(false, b"22".to_vec())),
        (b"program", Node::File(true, b"#!/bin/sh\n".to_vec())),
        (b"a/TRAILER!!!", Node::File(false, b"no end".to_vec())),
        (b"\xc3\xa4 *?\\", Node::File(true, b"333".to_vec())),
    ];
    entries.into_iter().map(|(name, node)| (name.to_vec(), node)).collect()
}

/// Runs GNU cpio in `folder`.
fn cpio(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("cpio");
    command.args(arguments).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // What follows the trailer is not read.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// All names below `folder` as the file system lists them, parents first.
fn listed(folder: &Path, prefix: &Path, names: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = prefix.join(entry.file_name());
        names.extend_from_slice(name.as_os_str().as_bytes());
        names.push(0);
        if entry.file_type().unwrap().is_dir() {
            listed(&entry.path(), &name, names);
        }
    }
}

#[test]
fn another_host_writes_the_same_bytes() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    make(here.path(), &sample(), HERE);
    make(there.path(), &sample(), THERE);
    assert!(pack(here.path()) == pack(there.path()));

    // The twin: an archive that takes files as they come shows which host it is from.
    let naive = |folder: &Path| {
        let mut names = Vec::new();
        listed(folder, Path::new(""), &mut names);
        cpio(folder, &["--quiet", "-0", "-o", "-H", "newc"], &names)
    };
    let (a, b) = (naive(here.path()), naive(there.path()));
    assert!(a != b);
    assert!(read::entries(&a).map(Result::unwrap).count() > 10);
    assert!(read::canonical(&a).is_err());
}

#[test]
fn gnu_cpio_reads_it_back() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let model = sample();
    make(from.path(), &model, HERE);
    let bytes = pack(from.path());
    let names = cpio(to.path(), &["--quiet", "-t"], &bytes);
    assert!(names.starts_with(b"init\ninputs\ninputs/tree\n"));
    cpio(to.path(), &["--quiet", "-i", "-m"], &bytes);
    for (name, node) in &model {
        let at = path(&to.path().join("inputs/tree"), name);
        let meta = fs::symlink_metadata(&at).unwrap();
        match node {
            Node::Directory => assert_eq!(meta.mode(), newc::DIRECTORY),
            Node::Link(target) => assert_eq!(fs::read_link(&at).unwrap().as_os_str().as_bytes(), target),
            Node::File(executable, content) => {
                assert_eq!(meta.mode(), if *executable { newc::EXECUTABLE } else { newc::FILE });
                assert!(fs::read(&at).unwrap() == *content);
                assert_eq!(meta.mtime(), 1);
            }
        }
    }
    // Directories without write permission can not be removed by their owner.
    for (name, node) in &model {
        if *node == Node::Directory {
            let at = path(&to.path().join("inputs/tree"), name);
            fs::set_permissions(at, Permissions::from_mode(0o755)).unwrap();
        }
    }
    for name in ["inputs/tree", "inputs"] {
        fs::set_permissions(to.path().join(name), Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn the_cpio_crate_reads_the_same_entries() {
    let folder = tempfile::tempdir().unwrap();
    let model: Model = sample().into_iter().filter(|(name, _)| std::str::from_utf8(name).is_ok()).collect();
    make(folder.path(), &model, HERE);
    let bytes = pack(folder.path());
    let mut rest: &[u8] = &bytes;
    for entry in read::entries(&bytes).map(Result::unwrap) {
        let mut theirs = cpio::NewcReader::new(rest).unwrap();
        let mut data = Vec::new();
        theirs.read_to_end(&mut data).unwrap();
        assert!(theirs.entry().name().as_bytes() == entry.name && data == entry.data);
        assert_eq!((theirs.entry().mode(), theirs.entry().ino()), (entry.header.mode, entry.header.ino));
        rest = theirs.finish().unwrap();
    }
    assert!(cpio::NewcReader::new(rest).unwrap().entry().is_trailer());
}

#[test]
fn hard_links_are_separate_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "same").unwrap();
    fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
    let file = Node::File(false, b"same".to_vec());
    let model = Model::from([(b"a".to_vec(), file.clone()), (b"b".to_vec(), file)]);
    assert_eq!(unpack(&pack(folder.path())), model);
}

#[test]
fn malformed_archives_are_refused_with_their_place() {
    let mut archive = Archive::new(Vec::new());
    archive.bytes(b"a", false, b"12345").unwrap();
    let good = archive.finish().unwrap().0;
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    for (bytes, message) in [
        (Vec::new(), "byte 0: expected a header of 110 bytes, found the end after 0 bytes"),
        (good[..50].to_vec(), "byte 0: expected a header of 110 bytes, found the end after 50 bytes"),
        (changed(0, b"070702"), "byte 0: expected the magic number 070701, found 070702"),
        (changed(15, b"x"), "byte 14: expected eight hexadecimal digits, found 0x008124"),
        (changed(54, b"FFFFFFFF"), "byte 112: expected as much data as the header says, found the end"),
        (changed(94, b"FFFFFFFF"), "byte 110: expected a name as long as the header says, found the end"),
        (changed(94, b"00000000"), "byte 110: expected a name that ends in NUL, found "),
        (changed(111, b"b"), "byte 110: expected a name that ends in NUL, found ab"),
        (changed(110, b"\0"), "byte 110: expected a name without a NUL inside"),
        (changed(118, b"x"), "byte 118: expected zeros up to a multiple of four bytes, found byte 0x78"),
        (good[..120].to_vec(), "byte 120: expected a header of 110 bytes, found the end after 0 bytes"),
        ([&good[..], b"x"].concat(), "expected only zeros after the trailer, found byte 0x78"),
    ] {
        let error = read::entries(&bytes).find_map(Result::err);
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains(message), "{text}");
        assert!(read::canonical(&bytes).is_err());
    }
    assert!(read::canonical(&[&good[..], &[0; 4]].concat()).is_err());
}

/// Names that a shell or a decoder might stumble over.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![4 => b'a'..=b'c', 1 => Just(b' '), 1 => Just(b'-'), 1 => Just(b'\n'), 1 => 1..=255_u8];
    prop::collection::vec(byte, 1..6)
        .prop_filter("no name", |name| !name.contains(&b'/') && name != b"." && name != b"..")
}

fn model() -> impl Strategy<Value = Model> {
    let content = prop::collection::vec(any::<u8>(), 0..40);
    let target = prop::collection::vec(1..=255_u8, 1..40);
    let node = prop_oneof![
        Just(Node::Directory),
        (any::<bool>(), content).prop_map(|(executable, content)| Node::File(executable, content)),
        target.prop_map(Node::Link),
    ];
    prop::collection::vec((prop::collection::vec(name(), 1..4), node), 0..12).prop_map(|entries| {
        let mut model = Model::new();
        for (parts, node) in entries {
            let prefixes: Vec<_> = (1..parts.len()).map(|n| parts[..n].join(&b'/')).collect();
            let fits = |at: &Vec<u8>| matches!(model.get(at), None | Some(Node::Directory));
            if prefixes.iter().all(fits) && !model.contains_key(&parts.join(&b'/')) {
                model.extend(prefixes.into_iter().map(|at| (at, Node::Directory)));
                model.insert(parts.join(&b'/'), node);
            }
        }
        model
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn trees_come_back(model in model()) {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        make(here.path(), &model, HERE);
        make(there.path(), &model, THERE);
        let bytes = pack(here.path());
        prop_assert_eq!(unpack(&bytes), model);
        prop_assert!(bytes == pack(there.path()));
    }

    #[test]
    fn only_what_would_be_written_is_canonical(
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![
            Just(b'0'), Just(b'1'), Just(b'/'), Just(b'.'), Just(0), Just(b'a'), any::<u8>()]), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut archive = Archive::new(Vec::new());
        archive.directory(b"a").unwrap();
        archive.bytes(b"a/b", true, b"1").unwrap();
        archive.directory(b"a/c").unwrap();
        archive.symlink(b"a/c/d", b"b").unwrap();
        archive.bytes(b"b", false, b"").unwrap();
        let mut bytes = archive.finish().unwrap().0;
        for (at, to) in changes {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if read::canonical(&bytes).is_ok() {
            let mut again = Archive::new(Vec::new());
            for entry in read::entries(&bytes).map(Result::unwrap) {
                match entry.header.mode {
                    newc::DIRECTORY => again.directory(entry.name).unwrap(),
                    newc::SYMLINK => again.symlink(entry.name, entry.data).unwrap(),
                    mode => again.bytes(entry.name, mode == newc::EXECUTABLE, entry.data).unwrap(),
                }
            }
            prop_assert!(again.finish().unwrap().0 == bytes);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        prop_assert!(read::canonical(&bytes).is_err());
        prop_assert!(read::entries(&bytes).count() <= 1 + bytes.len() / newc::HEADER);
    }
}
