//! Builds whose reasons to differ are known, and what `groundup probe` says of them.

use super::groundup;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// `graphs/unreproducible/NAME.ron`
pub fn graph(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/unreproducible");
    folder.join(name).with_extension("ron")
}

/// What stands above each derivation of such a graph: the sets of variations that it differs with.
pub fn reasons(graph: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(graph).unwrap();
    let mut reasons = BTreeMap::new();
    let mut above: Option<&str> = None;
    for line in text.lines().map(str::trim) {
        let stated = line.strip_prefix("// differs with: ").or_else(|| line.strip_prefix("// expected: "));
        if let Some(stated) = stated {
            above = Some(stated);
        } else if let Some(stated) = above.take() {
            let name = line.split('"').nth(1).unwrap_or_else(|| panic!("no derivation under `{stated}`"));
            let sets = stated.split("; ").filter(|set| *set != "nothing").map(str::to_owned);
            reasons.insert(name.to_owned(), sets.collect());
        }
    }
    reasons
}

/// `groundup probe GRAPH --again`, with more arguments.
pub fn probe(graph: &Path, arguments: &[&str]) -> Output {
    let mut command = groundup();
    command.arg("probe").arg(graph).args(["--again", "--timeout", "1800"]).args(arguments);
    command.output().unwrap()
}

/// The same as JSON. It must have found out something, whatever that is.
pub fn report(graph: &Path, arguments: &[&str]) -> Value {
    let output = probe(graph, &[arguments, &["--json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
}

/// What is told of a step.
pub fn step_of<'a>(report: &'a Value, step: &str) -> &'a Value {
    report["steps"].as_array().unwrap().iter().find(|told| told["name"] == step).unwrap()
}

/// What is blamed for a step: each smallest set of variations.
pub fn blamed(report: &Value, step: &str) -> BTreeSet<String> {
    let causes = step_of(report, step)["causes"].as_array().unwrap();
    causes.iter().map(|cause| cause["vary"].as_str().unwrap().to_owned()).collect()
}

/// Every step that took more builds than a step may.
pub fn dear(report: &Value) -> Vec<String> {
    let steps = report["steps"].as_array().unwrap().iter();
    let builds = steps.map(|step| (step["name"].to_string(), step["builds"].as_u64().unwrap()));
    builds
        .filter(|(_, builds)| *builds > 60)
        .map(|(step, builds)| format!("{step}: {builds} builds"))
        .collect()
}

/// Every step that is blamed for something else than stands above it, or of which it is not told where it differs.
pub fn wrong(report: &Value, reasons: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut wrong = dear(report);
    for (step, stated) in reasons {
        let found = blamed(report, step);
        if found != *stated {
            wrong.push(format!("{step}: {found:?}, not {stated:?}"));
        }
        for cause in step_of(report, step)["causes"].as_array().unwrap() {
            let place = &cause["differences"][0];
            if place["bytes"]["control"] == place["bytes"]["varied"] {
                wrong.push(format!("{step}: no bytes that differ with {}: {place}", cause["vary"]));
            }
        }
    }
    wrong
}
