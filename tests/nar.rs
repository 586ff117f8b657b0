//! The NAR hash by Nix, by the library on the host, and by PID 1 in the machine: three times the same. And
//! what is kept of a tree.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use formats::canonical::{Allowed, SetIdPolicy};
use formats::nar::{Discard, Hashed};
use init::keep::Keeper;
use init::{nar, walk};
use rustix::fs::{AtFlags, XattrFlags};
use std::ffi::{CString, OsStr};
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use support::{folder, nix_hash};

/// Names that a shell, a terminal, a sort order or a text format might stumble over.
const NAMES: [&[u8]; 14] = [
    b" ",
    b"\n",
    b"\x01\x1b[2J",
    b"\xff\xfe",
    b"-rf",
    b"a",
    b"a.b",
    b"a0",
    b"a-b",
    b"A",
    b"*",
    b"\\",
    b"\"'",
    "ü".as_bytes(),
];

/// One of everything that a NAR can hold. The large file spans many blocks and does not end at one.
fn make(root: &Path) {
    let file = |name: &str, bytes: &[u8]| fs::write(root.join(name), bytes).unwrap();
    fs::create_dir_all(root.join("empty folder/also empty")).unwrap();
    fs::create_dir(root.join("names")).unwrap();
    for name in NAMES {
        fs::write(root.join("names").join(OsStr::from_bytes(name)), name).unwrap();
        fs::create_dir(root.join("names").join(OsStr::from_bytes(&[name, b".d"].concat()))).unwrap();
    }
    file("empty", b"");
    (1..=9).for_each(|size| file(&format!("of {size} bytes"), &b"123456789"[..size]));
    file("large", &(0..64 << 20).map(|i: u32| (i >> 8 ^ i) as u8).collect::<Vec<_>>()[..(64 << 20) - 3]);
    file("executable", b"#!/bin/sh\n");
    file("for others only", b"not executable");
    fs::set_permissions(root.join("executable"), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(root.join("for others only"), Permissions::from_mode(0o655)).unwrap();
    fs::hard_link(root.join("executable"), root.join("hard link")).unwrap();
    symlink("executable", root.join("link")).unwrap();
    symlink("/nowhere/at all", root.join("dangling")).unwrap();
    symlink("..", root.join("folder link")).unwrap();
    symlink(OsStr::from_bytes(b"\xff\n"), root.join("odd link")).unwrap();
}

/// An open folder, and the name of what is in it.
fn place(path: &Path) -> (File, CString) {
    let name = CString::new(path.file_name().unwrap().as_bytes()).unwrap();
    (File::open(path.parent().unwrap()).unwrap(), name)
}

fn library_hash(path: &Path) -> String {
    let ((folder, name), mut names, mut order) = (place(path), vec![0; 1 << 20], vec![0; 1 << 16]);
    let room = walk::Buffers::new(&mut names, &mut order);
    let folder = rustix::fd::AsFd::as_fd(&folder);
    let mut buffer = [0; 5000];
    let written = nar::write(folder, &name, room, &mut buffer, &mut walk::Path::new(), &mut Discard);
    formats::hex::text(&written.unwrap().0)
}

/// Moves the tree to the folder `kept` beside it.
fn keep(path: &Path, limit: u64) -> Result<PathBuf, walk::Error> {
    let ((folder, name), mut names, mut order) = (place(path), vec![0; 1 << 20], vec![0; 1 << 16]);
    let room = walk::Buffers::new(&mut names, &mut order);
    let folder = rustix::fd::AsFd::as_fd(&folder);
    let kept = path.with_file_name("kept");
    fs::create_dir_all(&kept).unwrap();
    let mut keeper = Keeper::new(
        File::open(&kept).unwrap().into(),
        Allowed { special: SetIdPolicy::Refused, left: limit },
    );
    let (mut buffer, mut path, hashed) = ([0; 5000], walk::Path::new(), Hashed::Archive);
    nar::hash(hashed, folder, &name, room, &mut buffer, &mut path, &mut Discard, Some(&mut keeper))?;
    Ok(kept.join(OsStr::from_bytes(name.to_bytes())))
}

#[test]
fn nix_and_the_library_agree() {
    let folder = folder();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    make(&tree);
    let single = ["empty", "of 7 bytes", "of 8 bytes", "executable", "link", "dangling", "names", "large"];
    for path in single.iter().map(|name| tree.join(name)).chain([tree.clone()]) {
        assert_eq!(library_hash(&path), nix_hash(&path), "{}", path.display());
    }
    let before = nix_hash(&tree);
    let tree = keep(&tree, u64::MAX).unwrap();
    assert_eq!(nix_hash(&tree), before, "what is kept has the same NAR");

    // The twin: a bit of a mode, and nothing else.
    fs::set_permissions(tree.join("empty"), Permissions::from_mode(0o544)).unwrap();
    assert_ne!(library_hash(&tree), before);
    assert_eq!(library_hash(&tree), nix_hash(&tree));
}

#[test]
fn nix_and_pid_1_agree() {
    let folder = folder();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    make(&tree);
    let archive = folder.path().join("tree.tar");
    let status =
        std::process::Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(&tree).arg(".").status();
    assert!(status.unwrap().success());
    let sha256 = builder::hash(&fs::read(&archive).unwrap());
    let graph = folder.path().join("graph.ron");
    // The tree goes in as an input, whose hash PID 1 verifies, and comes out as an output, whose hash PID 1 prints.
    let text = format!(
        r#"(
    seeds: {{
        "busybox": ( from: [Debian(packages: ["busybox-static"], suite: "bookworm")], pick: ["bin/busybox"] ),
    }},
    sources: {{ "tree": ( from: [File("tree.tar")], sha256: "{sha256}", unpack: true ) }},
    derivations: {{
        "copy": (
            builder: "/store/busybox/bin/busybox", args: ["cp", "-a", "/store/tree", "/store/copy"], inputs: ["busybox", "tree"],
        ),
        "look": (
            builder: "/store/busybox/bin/busybox",
            args: ["sh", "-c", "cd /store/copy && find . -print0 | sort -z | xargs -0 ls -lnd --full-time > $out"],
            inputs: ["busybox", "copy"],
        ),
    }},
    targets: ["copy", "look"],
)"#
    );
    fs::write(&graph, text).unwrap();
    fs::copy(support::graph("failing").with_extension("lock.ron"), folder.path().join("graph.lock.ron"))
        .unwrap();
    let run = support::run(Some(&graph), &[]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let of_nix = nix_hash(&tree);
    let input = run.events().find_map(|event| match event {
        qemu::Event::Input { name, sha256 } if name == "tree" => Some(*sha256),
        _ => None,
    });
    assert_eq!(input.map(|sha256| sha256.to_string()).as_ref(), Some(&of_nix), "as an input");
    assert_eq!(run.hash("copy"), of_nix, "as an output");
    assert_eq!(nix_hash(&run.output("copy")), of_nix, "as unpacked on the host");

    // What the next step sees of it: only what a NAR holds.
    let seen = fs::read_to_string(run.output("look")).unwrap();
    let strange = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let mode = matches!(fields[0], "-r--r--r--" | "-r-xr-xr-x" | "dr-xr-xr-x" | "lrwxrwxrwx");
        let owner = fields[2..4] == ["0", "0"];
        !(mode && owner && line.contains(" 1970-01-01 00:00:01 "))
    };
    let lines: Vec<_> = seen.lines().filter(|line| line.contains("1970") || line.contains(" ./")).collect();
    assert!(lines.len() > 40, "{seen}");
    assert_eq!(lines.iter().find(|line| strange(line)), None);
}

#[test]
fn what_is_kept_has_only_what_a_nar_holds() {
    let folder = folder();
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("folder")).unwrap();
    for (name, mode) in [("plain", 0o602), ("executable", 0o711), ("others", 0o677)] {
        fs::write(tree.join("folder").join(name), name).unwrap();
        fs::set_permissions(tree.join("folder").join(name), Permissions::from_mode(mode)).unwrap();
    }
    symlink("nowhere", tree.join("link")).unwrap();
    rustix::fs::setxattr(tree.join("folder/plain"), "user.test", b"1", XattrFlags::empty())
        .expect("this test needs a file system with extended attributes below the target folder");
    fs::set_permissions(tree.join("folder"), Permissions::from_mode(0o1777)).unwrap();
    // A hole, and two names of one file.
    File::create(tree.join("folder/hole")).unwrap().set_len(1 << 20).unwrap();
    fs::hard_link(tree.join("folder/plain"), tree.join("folder/same")).unwrap();
    let tree = keep(&tree, u64::MAX).unwrap();
    let stat = |name: &str| fs::metadata(tree.join("folder").join(name)).unwrap();
    assert!(stat("hole").blocks() * 512 >= 1 << 20);
    assert_eq!((stat("plain").nlink(), stat("same").nlink()), (1, 1));
    for (name, mode) in [
        ("", 0o40555),
        ("folder", 0o40555),
        ("folder/plain", 0o100444),
        ("folder/executable", 0o100555),
        ("folder/others", 0o100444),
        ("link", 0o120777),
    ] {
        let stat = rustix::fs::statat(rustix::fs::CWD, tree.join(name), AtFlags::SYMLINK_NOFOLLOW).unwrap();
        assert_eq!((stat.st_mode, stat.st_mtime, stat.st_mtime_nsec), (mode, 1, 0), "{name}");
    }
    let mut names = [0; 100];
    assert_eq!(rustix::fs::listxattr(tree.join("folder/plain"), &mut names), Ok(0));
    // Who is not root could not remove it otherwise.
    fs::set_permissions(tree.join("folder"), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&tree, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_an_output_can_not_be_is_refused() {
    let folder = folder();
    let refused = |name: &str| match keep(&folder.path().join(name), 100) {
        Err(walk::Error::Refused(what)) => what,
        other => panic!("{name}: {other:?}"),
    };
    let file = |name: &str, mode| {
        fs::write(folder.path().join(name), name).unwrap();
        fs::set_permissions(folder.path().join(name), Permissions::from_mode(mode)).unwrap();
    };
    file("user", 0o4755);
    file("group", 0o2755);
    assert_eq!(refused("user"), "a set-user-id or set-group-id file");
    assert_eq!(refused("group"), "a set-user-id or set-group-id file");
    assert_eq!(fs::metadata(folder.path().join("user")).unwrap().mode() & 0o7777, 0o4755, "not repaired");
    let fifo = folder.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    assert_eq!(refused("fifo"), "a FIFO");
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    assert_eq!(refused("socket"), "a socket");
    File::create(folder.path().join("hole")).unwrap().set_len(101).unwrap();
    assert_eq!(refused("hole"), "more to read than the step's space limit");
    fs::create_dir(folder.path().join("links")).unwrap();
    File::create(folder.path().join("links/a")).unwrap().set_len(51).unwrap();
    fs::hard_link(folder.path().join("links/a"), folder.path().join("links/b")).unwrap();
    assert_eq!(refused("links"), "more to read than the step's space limit");
    File::create(folder.path().join("fits")).unwrap().set_len(100).unwrap();
    assert!(keep(&folder.path().join("fits"), 100).is_ok());
}
