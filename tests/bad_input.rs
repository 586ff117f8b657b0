//! Bad input at the level of the program: each row is run for real in a folder of its own, and what it said stands in
//! `snapshots/bad_input.txt` (`SNAPSHOTS=overwrite` renews it, after which it is to be read). The graphs alone have their
//! table in `graphs/tests/bad.rs`. Nothing leaves this machine: every server, Debian's mirror and PyPI included, is ours.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

#[path = "support/bad.rs"]
mod bad;
#[path = "support/server.rs"]
mod server;

use bad::{Row, row};
use snapbox::{assert_data_eq, file};
use std::fmt::Write;

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const HI: &str = "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4";

/// The graph with this as the source `it`.
fn source(it: &str) -> String {
    bad::GRAPH.replace("SOURCE", it)
}

/// The same with this as one more seed.
fn seed(it: &str) -> String {
    let seed = format!("executable: true),\n        \"more\": ({it}),");
    source(&format!("from: [File(\"hi\")], sha256: \"{HI}\""))
        .replace("executable: true),", &seed)
        .replace("\"it\"]", "\"it\", \"more\"]")
}

fn lock(entry: &str) -> String {
    format!("(version: 1, inputs: {{\n    \"more\": (files: [{entry}]),\n}})\n")
}

fn deb(version: &str) -> String {
    let pool = format!("pool/main/h/hostname/hostname_{version}_amd64.deb");
    lock(&format!(
        "Deb(package: \"hostname\", version: \"{version}\", sha256: \"{ZEROS}\", size: 9, pool: \"{pool}\")"
    ))
}

fn wheel(version: &str) -> String {
    lock(&format!(
        "Wheel(package: \"six\", version: \"{version}\", sha256: \"{ZEROS}\", size: 9, file: \"six-{version}-py3-none-any.whl\")"
    ))
}

const WHEEL: &str = "from: [Wheel(package: \"six\", version: \"99.9\")]";
const DEB: &str = "from: [Debian(packages: [\"hostname\"])]";

fn graphs() -> Vec<Row> {
    let hi = || source(&format!("from: [File(\"hi\")], sha256: \"{HI}\""));
    let from = |place: &str| source(&format!("from: [{place}], sha256: \"{ZEROS}\""));
    let with = |from: &str, to: &str| {
        assert!(hi().contains(from));
        hi().replacen(from, to, 1)
    };
    vec![
        row("an empty file").graph(""),
        row("syntax").graph(&with("targets: [\"a\"],", "targets: [\"a\"")),
        row("an unknown field").graph(&with("inputs:", "input:")),
        row("an empty graph").graph("(derivations: {}, targets: [])\n"),
        row("a cycle").graph(&with("\"sh\", \"it\"]", "\"sh\", \"it\", \"a\"]")),
        row("a missing name").graph(&with("targets: [\"a\"]", "targets: [\"b\"]")),
        row("a name written twice").graph(&with("\"it\": (", "\"sh\": (")),
        row("an unsafe name").graph(&with("\"it\": (", "\"../it\": (")),
        row("a builder that is not declared").graph(&with("\"/store/sh\"", "\"/bin/sh\"")),
        row("the wrong hash of what is in the graph").graph(&with("Hex(\"7f\")", "Hex(\"7e\")")),
        row("absurd sizes").graph(&with("inputs:", "memory: 99999999999999, time: 0, inputs:")),
        row("a number too large").graph(&with("inputs:", "space: 99999999999999999999999, inputs:")),
        row("not UTF-8").bytes("graph.ron", b"(\n    seeds: {},  // caf\xe9\n)\n"),
        row("no such graph").args(&["check", "none.ron"]),
        row("a folder as graph").args(&["check", "."]),
        row("a graph that can not be read").link("graph.ron", "graph.ron"),
        row("a graph without an end").args(&["check", "/dev/zero"]),
        row("a derivation of Nix").args(&["check", "hello.drv"]),
        row("a lock file as graph").file("graph.lock.ron", &deb("0")).args(&["check", "graph.lock.ron"]),
        row("a choice that is not there").graph(&hi()).args(&["plan", "graph.ron", "--choose", "cc=gcc"]),
        row("a choice without a side").args(&["plan", "graph.ron", "--choose", "cc"]),
        row("wrong hash").graph(&from("File(\"hi\")")),
        row("missing file").graph(&from("File(\"none\")")),
        row("a missing file, checked").graph(&from("File(\"none\")")).args(&["check", "graph.ron"]),
        row("a folder as file, checked")
            .graph(&from("File(\"folder\")"))
            .file("folder/x", "")
            .args(&["check", "graph.ron"]),
        row("wrong hash, checked").graph(&from("File(\"hi\")")).args(&["check", "graph.ron"]),
        row("a broken lock, checked")
            .graph(&hi())
            .file("graph.lock.ron", "(version: 7, inputs: {})\n")
            .args(&["check", "graph.ron"]),
        row("a suite that Debian does not have")
            .graph(&from("DebianSource(package: \"hello\", version: \"1\", file: \"x\", suite: \"bokworm\")")),
        row("a path that no input has").graph(&with("inputs:", "args: [\"/store/nothing\"], inputs:")),
        row("a file that can not be read").graph(&from("File(\"loop\")")).link("loop", "loop"),
        row("a folder as file").graph(&from("File(\"folder\")")).file("folder/x", ""),
        row("a link out of the folder").graph(&from("File(\"out\")")).link("out", "/etc/passwd"),
        row("a closed port").graph(&from("Url(\"http://127.0.0.1:1/x\")")).status(3),
        row("404").graph(&from("Url(\"http://SERVER/none\")")),
        row("wrong hash of a URL").graph(&from("Url(\"http://SERVER/hi\")")),
        row("a download that breaks").graph(&from("Url(\"http://SERVER/short\")")).status(3),
        row("a redirection without an end").graph(&from("Url(\"http://SERVER/loop\")")),
        row("an absurd length").graph(&from("Url(\"http://SERVER/huge\")")),
        row("no place has it").graph(&from("File(\"none\"), Url(\"http://SERVER/none\"), File(\"hi\")")),
        row("two inputs at once")
            .graph(&from("File(\"none\")").replace("sources: {", "sources: {\n        \"two\": (from: [File(\"hi\")], sha256: \"0000000000000000000000000000000000000000000000000000000000000001\"),").replace("\"it\"]", "\"it\", \"two\"]")),
    ]
}

fn inputs() -> Vec<Row> {
    let archive = |fields: &str, bytes: &[u8]| {
        let sha256 = builder::hash(bytes);
        let graph =
            source(&format!("from: [File(\"it.tar.gz\")], sha256: \"{sha256}\", unpack: true{fields}"));
        row("").graph(&graph).bytes("it.tar.gz", bytes)
    };
    let good = bad::tar_gz();
    vec![
        archive("", &good[..good.len() / 2]).named("a truncated archive"),
        archive("", b"hi\n").named("no archive"),
        archive(", strip: 9", &good).named("strip that leaves nothing"),
        archive(", pick: [\"x/file\", \"x/nothing\"]", &good).named("pick that takes nothing"),
        row("not locked").graph(&seed(WHEEL)),
        row("a stale lock").graph(&seed(WHEEL)).file("graph.lock.ron", &wheel("1.0")),
        row("a broken lock")
            .graph(&seed(WHEEL))
            .file("graph.lock.ron", &wheel("1.0").replace("size: 9", "size: -9")),
        row("a lock that can not be read").graph(&seed(WHEEL)).link("graph.lock.ron", "graph.lock.ron"),
        row("a lock of another version")
            .graph(&seed(WHEEL))
            .file("graph.lock.ron", "(version: 7, inputs: {})\n"),
        row("no pip").graph(&seed(WHEEL)).file("graph.lock.ron", &wheel("99.9")).env("PATH", "/none"),
        row("a wheel that vanished").graph(&seed(WHEEL)).file("graph.lock.ron", &wheel("99.9")),
        row("no wheel to lock").graph(&seed(WHEEL)).args(&["lock", "graph.ron", "--cache", "cache"]),
        row("no apt").graph(&seed(DEB)).file("graph.lock.ron", &deb("0")).env("PATH", "/none"),
        row("a package version that vanished").graph(&seed(DEB)).file("graph.lock.ron", &deb("0")),
        row("no package to lock").graph(&seed(DEB)).args(&["lock", "graph.ron", "--cache", "cache"]),
    ]
}

fn command_lines() -> Vec<Row> {
    let good = || row("").graph(&source(&format!("from: [File(\"hi\")], sha256: \"{HI}\"")));
    let run =
        |arguments: &[&str]| good().args(&[&["run", "graph.ron", "--cache", "cache"], arguments].concat());
    vec![
        run(&["--record", "none/x", "--console", ".", "--out", "hi/x"])
            .named("places that can not be written"),
        good().args(&["image", "graph.ron", "-o", "none/x"]).named("an image in no folder"),
        good().args(&["image", "graph.ron", "-o", "/dev/null"]).named("an image in the place of a device"),
        good().args(&["plan", "graph.ron", "--cache", "hi"]).named("a cache that is a file"),
        run(&["--memory", "63"]).named("less memory than any machine has"),
        run(&["--memory", "64", "--kernel", "kernel"])
            .bytes("kernel", &bad::kernel())
            .named("too little memory"),
        run(&["--kernel", "none"]).named("no such kernel"),
        run(&["--kernel", "hi"]).status(3).named("a kernel that is none"),
        run(&["--qemu", "./none"]).status(5).named("no such QEMU"),
        run(&["--qemu", "./hi"]).status(5).named("a QEMU that is no program"),
        run(&["--qemu", "./fake"])
            .program("fake", "#!/bin/sh\necho fake 1.0\n")
            .status(3)
            .named("a QEMU that is another program"),
        run(&["--qemu", "false"]).status(3).named("a QEMU that fails"),
        run(&["--export", "0"]).named("no room for outputs"),
        run(&["--machine", "fats"]).named("no such machine"),
        row("no such command").args(&["bulid"]),
    ]
}

#[test]
fn each_says_what_is_wrong_and_where_and_what_to_do() {
    let rows: Vec<Row> = [graphs(), inputs(), command_lines()].into_iter().flatten().collect();
    assert!(rows.len() >= 40);
    let server = server::start();
    let mut all = String::new();
    for row in &rows {
        let (status, said) = row.run(server);
        writeln!(
            all,
            "=== {}: {}\n{said}",
            row.name(),
            status.map_or("killed".into(), |status| status.to_string())
        )
        .unwrap();
        assert_eq!(status, Some(row.expected()), "{}: {said}", row.name());
    }
    assert_data_eq!(all, file!["snapshots/bad_input.txt"].raw());
}
