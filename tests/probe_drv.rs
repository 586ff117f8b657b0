//! `groundup probe` on derivations of Nix: the same questions, in the world that Nix makes.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::path::Path;
use support::cases::{blamed, probe, report, step_of};
use support::nix::all;
use support::{folder, need};

const VARIED: &str = "date,host-name,build-path,user-id,random-numbers,time-zone,home,input-times,umask-077";

#[test]
fn derivations_are_blamed_for_what_they_differ_with() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let (root, derivations) = all(folder.path(), include_str!("derivations/unreproducible.nix"));
    let report = report(Path::new(&root), &["--vary", VARIED]);
    let of = |name: &str| derivations[name].strip_prefix("/nix/store/").unwrap();
    for (name, reason) in [
        ("dated", "date"),
        ("host", "host-name"),
        ("path", "build-path"),
        ("user", "user-id"),
        ("random", "random-numbers"),
    ] {
        assert_eq!(blamed(&report, of(name)), [reason.to_owned()].into(), "{name}");
    }
    for name in ["pointer", "clean", "pinned"] {
        assert_eq!(step_of(&report, of(name))["state"], "same in what was varied", "{name}");
    }
    // It needs what differs only through what refers to it.
    let heir = step_of(&report, of("heir"));
    assert_eq!((&heir["state"], &heir["inherits"]), (&"inherits a difference".into(), &of("dated").into()));
    let pinned = &step_of(&report, of("pinned"))["variations"];
    assert_eq!(pinned["time-zone"]["more"], "the derivation itself says what it is, or has nothing of it");
    assert_eq!(pinned["date"]["result"], "same");
    // What it is shown again with is a command that works, and a step goes by the name of its derivation.
    let again = step_of(&report, of("host"))["causes"][0]["replay"].as_str().unwrap();
    assert!(
        again.starts_with(&format!("groundup probe {root} --step {} --vary host-name", of("host"))),
        "{again}"
    );
    let named = probe(Path::new(&root), &["--step", "host-name", "--vary", "host-name", "--machine", "host"]);
    assert_eq!(named.status.code(), Some(1), "{}", String::from_utf8_lossy(&named.stderr));
    assert_eq!(probe(Path::new(&root), &["--step", "nobody"]).status.code(), Some(2));
}
