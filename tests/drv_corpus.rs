//! The derivations of Guix's `hello`, all 228 of them: read, written back, checked and put in order.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

use formats::store_path;
use graphs::drv::{self, Closure, closure, fetch};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

const HELLO: &str = "2nfg943asrl9dv64zrr1a4kpb25mfafd-hello-2.12.2.drv";
const MES: &str = "zj77h2ppiz9m2p85fg26vn6mllvmq5cb-mes-boot-0.25.1.drv";

/// The corpus stands beside the repository; by path in the store.
fn corpus() -> BTreeMap<String, Vec<u8>> {
    let beside = "../../shared/corpus/guix-hello.tar.xz";
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join(beside);
    let file = std::fs::File::open(&archive)
        .unwrap_or_else(|error| panic!("{}, which stands beside the repository: {error}", archive.display()));
    let mut archive = tar::Archive::new(xz2::read::XzDecoder::new(file));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".drv") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(format!("/gnu/store/{}", store_path::base(&name)), bytes);
        }
    }
    files
}

fn load(files: &BTreeMap<String, Vec<u8>>, root: &str) -> Result<Closure, String> {
    let bytes = &files[&format!("/gnu/store/{root}")];
    closure::load(root, bytes, &mut |path| Ok(files.get(path).cloned()))
        .map_err(|problems| problems.iter().map(|problem| problem.message.clone() + "\n").collect())
}

#[test]
fn all_are_read_and_written_back() {
    let files = corpus();
    assert_eq!(files.len(), 228);
    for (path, bytes) in &files {
        let read = drv::parse(bytes).unwrap_or_else(|error| panic!("{path}, {error}"));
        assert!(drv::write(&read).as_bytes() == bytes, "{path}");
    }
}

#[test]
fn every_derivation_stands_after_all_that_it_needs() {
    let files = corpus();
    let hello = load(&files, HELLO).unwrap();
    assert_eq!((hello.order.len(), hello.derivations.len()), (228, 228));
    assert_eq!((hello.store.as_str(), store_path::base(&hello.root)), ("/gnu/store", HELLO));
    let mut before = BTreeSet::new();
    for path in &hello.order {
        assert!(hello.get(path).inputs.keys().all(|input| before.contains(input)), "{path}");
        before.insert(path);
    }
    assert_eq!(load(&files, MES).unwrap().order.len(), 20);
}

#[test]
fn what_must_be_fetched_is_told_with_url_and_hash() {
    let files = corpus();
    let hello = load(&files, HELLO).unwrap();
    let fetches: Vec<_> = hello.derivations.values().filter_map(fetch::fetch).collect();
    let builtin = hello.derivations.values().filter(|derivation| fetch::is_builtin(derivation)).count();
    assert!(builtin > 50 && fetches.len() >= builtin, "{builtin} of {}", fetches.len());
    for fetch in &fetches {
        assert!(!fetch.urls.is_empty() && fetch.fixed.hash.len() >= 40, "{fetch:?}");
    }
    let hello = fetches.iter().find(|fetch| fetch.path.contains("hello-2.12")).unwrap();
    assert!(hello.urls.iter().any(|url| url.starts_with("mirror://gnu/hello/")), "{hello:?}");
}

#[test]
fn a_changed_byte_is_noticed_wherever_it_is() {
    let files = corpus();
    for (path, bytes) in files.iter().step_by(9) {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let mut changed = files.clone();
        changed.insert(path.clone(), text.replacen("x86_64-linux", "x86_64-linuy", 1).into_bytes());
        assert!(load(&changed, HELLO).is_err(), "{path}");
        changed.remove(path);
        if store_path::base(path) != HELLO {
            let said = load(&changed, HELLO).unwrap_err();
            assert!(said.contains(path) && said.contains("missing"), "{said}");
        }
    }
}
