//! What a static program sees of each variation of `groundup probe`, from inside: the value without it, the value with it, and
//! that none of the others changes it. No library is between the program and the kernel.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use support::cases::step_of;

/// What a step writes down: as it is, and as it is with this variation. `*` stands for what only has to be another.
const SEEN: [(&str, &str, &str, &str); 40] = [
    ("input-times", "input-times", "1", "1597643776"),
    ("input-owners", "input-owners", "0:0", "123:123"),
    ("input-modes", "input-modes", "444", "644"),
    ("uname", "uname", "x86_64", "i686"),
    ("cpu", "cpu", "0", "1"),
    // The bridge of an i440FX and that of a Q35.
    ("board", "board", "80861237", "808629c0"),
    ("memory-size", "memory-size", "*", "*"),
    ("kernel", "kernel", "#1 PREEMPT", "#1 SMP"),
    ("build-path", "build-path", "/build", "/another-build/i"),
    ("date", "date", "2020-01-01T00:00", "2021-02-02T07:13"),
    ("time-zone", "time-zone", "00:00", "10:30"),
    ("encoding", "encoding", "1", "0"),
    ("locale", "locale", "0", "1"),
    ("entries-reversed", "entries-reversed", "cba", "abc"),
    ("entries-shuffled", "entries-shuffled", "*", "*"),
    ("umask", "umask-002", "0022", "0002"),
    ("umask", "umask-077", "0022", "0077"),
    ("undeclared-files", "undeclared-files", "3", "0"),
    ("random-numbers", "random-numbers", "*", "*"),
    ("scheduling", "scheduling", "*", "*"),
    ("tick", "tick", "*", "*"),
    ("cpu-count", "cpu-count", "1 1 1", "4 4 4"),
    ("stack-base", "stack-base", "*", "*"),
    ("stack-base", "layout", "*", "*"),
    ("heap-base", "heap-base", "*", "*"),
    ("map-base", "map-base", "0x7f", "0x2a"),
    ("map-base", "layout", "*", "*"),
    ("stack-contents", "stack-contents", "00", "a5"),
    ("heap-contents", "heap-contents", "00", "5a"),
    ("host-name", "host-name", "localhost", "another-host"),
    ("domain-name", "domain-name", "(none)", "another.domain.e"),
    ("user-id", "user-id", "1000", "2345"),
    ("group-id", "group-id", "100", "3456"),
    ("user-name", "user-name", "builder", "somebody"),
    ("home", "home", "/build", "/home-of-another"),
    ("environment", "environment", "", "of no meaning"),
    ("pid", "pid", "2 4", "*"),
    ("inodes", "inodes", "20 ", "60 "),
    ("file-system", "file-system", "60 0", "4096 8"),
    ("limits", "limits", "1024", "896"),
];
/// What else may differ with a variation that is not its own: another kernel has another layout and leaves other memory free;
/// what moves the heap or the clock moves more than one thing.
const ALSO: [(&str, &str); 7] = [
    // On native the plan's entropy is the seed of all random numbers, and what is free depends on what there is.
    ("random-numbers", "entropy"),
    ("file-system", "undeclared-files"),
    ("memory-size", "kernel"),
    ("heap-base", "layout"),
    ("map-base", "kernel"),
    // A shell draws its random numbers from the time and its number.
    ("tick", "pid"),
    ("entries-shuffled", "entries-reversed"),
];

/// The steps that see what the host can't vary.
const NOT_ON_HOST: [&str; 5] = ["cpu", "board", "memory-size", "kernel", "entropy"];
/// The steps that see what native can't vary, or other values than elsewhere.
const NOT_ON_NATIVE: [&str; 3] = ["cpu", "board", "kernel"];
const ON_NATIVE: [(&str, &str, &str); 4] = [
    ("entries-reversed", "abc", "cba"),
    ("pid", "1 2", "1 1236"),
    ("inodes", "3 ", "43 "),
    ("file-system", "60 0", "4096 32"),
];
/// The kernel's own random numbers can only be had by ways around the probe, and they move with every interrupt; and versions of
/// seeds need another lock file, as in `tests/probe_cases.rs`.
const ELSEWHERE: [&str; 2] = ["entropy", "seed-version"];

#[test]
fn each_variation_is_seen_from_inside_and_is_the_only_one() {
    support::need("qemu-system-x86_64", "qemu-system-x86");
    let folder = support::folder();
    let report = support::cases::report(&view(folder.path()), &[]);
    check(&report, &[], &[]);
    assert_ne!(step_of(&report, "entropy")["variations"]["entropy"]["result"], "same");
    let varied = step_of(&report, "pid")["variations"].as_object().unwrap();
    let is_seen = |name: &str| ELSEWHERE.contains(&name) || SEEN.iter().any(|(_, seen, ..)| *seen == name);
    let unseen: Vec<_> = varied.keys().filter(|name| !is_seen(name)).collect();
    assert!(unseen.is_empty(), "no step sees {unseen:?}");
}

#[test]
fn the_same_is_so_on_the_host() {
    let folder = support::folder();
    let graph = view(folder.path());
    let report = support::cases::report(&graph, &["--machine", "host"]);
    check(&report, &NOT_ON_HOST, &[]);
}

/// Footing answers each call there, so there is nothing that it leaves alone.
#[test]
fn footing_varies_the_same_on_native() {
    let folder = support::folder();
    let graph = view(folder.path());
    let report = support::cases::report(&graph, &["--machine", "native"]);
    check(&report, &NOT_ON_NATIVE, &ON_NATIVE);
    // There the plan's entropy is the seed of all random numbers.
    assert_eq!(step_of(&report, "random-numbers")["variations"]["entropy"]["result"], "differs");
    for name in ["cpu", "board", "kernel"] {
        assert_eq!(step_of(&report, "pid")["variations"][name]["result"], "not varied");
    }
}

/// Whether each step but these differs with its own variation, and with no other.
fn check(report: &Value, but: &[&str], values: &[(&str, &str, &str)]) {
    for (step, variation, without, with) in SEEN.into_iter().filter(|(step, ..)| !but.contains(step)) {
        let other = values.iter().find(|(name, ..)| *name == variation);
        let (without, with) = other.map_or((without, with), |&(_, without, with)| (without, with));
        let causes = step_of(report, step)["causes"].as_array().unwrap();
        let cause = causes.iter().find(|cause| cause["vary"] == variation);
        let cause = cause.unwrap_or_else(|| panic!("{step} does not see {variation}: {causes:?}"));
        let bytes = &cause["differences"][0]["bytes"];
        let [one, other] = ["control", "varied"].map(|which| text(bytes[which].as_str().unwrap()));
        assert_ne!(one, other);
        assert!(without == "*" || one.starts_with(without), "{step}, {variation}: without it {one:?}");
        assert!(with == "*" || other.starts_with(with), "{step}, {variation}: with it {other:?}");
    }
    for told in report["steps"].as_array().unwrap() {
        let step = told["name"].as_str().unwrap();
        let own = SEEN.iter().filter(|(seen, ..)| *seen == step).map(|(_, variation, ..)| *variation);
        let also = ALSO.iter().filter(|(seen, _)| *seen == step).map(|(_, variation)| *variation);
        let may: BTreeSet<&str> = own.chain(also).collect();
        let causes = told["causes"].as_array().unwrap().iter().map(|cause| cause["vary"].as_str().unwrap());
        let blamed: Vec<&str> = causes.filter(|cause| !may.contains(cause)).collect();
        // These two move with whatever changes how many instructions are executed.
        let moves = matches!(step, "entropy" | "scheduling");
        assert!(blamed.is_empty() || moves, "{step}: {blamed:?}");
    }
}

/// `tests/graphs/view.ron` with its programs, in this folder.
fn view(folder: &Path) -> std::path::PathBuf {
    support::need("busybox", "busybox-static");
    let source = support::graph("view").with_extension("c");
    let program = folder.join("view");
    let compiled =
        Command::new("gcc").args(["-O0", "-static", "-o"]).arg(&program).arg(source).status().unwrap();
    assert!(compiled.success(), "gcc -static: apt-get install gcc libc6-dev");
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    fs::copy(busybox.unwrap(), folder.join("busybox")).unwrap();
    let mut text = fs::read_to_string(support::graph("view")).unwrap();
    for (mark, file) in [("BUSYBOX", "busybox"), ("VIEW", "view")] {
        text = text.replace(mark, &builder::hash(&fs::read(folder.join(file)).unwrap()));
    }
    let graph = folder.join("view.ron");
    fs::write(&graph, text).unwrap();
    graph
}

/// Bytes in hex, as text.
fn text(hex: &str) -> String {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| char::from(u8::from_str_radix(pair, 16).unwrap())).collect()
}
