//! Any folder as an input of an image: the strict reader accepts the image and finds every file of it.
#![no_main]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

use arbitrary::Arbitrary;
use formats::newc;
use images::{Image, Input, Kind, read};

#[derive(Arbitrary, Debug)]
enum Node {
    File { executable: bool, mode: u8, content: Vec<u8> },
    Link(Vec<u8>),
    Folder(Vec<(Vec<u8>, Node)>),
}

#[derive(Arbitrary, Debug)]
struct Case {
    root: Vec<(Vec<u8>, Node)>,
    plan: Vec<u8>,
    alone: Option<(bool, Vec<u8>)>,
}

type Expected = BTreeMap<Vec<u8>, (u32, Vec<u8>)>;

/// Makes what can be made of the nodes, and notes what should be found.
fn make(folder: &Path, name: &[u8], nodes: &[(Vec<u8>, Node)], depth: u8, expected: &mut Expected) {
    expected.insert(name.to_owned(), (newc::DIRECTORY, Vec::new()));
    for (base, node) in nodes {
        let wrong = |byte: &u8| matches!(byte, 0 | b'/');
        if base.len() > 100 || matches!(&**base, b"" | b"." | b"..") || base.iter().any(wrong) {
            continue;
        }
        let path = folder.join(OsStr::from_bytes(base));
        let name = [name, b"/", base].concat();
        match node {
            _ if path.symlink_metadata().is_ok() => {}
            Node::File { executable, mode, content } => {
                let mode = u32::from(*mode) & 0o077 | if *executable { 0o700 } else { 0o600 };
                let mut file =
                    File::options().write(true).create_new(true).mode(mode).open(path).expect("new");
                file.write_all(content).expect("there is room");
                let mode = if *executable { newc::EXECUTABLE } else { newc::FILE };
                expected.insert(name, (mode, content.clone()));
            }
            Node::Link(target) => {
                if symlink(OsStr::from_bytes(target), path).is_ok() {
                    expected.insert(name, (newc::SYMLINK, target.clone()));
                }
            }
            Node::Folder(nodes) if depth > 0 => {
                fs::create_dir(&path).expect("new");
                make(&path, &name, nodes, depth - 1, expected);
            }
            Node::Folder(_) => {}
        }
    }
}

libfuzzer_sys::fuzz_target!(|case: Case| {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let tree = scratch.path().join("tree");
    fs::create_dir(&tree).expect("new");
    let mut expected = Expected::from([
        (b"init".to_vec(), (newc::EXECUTABLE, b"PID 1".to_vec())),
        (b"inputs".to_vec(), (newc::DIRECTORY, Vec::new())),
        (b"plan".to_vec(), (newc::FILE, case.plan.clone())),
    ]);
    make(&tree, b"inputs/t", &case.root, 8, &mut expected);
    let mut inputs = vec![Input { name: "t".to_owned(), kind: Kind::Tree, path: tree }];
    if let Some((executable, content)) = case.alone {
        let path = scratch.path().join("alone");
        fs::write(&path, &content).expect("there is room");
        let (kind, mode) = if executable { (Kind::Exec, newc::EXECUTABLE) } else { (Kind::File, newc::FILE) };
        inputs.push(Input { name: "alone".to_owned(), kind, path });
        expected.insert(b"inputs/alone".to_vec(), (mode, content));
    }
    let mut image = Vec::new();
    let summary = images::write(&Image { init: b"PID 1", shell: None, plan: &case.plan, inputs }, &mut image);
    let summary = summary.expect("nothing here is too large");
    assert_eq!(read::canonical(&image), Ok(summary));
    let entries = read::entries(&image).map(|entry| entry.expect("accepted above"));
    let found: Expected = entries.map(|e| (e.name.to_owned(), (e.header.mode, e.data.to_owned()))).collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), summary.entries as usize);
});
