//! These need the network: a Debian mirror through the machine's `apt`, and a Python package index through its `pip`.
//! They run like all others, and fail where there is none.

use super::*;
use crate::lock::renew;

const HELP: &str = "this test needs a Debian mirror (apt) or a package index (pip)";

fn debian(packages: &[&str], suite: Option<&str>) -> Place {
    let packages = packages.iter().map(|p| (*p).into()).collect();
    Place::Debian { packages, suite: suite.map(Into::into), dependencies: false }
}

fn locked(bench: &Bench, place: Place, pick: &[&str]) -> (InputSpec, Lock) {
    let mut input = plain(vec![place]);
    input.pick = pick.iter().map(|pick| (*pick).into()).collect();
    let spec = InputSpec::new("it", &input, bench.folder.path());
    let renewal = renew(&bench.store, std::slice::from_ref(&spec), &Lock::default(), &|_| false, &Silent);
    assert!(renewal.errors.is_empty(), "{HELP}: {}", renewal.errors[0]);
    (spec, renewal.lock)
}

#[test]
fn debian_packages_of_the_machine() {
    let bench = Bench::new();
    let (mut spec, mut lock) = locked(&bench, debian(&["hostname"], None), &["**/hostname"]);
    let entry = lock.inputs["it"].clone();
    let got = bench.store.obtain(&spec, Some(&entry), &Silent).unwrap();
    assert_eq!(Some(got.sha256.to_string()), entry.tree.clone());
    assert!(got.path.join("bin/hostname").exists() || got.path.join("usr/bin/hostname").exists());
    assert!(got.files[0].place.contains("pool/main/h/hostname/"), "{:?}", got.files);
    // Another machine has nothing but the lock.
    let other = Bench::new();
    assert_eq!(other.store.obtain(&spec, Some(&entry), &Silent).unwrap().sha256, got.sha256);
    // Pinned in the graph, no lock is needed.
    spec.input.sha256 = Some(got.files[0].sha256.clone());
    assert_eq!(Bench::new().obtain(&spec).unwrap().sha256, got.sha256);
    spec.input.sha256 = Some(hash::bytes(b"another"));
    let error = bench.obtain(&spec).unwrap_err();
    assert!(error.contains("what it has now hashes to"), "{error}");
    // A version that is gone.
    spec.input.sha256 = None;
    let entry = lock.inputs.get_mut("it").unwrap();
    let Locked::Deb(deb) = &mut entry.files[0] else { panic!("{entry:?}") };
    deb.version = "0".into();
    deb.pool = "pool/main/h/hostname/hostname_0_amd64.deb".into();
    deb.sha256 = hash::bytes(b"gone");
    let error = bench.store.obtain(&spec, Some(entry), &Silent).unwrap_err().to_string();
    assert!(error.contains("package hostname version 0 has vanished from the mirrors"), "{error}");
    assert!(error.contains("404") && error.contains("`groundup lock GRAPH`"), "{error}");
    // A version that never was: the ones that are there are said.
    spec.input.from = vec![debian(&["hostname=0"], None)];
    let renewal = renew(&bench.store, std::slice::from_ref(&spec), &Lock::default(), &|_| false, &Silent);
    let error = renewal.errors[0].to_string();
    assert!(error.contains("hostname=0") && error.contains("there is hostname=3."), "{error}");
    // The graph asks for something else than what is locked.
    spec.input.from = vec![debian(&["hostname", "libc6"], None)];
    let error = bench.store.obtain(&spec, Some(entry), &Silent).unwrap_err().to_string();
    assert!(error.contains("asks for something else; `groundup lock GRAPH`"), "{error}");
}

#[test]
fn debian_packages_of_a_suite() {
    for suite in ["bookworm", "trixie"] {
        let bench = Bench::new();
        let (spec, lock) = locked(&bench, debian(&["hostname", "libdebconfclient0"], Some(suite)), &[]);
        let entry = &lock.inputs["it"];
        let got = bench.store.obtain(&spec, Some(entry), &Silent).unwrap();
        assert_eq!(got.files.len(), 2);
        assert!(got.path.join("usr/share/doc/hostname/copyright").exists());
        let unknown = InputSpec::new(
            "u",
            &plain(vec![debian(&["no-such-package", "dash"], Some(suite))]),
            Path::new("."),
        );
        let renewal = renew(&bench.store, &[spec, unknown], &lock, &|_| true, &Silent);
        assert_eq!((&renewal.lock, renewal.changes.len()), (&lock, 0));
        let error = renewal.errors[0].to_string();
        assert!(error.contains("no such package in the package lists: no-such-package"), "{error}");
    }
}

#[test]
fn debian_no_such_suite() {
    let bench = Bench::new();
    let spec =
        InputSpec::new("it", &plain(vec![debian(&["hostname"], Some("no-such-suite"))]), Path::new("."));
    let renewal = renew(&bench.store, &[spec], &Lock::default(), &|_| false, &Silent);
    let error = renewal.errors[0].to_string();
    assert!(error.contains("apt-get update: ") && error.contains("no-such-suite"), "{error}");
}

#[test]
fn debian_source() {
    let bench = Bench::new();
    let place = |version: &str| Place::DebianSource {
        package: "tcc".into(),
        version: version.into(),
        file: format!("tcc_{version}.orig.tar.bz2"),
        suite: Some("bookworm".into()),
    };
    let mut spec = bench.spec(vec![place("0.9.27+git20200814.62c30a4a")], b"");
    spec.input.sha256 = Some("d63c113bcdd657f51c8ee197a0b0a24203603313e19a52b5f678d40ab7f5df35".into());
    spec.input.unpack = true;
    let got = bench.obtain(&spec).unwrap_or_else(|error| panic!("{HELP}: {error}"));
    assert!(got.path.join("tcc.c").exists());
    spec.input.from = vec![place("0.1")];
    spec.input.sha256 = Some(hash::bytes(b"gone"));
    let error = bench.obtain(&spec).unwrap_err();
    assert!(error.contains("version 0.1 of tcc is not in the index of suite bookworm"), "{error}");
    assert!(error.contains("the versions 0.9.27+git20200814.62c30a4a"), "{error}");
    let (_, version) = error.split_once("the versions ").unwrap();
    let version = version.split([',', '\n', ';']).next().unwrap();
    let Place::DebianSource { package, suite, .. } = place(version) else { unreachable!() };
    let file = "tcc.tar".to_owned();
    spec.input.from = vec![Place::DebianSource { package, version: version.into(), file, suite }];
    let error = bench.obtain(&spec).unwrap_err();
    assert!(error.contains("the file tcc.tar of tcc 0.9.27") && error.contains(".orig.tar.bz2"), "{error}");
}

#[test]
fn wheels() {
    let bench = Bench::new();
    let place =
        |version: Option<&str>| Place::Wheel { package: "six".into(), version: version.map(Into::into) };
    let mut input = plain(vec![place(Some("1.16.0"))]);
    input.unpack = true;
    input.pick = vec!["six.py".into()];
    let mut spec = InputSpec::new("it", &input, Path::new("."));
    let renewal = renew(&bench.store, std::slice::from_ref(&spec), &Lock::default(), &|_| false, &Silent);
    assert!(renewal.errors.is_empty(), "{HELP}: {}", renewal.errors[0]);
    let entry = &renewal.lock.inputs["it"];
    assert_eq!(entry.files[0].version(), "1.16.0");
    let got = Bench::new().store.obtain(&spec, Some(entry), &Silent).unwrap();
    assert_eq!((Some(got.sha256.to_string()), got.files[0].name.as_str()), (entry.tree.clone(), "six"));
    spec.input.sha256 = Some(hash::bytes(b"another"));
    let error = Bench::new().obtain(&spec).unwrap_err();
    assert!(error.contains(&hash::bytes(b"another")) && error.contains(entry.files[0].sha256()), "{error}");
    spec.input.from = vec![Place::Wheel { package: "no-such-package-at-all-0".into(), version: None }];
    let error = Bench::new().obtain(&spec).unwrap_err();
    assert!(error.contains("pip: ERROR"), "{error}");
}
