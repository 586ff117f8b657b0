//! `run --each`: every step a unit of its own. The hashes are those of the whole graph in one image, and a unit that was built once can be
//! taken, which is said everywhere.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::{folder, groundup};

/// Two steps that draw random numbers and look at the clock, one that needs both, and one that needs nothing.
const GRAPH: &str = r#"(
    seeds: { "busybox": (from: [Debian(packages: ["busybox-static"])]) },
    derivations: {
        "dice": (builder: "/store/busybox/bin/busybox", inputs: ["busybox"],
            args: ["sh", "-c", "echo rolled; b=/store/busybox/bin/busybox; { $b head -c 9 /dev/urandom | $b od -x; $b date; echo $$; } > $out"]),
        "twin": (builder: "/store/busybox/bin/busybox", inputs: ["busybox"], args: ["sh", "-c", "echo two > $out"]),
        "both": (builder: "/store/busybox/bin/busybox", inputs: ["busybox", "dice", "twin"],
            args: ["sh", "-c", "cat=/store/busybox/bin/busybox; $cat cat /store/dice /store/twin > $out"]),
        "alone": (builder: "/store/busybox/bin/busybox", inputs: ["busybox"], args: ["sh", "-c", "ALONE"]),
    },
    targets: ["both", "alone"],
)"#;

fn write(folder: &Path, alone: &str) {
    fs::write(folder.join("graph.ron"), GRAPH.replace("ALONE", alone)).unwrap();
}

fn run(folder: &Path, more: &[&str]) -> Output {
    let mut command: Command = groundup();
    command.current_dir(folder).args(["run", "graph.ron", "--machine", "native", "--timeout", "300"]);
    command.args(["--record", "record"]).args(more);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn good(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Each step of the record with its outcome.
fn outcomes(folder: &Path) -> Vec<(String, String)> {
    let record: Value = serde_json::from_str(&fs::read_to_string(folder.join("record")).unwrap()).unwrap();
    let products = record["predicate"]["runDetails"]["byproducts"].as_array().unwrap();
    let report = products.iter().find(|product| product["name"] == "report").unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = report["annotations"]["steps"].as_array().unwrap();
    steps.iter().map(|step| (text(&step["name"]), text(&step["outcome"]))).collect()
}

fn lock(folder: &Path) {
    let output = groundup().current_dir(folder).args(["lock", "graph.ron"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn each_step_alone_comes_to_the_hashes_of_the_whole_graph() {
    let folder = folder();
    write(folder.path(), "echo alone > $out");
    lock(folder.path());
    let whole = good(&run(folder.path(), &[]));
    for jobs in ["1", "3"] {
        let each = run(folder.path(), &["--each", "--jobs", jobs, "--out", "out"]);
        assert_eq!(good(&each), whole);
        assert_eq!(outcomes(folder.path()).iter().filter(|(_, outcome)| outcome == "built").count(), 4);
    }
    assert_eq!(fs::read_to_string(folder.path().join("out/alone")).unwrap(), "alone\n");
    let log = groundup().current_dir(folder.path()).args(["log", "dice", "record"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&log.stdout), "rolled\n", "{}", said(&log));
    let both = fs::read_to_string(folder.path().join("out/both")).unwrap();
    assert_eq!(both, fs::read_to_string(folder.path().join("out/dice")).unwrap() + "two\n");
}

#[test]
fn the_embedded_graph_and_a_compiler_come_to_the_same_hashes() {
    let tcc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/tcc.ron");
    for graph in [None, Some(&*tcc)] {
        let on = |more: &[&str]| {
            let mut command = groundup();
            command.arg("run").args(graph).args(["--machine", "native", "--timeout", "300"]).args(more);
            good(&command.output().unwrap())
        };
        assert_eq!(on(&["--each", "--jobs", "2"]), on(&[]));
    }
}

/// Derivations that ask for the references of what is still to be built take several plans otherwise.
#[test]
fn derivations_come_to_the_same_hashes() {
    let folder = folder();
    let expression = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/derivations/unusual.nix");
    let derivations = support::nix::instantiate(&expression, &support::nix::tools(folder.path()));
    let chosen = ["graph-of-graph", "several"];
    let chosen = derivations
        .iter()
        .filter(|(_, path)| chosen.iter().any(|name| path.ends_with(&format!("-{name}.drv"))));
    let mut count = 0;
    for (name, derivation) in chosen {
        let on = |more: &[&str]| {
            let mut command = groundup();
            command.args(["run", derivation, "--machine", "native", "--timeout", "300"]).args(more);
            let mut lines: Vec<_> = good(&command.output().unwrap()).lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(on(&["--each", "--jobs", "2"]), on(&[]), "{name}");
        count += 1;
    }
    assert_eq!(count, 2, "{derivations:?}");
}

#[test]
fn a_unit_that_was_built_once_is_taken_and_counts_as_no_build() {
    let (folder, cache) = (folder(), folder());
    let units = |more: &[&str]| {
        let cache = cache.path().to_str().unwrap();
        run(folder.path(), &[&["--each", "--take", "--cache", cache], more].concat())
    };
    write(folder.path(), "echo alone > $out");
    lock(folder.path());
    let first = good(&units(&[]));
    assert!(outcomes(folder.path()).iter().all(|(_, outcome)| outcome == "built"));
    fs::rename(folder.path().join("record"), folder.path().join("first")).unwrap();
    // What is edited is built, and the rest taken.
    write(folder.path(), "echo other > $out");
    let second = units(&["--out", "out"]);
    assert!(said(&second).contains("taken   dice: built earlier, and not again"), "{}", said(&second));
    let changed: Vec<_> =
        outcomes(folder.path()).into_iter().filter(|(_, outcome)| outcome == "built").collect();
    assert_eq!(changed, [("alone".to_owned(), "built".to_owned())]);
    let line = |text: &str, name: &str| text.lines().find(|line| line.ends_with(name)).unwrap().to_owned();
    let second = good(&second);
    assert_eq!(line(&first, "  both"), line(&second, "  both"));
    assert_ne!(line(&first, "  alone"), line(&second, "  alone"));
    assert_eq!(fs::read_to_string(folder.path().join("out/twin")).unwrap(), "two\n");
    // Two records of which one has taken are no two builds.
    let compared =
        groundup().current_dir(folder.path()).args(["compare", "first", "record"]).output().unwrap();
    let text = String::from_utf8_lossy(&compared.stdout).into_owned() + &said(&compared);
    assert_ne!(compared.status.code(), Some(0), "{text}");
    assert!(text.contains("taken: built earlier by another run"), "{text}");
    // What was altered in the cache is built again.
    for nar in fs::read_dir(cache.path().join("units/nar")).unwrap() {
        fs::write(nar.unwrap().path(), "nix-archive-1").unwrap();
    }
    assert_eq!(good(&units(&[])), second);
    assert!(outcomes(folder.path()).iter().all(|(_, outcome)| outcome == "built"));
}

/// Units on the host share its kernel, and what they build follows from more than a key could say.
#[test]
fn a_record_of_units_on_the_host_says_what_is_not_pinned() {
    let folder = folder();
    write(folder.path(), "echo alone > $out");
    lock(folder.path());
    let parameters = |machine: &str| {
        let words = ["run", "graph.ron", "--machine", machine, "--each", "--record", "record"];
        good(&groundup().current_dir(folder.path()).args(words).output().unwrap());
        let text = fs::read_to_string(folder.path().join("record")).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        record["predicate"]["buildDefinition"]["internalParameters"].clone()
    };
    let (host, native) = (parameters("host"), parameters("native"));
    assert_ne!(host["carriedOver"], serde_json::json!([]));
    assert_eq!(native["carriedOver"], serde_json::json!([]));
    assert_eq!(
        (&host["units"]["dice"]["key"], host["units"]["dice"]["taken"].as_bool()),
        (&Value::Null, Some(false))
    );
    assert!(native["units"]["dice"]["key"].is_string(), "{native:#}");
}

#[test]
fn a_step_that_fails_stops_what_needs_it_and_with_keep_going_nothing_else() {
    let folder = folder();
    write(folder.path(), "exit 3");
    lock(folder.path());
    let failed = run(folder.path(), &["--each", "--keep-going", "--jobs", "2"]);
    assert_eq!(failed.status.code(), run(folder.path(), &["--keep-going"]).status.code());
    let text = said(&failed);
    assert!(text.contains("failed  alone") && text.contains("built   both"), "{text}");
    let refused = groundup()
        .current_dir(folder.path())
        .args(["run", "graph.ron", "--machine", "host", "--each", "--take"])
        .output();
    let refused = refused.unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("take --machine strict or native"), "{}", said(&refused));
}
