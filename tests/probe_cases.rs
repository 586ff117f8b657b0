//! `groundup probe` on builds with real tools, whose reasons to differ are known: gcc, tcc, ar, ld, make, tar, gzip, zip, sort, Perl,
//! Python. Here on the machine `host`, where they take seconds; `tests/probe-cases` runs them in `strict`, where the clock, the CPU
//! and the kernel can be varied too.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;
use support::cases::{self, blamed, reasons, report, step_of, wrong};

/// Whether it can be varied on this machine.
fn is_varied(set: &str) -> bool {
    !set.split('+')
        .any(|one| matches!(one, "cpu" | "board" | "memory-size" | "kernel" | "entropy" | "seed-version"))
}

fn found_on_host(name: &str, steps: &[&str]) {
    let graph = cases::graph(name);
    let only = steps.join(",");
    let only = if steps.is_empty() { vec![] } else { vec!["--step", only.as_str()] };
    let report = report(&graph, &[&["--machine", "host"][..], &only].concat());
    let mut wrong = cases::dear(&report);
    let probed = |step: &String| steps.is_empty() || steps.contains(&step.as_str());
    for (step, stated) in reasons(&graph).into_iter().filter(|(step, _)| probed(step)) {
        let found = blamed(&report, &step);
        let noisy = step_of(&report, &step)["noisy"] == true;
        // What the clock says differs by itself here, and so may what depends on the time that something takes.
        let by_itself = |set: &String| noisy && set == "scheduling";
        // Another kernel draws other addresses, or none.
        let also =
            |set: &String| set == "layout" && (stated.contains("map-base") || stated.contains("stack-base"));
        // This host has several CPUs, and its kernel is not that of the machine: pairs with those are no pairs here.
        let pair = stated.iter().any(|set| set.contains('+'));
        let missing: BTreeSet<_> = stated
            .iter()
            .filter(|set| is_varied(set) && !found.contains(*set) && !also(set) && !pair)
            .collect();
        let more: BTreeSet<_> = found
            .iter()
            .filter(|set| !stated.contains(*set) && !by_itself(set) && !also(set) && !pair)
            .collect();
        if !(missing.is_empty() && more.is_empty()) {
            wrong.push(format!("{step}: not found {missing:?}, wrongly blamed {more:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn busybox_alone() {
    found_on_host("shell", &[]);
}

#[test]
fn compilers_and_their_like() {
    found_on_host("compilers", &[]);
}

#[test]
fn python() {
    let steps = [
        "set-order",
        "object-order",
        "module-path",
        "module-input-time",
        "temporary-name",
        "list-folder",
        "processors",
        "user",
        "threads",
        "clean-dictionary",
        "clean-module",
    ];
    found_on_host("python", &steps);
}

/// Two causes in the same bytes, one that another hides, numbers that a kernel gives: a part of what `tests/probe-corpus` probes. What
/// is printed for each cause shows it again.
#[test]
fn tools_of_every_distribution() {
    let steps = ["compressed", "hidden", "temporary-name", "ls-inode", "df", "open-files", "pinned-tar"];
    found_on_host("tools", &steps);
    let report = report(&cases::graph("tools"), &["--machine", "host", "--step", "compressed"]);
    let causes = step_of(&report, "compressed")["causes"].as_array().unwrap();
    assert_eq!(causes.len(), 3);
    for cause in causes {
        let again = cause["replay"].as_str().unwrap().strip_prefix("groundup").unwrap();
        let program = support::groundup();
        let mut shell = std::process::Command::new("sh");
        let output =
            shell.args(["-c", &format!("\"$0\"{again}")]).arg(program.get_program()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{again}: {}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains(&format!("({})", cause["vary"].as_str().unwrap())), "{again}: {shown}");
    }
    // A hint belongs to what changed: of the three lines, each is named for its own cause alone.
    let hints = |cause: &serde_json::Value| cause["differences"][0]["found"].to_string();
    let of = |set: &str| causes.iter().find(|cause| cause["vary"] == set).map(hints).unwrap();
    assert!(of("host-name").contains("another-host") && !of("date").contains("another-host"));
    assert!(of("date").contains("the time in seconds") && of("user-id").contains("2345"));
}

/// What people reported, as they built it.
#[test]
fn after_public_reports() {
    found_on_host("reports/cpio-inode", &["only-inode"]);
    found_on_host("reports/pid", &["shell-pid", "statfs", "pax"]);
    found_on_host("reports/locale-missing", &["sort"]);
    found_on_host("reports/mke2fs", &["uuid-pinned"]);
    found_on_host("reports/pyc-order", &[]);
    found_on_host("reports/rcc", &[]);
    found_on_host("reports/strip-nondet", &[]);
}

/// There looks at the clock take time, and calls none: what moves the number of calls moves no clock.
#[test]
fn clocks_on_native_are_blamed_for_what_they_show_alone() {
    let probed = |name: &str, step: &str| {
        let report = report(&cases::graph(name), &["--machine", "native", "--step", step]);
        assert_eq!(cases::dear(&report), [""; 0]);
        Vec::from_iter(blamed(&report, step))
    };
    assert_eq!(probed("reports/pid", "elapsed"), ["tick"]);
    assert_eq!(probed("reports/pid", "pax"), ["date"]);
    let found = ["date", "group-id", "pid", "random-numbers", "user-id"];
    assert_eq!(probed("reports/mke2fs", "uuid-pinned"), found);
}

fn found_in_strict(name: &str, arguments: &[&str]) {
    support::need("qemu-system-x86_64", "qemu-system-x86");
    let graph = cases::graph(name);
    let begun = std::time::Instant::now();
    let report = report(&graph, arguments);
    let reasons = reasons(&graph);
    let wrong = wrong(&report, &reasons);
    println!(
        "{name}: {} of {} steps as stated; {} builds in {} boots, {:.0} s",
        reasons.len() - wrong.len(),
        reasons.len(),
        report["builds"],
        report["boots"],
        begun.elapsed().as_secs_f32()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "a quarter of an hour: tests/probe-cases"]
fn whole_compilers() {
    found_in_strict("compilers", &[]);
}

#[test]
#[ignore = "ten minutes: tests/probe-cases"]
fn whole_python() {
    let older: PathBuf = cases::graph("python-older").with_extension("lock.ron");
    found_in_strict("python", &["--other-lock", older.to_str().unwrap()]);
}

#[test]
#[ignore = "minutes, and tests/probe.rs has a part of it: tests/probe-cases"]
fn whole_shell() {
    found_in_strict("shell", &[]);
}
