//! A step sees nothing that it did not declare: a step lists its root, its processes, mounts, devices, network, environment,
//! identity, limits and capabilities (`graphs/list.sh`), and the list is pinned. `SNAPSHOTS=overwrite` renews it.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use snapbox::{IntoData, assert_data_eq, file};
use std::sync::LazyLock;
use support::{Run, graph, run};

static RUN: LazyLock<Run> = LazyLock::new(|| run(Some(&graph("isolation")), &["--kernel", "debian"]));

fn listing(step: &str) -> String {
    RUN.log(step).join("\n").replace(step, "STEP") + "\n"
}

#[test]
fn the_minimal_kernel_shows_the_same_but_has_no_keys() {
    let minimal = run(Some(&graph("isolation")), &["--kernel", "minimal"]);
    assert_eq!(minimal.status, Some(0), "{}", minimal.stderr);
    // Nor has it a system request key.
    let known = |line: &&str| !line.contains("keys") && !line.contains("sysrq-trigger");
    let lines = |run: &Run| run.log("list-1").into_iter().filter(known).collect::<Vec<_>>().join("\n");
    assert_data_eq!(lines(&minimal), lines(&RUN).raw());
}

#[test]
fn a_step_sees_only_what_it_declares() {
    assert_eq!(RUN.status, Some(0), "{}", RUN.stderr);
    assert_data_eq!(listing("list-1"), file!["snapshots/isolation.txt"].raw());
}

#[test]
fn a_step_does_not_see_what_ran_before_it() {
    assert_data_eq!(listing("list-3"), listing("list-1").raw());
    assert_eq!(RUN.hash("list-3"), RUN.hash("list-1"));
}

#[test]
fn the_step_in_between_was_there_to_be_seen() {
    // It slept for a thousand seconds, which pass at once where the CPU has nothing else to do.
    let long = |event: &qemu::Event| match event {
        qemu::Event::Built { name, milliseconds } => name == "list-2-noise" && *milliseconds > 1_000_000,
        _ => false,
    };
    assert!(RUN.events().any(long));
}
