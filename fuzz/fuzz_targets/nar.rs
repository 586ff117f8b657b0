//! Any bytes as a NAR that is unpacked: nothing appears beside the one place, and what is accepted, hashed where it was
//! unpacked by PID 1's code, has the hash of the bytes.
#![no_main]

use std::fs::{self, File};
use std::path::Path;

use init::walk::Buffers;
use sha2::Digest;

// Included rather than depended on: the rest of the crate brings a network client, which has no part in this.
#[path = "../../inputs/src/restore.rs"]
mod restore;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let inside = scratch.path().join("inside");
    fs::create_dir(&inside).expect("new");
    let result = restore::restore(bytes, &inside.join("out"), bytes.len() as u64);
    let names = |path: &Path| -> Vec<_> {
        fs::read_dir(path).expect("there").map(|entry| entry.expect("readable").file_name()).collect()
    };
    assert_eq!(names(scratch.path()), ["inside"]);
    assert!(names(&inside).iter().all(|name| name == "out"));
    if result.is_err() {
        return;
    }
    if let Some(contents) = formats::nar::read::plain(bytes) {
        assert!(fs::read(inside.join("out")).expect("a file") == contents, "a plain file is its contents");
    }
    let (mut text, mut order, mut buffer) = (vec![0; 1 << 20], vec![0; 1 << 16], vec![0; 8192]);
    let folder = File::open(&inside).expect("there");
    let room = Buffers::new(&mut text, &mut order);
    let mut path = init::walk::Path::new();
    let again = init::nar::write(
        rustix::fd::AsFd::as_fd(&folder),
        c"out",
        room,
        &mut buffer,
        &mut path,
        &mut formats::nar::Discard,
    );
    let hash: [u8; 32] = sha2::Sha256::digest(bytes).into();
    assert_eq!(again, Ok((hash, bytes.len() as u64)));
});
