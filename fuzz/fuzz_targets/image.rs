//! Any bytes as an image: all readers end, and what the strict one accepts PID 1 reads alike and the writer writes again to the
//! same bytes.
#![no_main]

use formats::newc;
use images::{Archive, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let entries: Result<Vec<_>, _> = read::entries(bytes).collect();
    if let Err(malformed) = &entries {
        assert!(malformed.offset <= bytes.len());
        assert!(read::canonical(bytes).is_err());
    }
    let read: Vec<_> = formats::archive::Archive::new(bytes).collect();
    let Ok(summary) = read::canonical(bytes) else { return };
    let entries = entries.expect("the strict reader is the stricter one");
    assert_eq!(read.len(), entries.len());
    for (read, entry) in read.iter().zip(&entries) {
        let read = read.as_ref().expect("PID 1 is not stricter");
        assert_eq!((read.mode, read.name.to_bytes()), (entry.header.mode, entry.name));
        assert_eq!(read.data, entry.data);
    }
    let mut archive = Archive::new(Vec::new());
    for entry in &entries {
        match entry.header.mode {
            newc::DIRECTORY => archive.directory(entry.name),
            newc::SYMLINK => archive.symlink(entry.name, entry.data),
            mode => archive.bytes(entry.name, mode == newc::EXECUTABLE, entry.data),
        }
        .expect("what was read can be written");
    }
    let (again, count, length) = archive.finish().expect("memory does not fail");
    assert_eq!((count, length), (summary.entries, summary.bytes));
    assert_eq!(again, bytes);
});
