//! `groundup probe` on builds whose reason to differ is known: what is found, what is blamed, and that the same seed gives the
//! same report.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::groundup;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/unreproducible/shell.ron")
}

fn probe(arguments: &[&str]) -> Output {
    support::need("qemu-system-x86_64", "qemu-system-x86");
    groundup()
        .arg("probe")
        .arg(cases())
        .args(["--again", "--timeout", "600"])
        .args(arguments)
        .output()
        .unwrap()
}

fn report(arguments: &[&str]) -> Value {
    let output = probe(&[arguments, &["--json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
}

/// What is blamed for a step: each smallest set of variations.
fn blamed<'a>(report: &'a Value, step: &str) -> BTreeSet<&'a str> {
    let steps = report["steps"].as_array().unwrap();
    let step = steps.iter().find(|told| told["name"] == step).unwrap();
    step["causes"].as_array().unwrap().iter().map(|cause| cause["vary"].as_str().unwrap()).collect()
}

/// What the plan and the probe vary, without other machines: few boots.
const PLAIN: &str = "input-times,uname,build-path,date,time-zone,locale,entries-reversed,umask-077,random-numbers,\
    cpu-count,stack-base,host-name,user-id,home,environment";

#[test]
fn each_reason_is_found_and_nothing_else_is_blamed() {
    let steps = [
        ("archive-times-and-owners", &["input-times"][..]),
        ("architecture-uname", &["uname"]),
        ("path-written", &["build-path"]),
        ("time-year", &["date", "time-zone"]),
        ("locale", &["locale"]),
        ("order-find", &["entries-reversed"]),
        ("permission", &["umask-077"]),
        ("random-uuid", &["random-numbers"]),
        ("random-processors", &["cpu-count"]),
        ("name-host", &["host-name"]),
        ("user-id", &["user-id"]),
        ("pair-umask-and-host", &["umask-077+host-name"]),
        ("clean-sorted", &[]),
    ];
    let names: Vec<_> = steps.iter().map(|(name, _)| *name).collect();
    let report = report(&["--vary", PLAIN, "--step", &names.join(",")]);
    for (step, expected) in steps {
        let found = blamed(&report, step);
        assert_eq!(found, expected.iter().copied().collect::<BTreeSet<_>>(), "{step}");
    }
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let steps =
        ["--step", "order-find,random-mktemp,clean-text", "--vary", "entries-shuffled,random-numbers,date"];
    let [first, second, other] = ["5", "5", "6"].map(|seed| probe(&[&steps[..], &["--seed", seed]].concat()));
    assert_eq!(first.status.code(), Some(1), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(first.stdout, second.stdout);
    assert_ne!(first.stdout, other.stdout);
}

#[test]
fn what_can_not_be_varied_says_so() {
    let report = report(&["--machine", "host", "--step", "time-year", "--vary", "date,cpu,umask-077"]);
    let cells = &report["steps"].as_array().unwrap().iter().find(|step| step["name"] == "time-year").unwrap()
        ["variations"];
    assert_eq!(cells["date"]["more"], "not in host, whose clock is shared");
    assert_eq!(cells["cpu"]["result"], "not varied");
    assert_eq!(cells["umask-077"]["result"], "same");
    assert_eq!(probe(&["--vary", "nothing"]).status.code(), Some(2));
    assert_eq!(probe(&["--step", "nothing"]).status.code(), Some(2));
}
