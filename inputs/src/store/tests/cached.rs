//! Local places, trees, and what happens to a cache that is not what it was.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn tar() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, mode) in [("top/a", 0o644), ("top/b/c", 0o755)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(mode);
        builder.append_data(&mut header, name, &b"x"[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn tree(bench: &Bench) -> InputSpec {
    fs::write(bench.folder.path().join("x.tar"), tar()).unwrap();
    let mut spec =
        bench.spec(vec![Place::Url(format!("file://{}/x.tar", bench.folder.path().display()))], &tar());
    spec.input.unpack = true;
    spec.input.strip = 1;
    spec
}

#[test]
fn text_hex_and_files() {
    let bench = Bench::new();
    fs::write(bench.folder.path().join("notes"), "hello").unwrap();
    for place in
        [Place::Text("hello".into()), Place::Hex("68 65 6c6c 6f # hello".into()), Place::File("notes".into())]
    {
        let mut spec = bench.spec(vec![place], b"hello");
        spec.input.executable = true;
        let got = bench.obtain(&spec).unwrap();
        assert_eq!((got.kind, fs::read_to_string(got.path).unwrap()), (Kind::Exec, "hello".into()));
        // A hash in upper case is a hash too.
        spec.input.sha256 = spec.input.sha256.map(|sha256| sha256.to_ascii_uppercase());
        assert!(bench.obtain(&InputSpec::new("it", &spec.input, &spec.folder)).is_ok());
    }
    for (place, says) in [
        (Place::Hex("7f4".into()), "inline hex: line 1, column 3 of the hex"),
        (Place::Hex("00\n zz".into()), "line 2, column 2 of the hex"),
        (Place::File("../notes".into()), "leaves the graph's folder"),
        (Place::File("/etc/passwd".into()), "leaves the graph's folder"),
        (Place::File("none".into()), "No such file"),
        (Place::Text("other".into()), "wrong sha256: expected"),
    ] {
        let error = bench.obtain(&bench.spec(vec![place], b"never")).unwrap_err();
        assert!(error.contains(says), "{error}\n{says}");
    }
}

#[test]
fn a_changed_file_is_noticed() {
    let bench = Bench::new();
    let notes = bench.folder.path().join("notes");
    fs::write(&notes, "hello").unwrap();
    let spec = bench.spec(vec![Place::File("notes".into())], b"hello");
    assert!(bench.obtain(&spec).is_ok());
    fs::write(&notes, "changed").unwrap();
    assert!(bench.obtain(&spec).unwrap_err().contains("wrong sha256"));
}

#[test]
fn without_a_hash() {
    let bench = Bench::new();
    let obtain =
        |place| bench.obtain(&InputSpec::new("it", &plain(vec![place]), bench.folder.path())).unwrap_err();
    let packages = Place::Debian { packages: vec!["a".into()], suite: None, dependencies: false };
    assert!(obtain(packages).contains("`groundup lock GRAPH`"));
    assert!(obtain(Place::Text("x".into())).contains(&hash::bytes(b"x")));
    assert!(obtain(Place::Url("http://127.0.0.1:1/".into())).contains("has no sha256"));
}

#[test]
fn trees() {
    let bench = Bench::new();
    let mut spec = tree(&bench);
    let got = bench.obtain(&spec).unwrap();
    assert_eq!(got.kind, Kind::Tree);
    assert_eq!(fs::metadata(got.path.join("b/c")).unwrap().permissions().mode() & 0o100, 0o100);
    assert_eq!(got.files.len(), 1);
    assert_eq!(bench.obtain(&spec).unwrap(), got);
    // Without a lock file that says its hash, it is made again of its archive, which is fetched again if it is not here.
    fs::remove_file(bench.store.cache.file(&got.files[0].sha256)).unwrap();
    assert_eq!(bench.obtain(&spec).unwrap(), got);
    spec.input.pick = vec!["b".into()];
    let picked = bench.obtain(&spec).unwrap();
    assert!(picked.sha256 != got.sha256 && !picked.path.join("a").exists());
    spec.input.pick = vec!["zzz".into()];
    let error = bench.obtain(&spec).unwrap_err();
    assert!(error.starts_with("input \"it\": archive it: pick \"zzz\" takes nothing"), "{error}");
    assert_eq!(bench.names("trees").len(), 2);
    assert!(bench.names("tmp").is_empty());
}

#[test]
fn a_corrupt_cache_is_made_anew() {
    let bench = Bench::new();
    let spec = tree(&bench);
    let got = bench.obtain(&spec).unwrap();
    let file = bench.store.cache.file(&got.files[0].sha256);
    let damages: [&dyn Fn(); 5] = [
        &|| fs::write(got.path.join("a"), "y").unwrap(),
        &|| fs::remove_file(got.path.join("a")).unwrap(),
        &|| fs::write(got.path.join("more"), "").unwrap(),
        &|| fs::set_permissions(got.path.join("a"), fs::Permissions::from_mode(0o755)).unwrap(),
        &|| fs::remove_dir_all(got.path.parent().unwrap()).unwrap(),
    ];
    for damage in damages {
        damage();
        // The archive is damaged as well: it is fetched again.
        fs::write(&file, "damaged").unwrap();
        assert_eq!(bench.obtain(&spec).unwrap(), got);
        assert_eq!(fs::read_to_string(got.path.join("a")).unwrap(), "x");
    }
}

/// A tree that was changed, in a cache where everything agrees with the change.
#[test]
fn a_cache_that_is_poisoned_throughout_is_noticed() {
    let bench = Bench::new();
    let mut spec = tree(&bench);
    let got = bench.obtain(&spec).unwrap();
    let poison = |what: &str| {
        fs::write(got.path.join("a"), what).unwrap();
        let (nar, size) = crate::nar(&got.path).unwrap();
        assert_ne!(nar, got.sha256);
        let file = &got.files[0];
        let about = format!(
            "{{\"nar\": \"{nar}\", \"size\": {size}, \"files\": [{{\"name\": \"it\", \"version\": null, \"sha256\": \"{}\", \
             \"size\": {}, \"place\": \"here\"}}]}}",
            file.sha256, file.size
        );
        fs::write(got.path.with_file_name("about.json"), about).unwrap();
    };
    // As another run finds it: nothing is remembered but what is in the cache.
    let again = || InputCache::open(&bench.folder.path().join("cache")).unwrap();
    poison("evil");
    let found = again().obtain(&spec, None, &Silent).unwrap();
    assert_eq!((&found, fs::read_to_string(found.path.join("a")).unwrap()), (&got, "x".into()));
    // In the same run, too.
    poison("evil");
    assert_eq!(bench.obtain(&spec).unwrap(), got);
    // What the lock file says holds, and its words on the files; the archive is not needed.
    spec.input.sha256 = None;
    spec.input.from = vec![Place::Wheel { package: "p".into(), version: None }];
    let file = &got.files[0];
    let wheel = crate::lock::Wheel {
        package: "p".into(),
        version: "1".into(),
        sha256: file.sha256.clone(),
        size: file.size,
        file: "p.whl".into(),
    };
    let entry = Entry { files: vec![Locked::Wheel(wheel)], needed: None, tree: Some(got.sha256.to_string()) };
    poison("evil");
    let found = again().obtain(&spec, Some(&entry), &Silent).unwrap();
    assert_eq!((&found.sha256, fs::read_to_string(found.path.join("a")).unwrap()), (&got.sha256, "x".into()));
    fs::remove_file(bench.store.cache.file(&file.sha256)).unwrap();
    let found = again().obtain(&spec, Some(&entry), &Silent).unwrap();
    assert_eq!((&found.files[0].sha256, found.files[0].size), (&file.sha256, file.size));
    // A file and its note: the hash is in the name, and the name in the graph.
    let text = bench.spec(vec![Place::Url("http://127.0.0.1:1/".into())], b"good");
    fs::write(bench.store.cache.file(&hash::bytes(b"good")), "evil").unwrap();
    fs::write(bench.store.cache.file(&hash::bytes(b"good")).with_extension("from"), "\x1b[2J").unwrap();
    assert!(bench.obtain(&text).unwrap_err().contains("refused"));
    assert_eq!(bench.store.cache.origin(&hash::bytes(b"good")), "cache");
}

#[test]
fn many_at_once() {
    let bench = Bench::new();
    let spec = tree(&bench);
    let cache = bench.folder.path().join("cache");
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| InputCache::open(&cache).unwrap().obtain(&spec, None, &Silent).unwrap()))
            .collect();
        let all: Vec<Obtained> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    });
    assert_eq!(bench.names("trees").len(), 1);
    let specs = vec![spec.clone(), bench.spec(vec![Place::Text("x".into())], b"y"), spec];
    let got = bench.store.obtain_all(&specs, &Lock::default(), &Silent);
    assert!(got[0].is_ok() && got[1].is_err() && got[2].is_ok());
}
