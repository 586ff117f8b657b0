//! Where what a closure needs comes from, and what is said when it does not.

use super::places::Places;
use super::{Loaded, prepare};
use crate::args;
use crate::failure::Failure;
use inputs::InputCache;
#[allow(dead_code, reason = "the tests of the fetcher use the rest")]
#[path = "../../../inputs/src/store/tests/server.rs"]
mod server;
use formats::digest::Sha256;
use formats::narinfo::NarInfo;
use formats::store_path;
use graphs::drv::{Algorithm, Closure, Derivation, Fixed, Output, closure, modulo, write};
use server::{Server, Way, serve, serve_all};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const STORE: &str = "/gnu/store";

/// A folder with a cache of inputs and a folder of a store in it.
struct Bench {
    folder: tempfile::TempDir,
    store: InputCache,
    hashes: BTreeMap<String, String>,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let mut store = InputCache::open(&folder.path().join("cache")).unwrap();
        store.fetch.pause = Duration::from_millis(5);
        fs::create_dir_all(folder.path().join("store")).unwrap();
        fs::create_dir_all(folder.path().join("out")).unwrap();
        Bench { folder, store, hashes: BTreeMap::new() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds a derivation; returns its path and that of its output.
    fn add(&mut self, name: &str, mut derivation: Derivation) -> (String, String) {
        let needed: Vec<&str> = derivation.inputs.keys().map(|input| self.hashes[input].as_str()).collect();
        let out = modulo::paths(&derivation, &needed, STORE, name)["out"].clone();
        derivation.env.insert("out".into(), out.clone());
        derivation.outputs.get_mut("out").unwrap().path.clone_from(&out);
        let (text, hash) = (write(&derivation), modulo::hash(&derivation, &needed));
        let own = modulo::own_path(text.as_bytes(), &derivation, STORE, name);
        fs::write(self.at("store").join(store_path::base(&own)), text).unwrap();
        self.hashes.insert(own.clone(), hash);
        (own, out)
    }

    /// A source, in the store's folder or not.
    fn source(&self, name: &str, there: bool) -> String {
        let file = self.at("source");
        fs::write(&file, name).unwrap();
        let path = store_path::make("source", inputs::nar(&file).unwrap().0, STORE, name);
        if there {
            fs::rename(&file, self.at("store").join(store_path::base(&path))).unwrap();
        }
        path
    }

    fn prepare(&self, root: &str, inputs: &[PathBuf]) -> Result<String, Failure> {
        let path = self.at("store").join(store_path::base(root));
        let args = args::Drv { store: vec![], inputs: inputs.to_vec(), stop_at: vec![], sh: None, space: 64 };
        let mut find = |path: &str| Ok(fs::read(self.at("store").join(store_path::base(path))).ok());
        let closure: Closure =
            closure::load(&path.display().to_string(), &fs::read(&path).unwrap(), &mut find).unwrap();
        let loaded = Loaded { path, closure: Arc::new(closure), args };
        prepare(&loaded, false, &self.store).map(|prepared| prepared.plan)
    }

    /// What places say of a path; the text of the file that was found.
    fn find(&self, places: &[&str], at: &str) -> Result<Option<String>, (String, bool)> {
        let named: Vec<PathBuf> = places.iter().map(PathBuf::from).collect();
        let to = tempfile::tempdir_in(self.folder.path()).unwrap();
        match Places::new(&named, &[], &self.store).find(at, to.path()) {
            Ok(found) => Ok(found.map(|found| fs::read_to_string(found.path).unwrap())),
            Err(trouble) => Err((trouble.what.join("\n"), trouble.elsewhere)),
        }
    }
}

fn derivation(builder: &str, env: &[(&str, &str)], fixed: Option<Fixed>) -> Derivation {
    Derivation {
        outputs: [("out".to_owned(), Output { path: String::new(), fixed })].into(),
        inputs: BTreeMap::new(),
        sources: [].into(),
        platform: "x86_64-linux".into(),
        builder: builder.into(),
        args: vec![],
        env: env.iter().chain(&[("out", "")]).map(|(k, v)| ((*k).into(), (*v).into())).collect(),
    }
}

fn fixed(content: &str) -> Fixed {
    Fixed { recursive: false, algorithm: Algorithm::Sha256, hash: crate::hash(content.as_bytes()) }
}

/// A path, the narinfo of a file with this content, and the NAR.
fn cached(content: &str, url: &str) -> (String, String, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    fs::write(&file, content).unwrap();
    let (nar_hash, nar_size) = inputs::nar(&file).unwrap();
    let at = store_path::make("source", nar_hash, STORE, "x");
    let mut nar = Vec::new();
    for string in ["nix-archive-1", "(", "type", "regular", "contents", content, ")"] {
        nar.extend((string.len() as u64).to_le_bytes());
        nar.extend(string.as_bytes());
        nar.resize(nar.len().next_multiple_of(8), 0);
    }
    assert_eq!(Sha256::of(&nar), nar_hash);
    let info = NarInfo::plain(at.clone(), url.into(), nar_hash, nar_size).write();
    (at, info, nar)
}

fn info_name(at: &str) -> String {
    format!("{}.narinfo", &store_path::base(at)[..store_path::HASH])
}

fn cache(at: &str, info: &str, nar: &[u8]) -> Server {
    let bodies = [(format!("/{}", info_name(at)), info.into()), ("/nar/x.nar".to_owned(), nar.to_vec())];
    serve_all(bodies.into())
}

#[test]
fn a_cache_that_fails_is_not_one_that_has_nothing() {
    let (at, info, nar) = cached("hi\n", "nar/x.nar");
    let bench = Bench::new();
    let good = cache(&at, &info, &nar);
    assert_eq!(bench.find(&[&good.url], &at), Ok(Some("hi\n".into())));
    let other = cached("other", "nar/x.nar").0;
    assert_eq!(bench.find(&[&good.url], &other), Ok(None));
    for (way, elsewhere) in
        [(Way::Broken(500), true), (Way::Broken(503), true), (Way::Broken(403), false), (Way::Loop, false)]
    {
        let bad = serve(way, b"");
        let (said, help) = bench.find(&[&bad.url], &at).unwrap_err();
        assert!(said.contains(&bad.url) && help == elsewhere, "{said}");
        // Another place has it.
        assert_eq!(bench.find(&[&bad.url, &good.url], &at), Ok(Some("hi\n".into())));
    }
    for way in [Way::NotFound, Way::Broken(410)] {
        assert_eq!(bench.find(&[&serve(way, b"").url], &at), Ok(None));
    }
    let tls = good.url.replace("http:", "https:");
    for dead in ["http://127.0.0.1:1", "http://no-such-host.invalid", &tls] {
        let (said, elsewhere) = bench.find(&[dead], &at).unwrap_err();
        assert!(said.contains(dead) && elsewhere, "{said}");
    }
}

#[test]
fn what_is_here_is_not_asked_for() {
    let (at, info, nar) = cached("hi\n", "nar/x.nar");
    let bench = Bench::new();
    let (server, folder) = (cache(&at, &info, &nar), bench.at("out"));
    fs::write(folder.join(store_path::base(&at)), "hi\n").unwrap();
    let found = bench.find(&[&server.url, folder.to_str().unwrap()], &at);
    assert_eq!((found, server.seen()), (Ok(Some("hi\n".into())), vec![]));
}

#[test]
fn a_cache_leads_nowhere_else() {
    let bench = Bench::new();
    fs::write(bench.at("secret.nar"), cached("secret", "x").2).unwrap();
    for url in ["../secret.nar", "%2e%2e/secret.nar", "/etc/passwd", "nar/../../secret.nar"] {
        let (at, info, nar) = cached("secret", url);
        fs::write(bench.at("out").join(info_name(&at)), &info).unwrap();
        fs::write(bench.at("out/nix-cache-info"), "").unwrap();
        let folder = bench.at("out").display().to_string();
        let server = cache(&at, &info, &nar);
        for place in [&folder, &format!("file://{folder}"), &server.url] {
            let (said, _) = bench.find(&[place], &at).unwrap_err();
            assert!(said.contains("leads out of the cache"), "{place}: {said}");
        }
        assert_eq!(server.seen().len(), 1);
    }
    let (at, info, _) = cached("secret", "x");
    let twice = info.clone() + "NarSize: 9\n";
    fs::write(bench.at("out").join(info_name(&at)), twice).unwrap();
    let (said, _) = bench.find(&[bench.at("out").to_str().unwrap()], &at).unwrap_err();
    assert!(said.contains("a second NarSize"), "{said}");
}

#[test]
fn a_small_file_does_not_fill_the_disk() {
    let bench = Bench::new();
    let (at, info, _) = cached("hi\n", "nar/x.nar");
    let mut bomb = Vec::new();
    for string in ["nix-archive-1", "(", "type", "regular", "contents"] {
        bomb.extend((string.len() as u64).to_le_bytes());
        bomb.extend(string.as_bytes());
        bomb.resize(bomb.len().next_multiple_of(8), 0);
    }
    let bomb = |length: u64| {
        let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
        packed.write_all(&[&bomb[..], &length.to_le_bytes()].concat()).unwrap();
        (0..300).for_each(|_| packed.write_all(&[0; 1 << 20]).unwrap());
        packed.finish().unwrap()
    };
    let start = Instant::now();
    // As much as the format can say, and as much as there is: neither is in proportion to some kilobytes.
    for length in [16 << 30, 300 << 20] {
        fs::write(bench.at("out").join(format!("{}.nar.zst", store_path::base(&at))), bomb(length)).unwrap();
        let (said, _) = bench.find(&[bench.at("out").to_str().unwrap()], &at).unwrap_err();
        assert!(said.contains("more than the 268435456 bytes"), "{said}");
    }
    // What a cache says of the size holds, too.
    let server = cache(&at, &info, &bomb(1 << 20));
    let (said, _) = bench.find(&[&server.url], &at).unwrap_err();
    assert!(said.contains("more than the 120 bytes"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// A root that needs so many fixed outputs, and one that must be a source.
fn wide(bench: &mut Bench, many: usize, url: &dyn Fn(usize) -> String, source: Option<&str>) -> String {
    let mut root = derivation("/bin/sh", &[], None);
    for n in 0..many {
        let env = [("url", format!("\"{}\"", url(n)))];
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (drv, _) = bench.add(&format!("f{n}"), derivation("builtin:download", &env, Some(fixed("hi\n"))));
        root.inputs.insert(drv, ["out".to_owned()].into());
    }
    root.sources.extend(source.map(str::to_owned));
    bench.add("root", root).0
}

fn said(failure: &Failure) -> (u8, String) {
    (failure.status(), failure.render(false))
}

#[test]
fn what_can_not_be_had_is_said_before_the_first_download() {
    let mut bench = Bench::new();
    let server = serve_all([("/f0".to_owned(), b"hi\n".to_vec())].into());
    let start = Instant::now();
    let gone = bench.source("gone", false);
    let address = |n: usize| {
        if n == 0 { format!("{}/f0", server.url) } else { format!("http://h{}.invalid/f{n}", n % 60) }
    };
    let root = wide(&mut bench, 400, &address, Some(&gone));
    let (status, text) = said(&bench.prepare(&root, &[]).unwrap_err());
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert!(text.contains("400 things"), "{text}");
    for n in 1..400 {
        assert!(text.contains(&format!("-f{n} (for ")), "{n}: {text}");
    }
    assert!(text.contains(&gone) && !text.contains("-f0 (for "), "{text}");
    // A source is in no other place: no network helps. Nothing was downloaded.
    assert_eq!((status, server.seen()), (2, Vec::<String>::new()));
    // With dead hosts alone, another time may.
    let mut bench = Bench::new();
    let root = wide(&mut bench, 3, &|n| format!("http://h{n}.invalid/f"), None);
    assert_eq!(said(&bench.prepare(&root, &[]).unwrap_err()).0, 3);
    // And a host that answers has the last word.
    let root = wide(&mut bench, 1, &|_| format!("{}/none", server.url), None);
    let (status, text) = said(&bench.prepare(&root, &[]).unwrap_err());
    assert!(status == 2 && text.contains("404"), "{status} {text}");
    let broken = serve(Way::Broken(502), b"");
    let root = wide(&mut bench, 1, &|_| broken.url.clone(), None);
    let (status, text) = said(&bench.prepare(&root, &[]).unwrap_err());
    assert!(status == 3 && text.contains("502"), "{status} {text}");
}

#[test]
fn a_fixed_output_beside_its_derivation_is_taken() {
    let mut bench = Bench::new();
    // It has no address: without the output at hand it is built.
    let (drv, out) = bench.add("made", derivation("/bin/sh", &[], Some(fixed("hi\n"))));
    let mut root = derivation("/bin/sh", &[], None);
    root.inputs.insert(drv, ["out".to_owned()].into());
    let (root, _) = bench.add("root", root);
    let steps = |plan: &str| plan.lines().filter(|line| line.starts_with("step ")).count();
    let place: &Path = &bench.at("store").join(store_path::base(&out));
    assert_eq!(bench.prepare(&root, &[]).map(|plan| steps(&plan)).unwrap_or(2), 2);
    fs::write(place, "hi\n").unwrap();
    assert_eq!(steps(&bench.prepare(&root, &[]).unwrap()), 1);
    // It is verified like any other.
    fs::write(place, "changed\n").unwrap();
    let (status, text) = said(&bench.prepare(&root, &[]).unwrap_err());
    assert!(status == 2 && text.contains("expected sha256"), "{text}");
    // As a NAR beside it, too.
    fs::remove_file(place).unwrap();
    fs::write(bench.at("store").join(format!("{}.nar", store_path::base(&out))), cached("hi\n", "x").2)
        .unwrap();
    assert_eq!(steps(&bench.prepare(&root, &[]).unwrap()), 1);
}
