//! `groundup probe` on builds whose reasons to differ are known: what is found, what is blamed, that the same seed gives the same
//! report, what it does when it is to end early, and what it remembers.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use support::cases::{self, blamed, probe, reasons, report, step_of, wrong};
use support::groundup;

fn shell() -> PathBuf {
    support::need("qemu-system-x86_64", "qemu-system-x86");
    cases::graph("shell")
}

/// In `strict`, what only that can vary, and some of what the machine host is tried with too (tests/probe_cases.rs);
/// `tests/probe-cases shell` tries all.
#[test]
fn every_reason_is_found_and_nothing_else_is_blamed() {
    let steps = [
        "architecture-uname",
        "architecture-cpu",
        "architecture-memory",
        "random-variable",
        "time-seconds",
        "time-tar-gzip",
        "address-heap",
        "pair-path-and-locale",
        "clean-text",
        "clean-hash",
    ];
    let report = report(&shell(), &["--step", &steps.join(",")]);
    let mut reasons = reasons(&shell());
    assert_eq!(reasons.len(), report["steps"].as_array().unwrap().len());
    reasons.retain(|step, _| steps.contains(&step.as_str()));
    assert_eq!(reasons.len(), steps.len());
    let wrong = wrong(&report, &reasons);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let steps =
        ["--step", "order-find,random-mktemp,clean-text", "--vary", "entries-shuffled,random-numbers,date"];
    // However many machines run at once.
    let runs = [("5", "1"), ("5", "2"), ("6", "2")];
    let [first, second, other] =
        runs.map(|(seed, jobs)| probe(&shell(), &[&steps[..], &["--seed", seed, "--jobs", jobs]].concat()));
    assert_eq!(first.status.code(), Some(1), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(first.stdout, second.stdout);
    assert_ne!(first.stdout, other.stdout);
}

#[test]
fn what_is_replayed_differs_in_the_same_bytes() {
    let step = ["--step", "random-uuid", "--vary"];
    let found = report(&shell(), &[&step[..], &["randomness", "--seed", "7"]].concat());
    let cause = &step_of(&found, "random-uuid")["causes"][0];
    let again = cause["replay"].as_str().unwrap();
    let words: Vec<&str> = again.split(' ').skip(3).filter(|word| *word != "--again").collect();
    let again = report(&shell(), &words);
    assert_eq!(step_of(&again, "random-uuid")["causes"][0]["differences"], cause["differences"]);
}

/// A verdict says no more than was shown, and what was asked for by name and not answered is no success.
#[test]
fn what_can_not_be_varied_says_so() {
    let step = ["--machine", "host", "--step", "clean-text"];
    let run = |vary: &str| {
        let output = probe(&shell(), &[&step[..], &["--json", "--vary", vary]].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), step_of(&report, "clean-text").clone(), report["not_varied"].clone(), text)
    };
    let (status, step, not_varied, said) = run("cpu,umask-077");
    assert_eq!(status, Some(1));
    assert!(said.contains("asked for by name, and not varied in every step: cpu"), "{said}");
    assert_eq!(step["state"], "same in what was varied");
    assert_eq!(step["variations"]["cpu"]["result"], "not varied");
    assert_eq!(step["variations"]["umask-077"]["result"], "same");
    assert_eq!(not_varied[0]["vary"], "cpu");
    // So does a subject, and a set.
    assert_eq!(run("architecture information").0, Some(1));
    assert_eq!(run("cpu+home").0, Some(1));
    // A part of what there is is all that was asked for, and no more was shown.
    let (status, step, not_varied, _) = run("umask-077");
    assert_eq!((status, &step["state"]), (Some(0), &"same in what was varied".into()));
    assert_eq!(not_varied, serde_json::json!([]));
    // What a machine can never vary there is listed, and does not count.
    let (status, step, _, _) = run("all");
    assert_eq!((status, &step["state"]), (Some(0), &"same in what was varied".into()));
    assert_eq!(step["variations"]["cpu"]["result"], "not varied");
    // Though the host's clock is not touched.
    let report = report(&shell(), &["--machine", "host", "--step", "time-year", "--vary", "date,locale"]);
    let cells = &step_of(&report, "time-year")["variations"];
    assert_eq!(cells["date"]["result"], "differs");
    // It makes no difference, but there is none that could.
    assert_eq!(cells["locale"]["more"], "no such locale among the inputs");
    assert_eq!(probe(&shell(), &["--vary", "nothing"]).status.code(), Some(2));
    assert_eq!(probe(&shell(), &["--step", "nothing"]).status.code(), Some(2));
}

/// Later boots are not waited for, and a report says what was not tried; which that is does not depend on how many machines run.
#[test]
fn the_first_difference_ends_it() {
    let first = |step: &str, jobs: &str| {
        let output = probe(&shell(), &["--step", step, "--first", "--json", "--jobs", jobs]);
        (output.status.code(), output.stdout)
    };
    let one = first("archive-modes", "1");
    assert_eq!(one.0, Some(1));
    assert_eq!(one, first("archive-modes", "2"));
    let early: serde_json::Value = serde_json::from_slice(&one.1).unwrap();
    assert_eq!(blamed(&early, "archive-modes"), ["input-modes".to_owned()].into());
    assert_eq!(step_of(&early, "archive-modes")["variations"]["home"]["result"], "not varied");
    assert!(early["builds"].as_u64().unwrap() < 12, "{}", early["builds"]);
    // Where there is none, everything is tried.
    let clean = first("clean-text", "2");
    assert_eq!(clean.0, Some(0), "{}", String::from_utf8_lossy(&clean.1));
}

#[test]
fn a_signal_ends_it_at_any_time() {
    let folder = support::folder();
    for after in [300, 1500, 4000] {
        let begun = Instant::now();
        let mut child = groundup()
            .arg("probe")
            .arg(shell())
            .args(["--again", "--step", "order-find,user-id,pair-umask-and-host"])
            .env("TMPDIR", folder.path())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(after));
        if child.try_wait().unwrap().is_none() {
            support::send("INT", &child);
        }
        let asked = Instant::now();
        let status = child.wait().unwrap();
        assert!(matches!(status.code(), Some(1 | 3)) || after < 1000, "{status} after {:?}", begun.elapsed());
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
}

/// What differs only because of what it is given says so, however many steps that came through, and whatever of several
/// differences it was that came through.
#[test]
fn what_inherits_what_was_inherited_is_named() {
    let folder = support::folder();
    // To be pasted into a shell, this has to be quoted.
    let graph = folder.path().join("it's a graph.ron");
    let text = fs::read_to_string(shell()).unwrap();
    let seeds = text.split_once("    sources: {").unwrap().0;
    let step = |name: &str, script: &str, inputs: &str| {
        format!(
            r#"        "{name}": ( builder: "/store/busybox/bin/busybox", args: ["sh", "-c", "{script}"], env: {{"PATH": "/store/busybox/bin"}}, inputs: ["busybox"{inputs}] ),
"#
        )
    };
    let steps = [
        step("source", "busybox hostname > $out; busybox whoami >> $out", ""),
        step("heir", "busybox tail -n 1 /store/source > $out", ", \"source\""),
        step("next", "cat /store/heir > $out", ", \"heir\""),
        step("clean", "busybox wc -l < /store/heir > $out", ", \"heir\""),
        step("last", "cat /store/next > $out", ", \"next\""),
    ];
    let targets = "    },\n    targets: [\"last\", \"clean\"],\n)\n";
    fs::write(&graph, format!("{seeds}    derivations: {{\n{}{targets}", steps.concat())).unwrap();
    fs::copy(shell().with_extension("lock.ron"), graph.with_extension("lock.ron")).unwrap();
    let report = report(&graph, &["--machine", "host", "--vary", "host-name,user-name"]);
    let giver = |step: &str| step_of(&report, step)["inherits"].clone();
    assert_eq!(blamed(&report, "source"), ["host-name".to_owned(), "user-name".to_owned()].into());
    assert_eq!((giver("heir"), giver("next")), ("source".into(), "heir".into()));
    assert_eq!((giver("source"), giver("clean")), (serde_json::Value::Null, serde_json::Value::Null));
    // What it needs by way of others is built, too.
    let alone = cases::report(&graph, &["--machine", "host", "--vary", "host-name", "--step", "last"]);
    assert_eq!(step_of(&alone, "last")["state"], "same in what was varied");
    let again = step_of(&report, "source")["causes"][0]["replay"].as_str().unwrap();
    let again = again.strip_prefix("groundup").unwrap();
    let program = groundup();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("\"$0\"{again}")]).arg(program.get_program());
    let replayed = shell.output().unwrap();
    assert_eq!(replayed.status.code(), Some(1), "{}", String::from_utf8_lossy(&replayed.stderr));
    assert!(String::from_utf8_lossy(&replayed.stdout).contains("source: not reproducible"));
}

/// A step that never ends where something is varied is a failed one, soon.
#[test]
fn a_step_that_hangs_is_ended() {
    let folder = support::folder();
    let text = fs::read_to_string(shell()).unwrap();
    let (head, _) = text.split_once("    derivations: {").unwrap();
    let graph = folder.path().join("hang.ron");
    let step = r#"    derivations: {
        "hang": ( builder: "/store/busybox/bin/busybox", args: ["sh", "-c", "while [ $(umask) = 0077 ]; do :; done; : > $out"], inputs: ["busybox"] ),
    },
    targets: ["hang"],
)
"#;
    // The note is not used here.
    let seeds = head.split_once("    sources: {").unwrap().0;
    fs::write(&graph, format!("{seeds}{step}")).unwrap();
    fs::copy(shell().with_extension("lock.ron"), folder.path().join("hang.lock.ron")).unwrap();
    let report = report(&graph, &["--machine", "host", "--vary", "umask-002,umask-077"]);
    let cells = &step_of(&report, "hang")["variations"];
    assert_eq!(cells["umask-002"]["result"], "same");
    assert_eq!(cells["umask-077"]["result"], "failed");
    assert!(cells["umask-077"]["more"].as_str().unwrap().contains("time"), "{}", cells["umask-077"]);
}

#[test]
fn what_was_found_out_is_known_and_is_not_built_again() {
    let folder = support::folder();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |arguments: &[&str]| {
        let output = groundup().arg("probe").arg(shell()).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), output.stderr)
    };
    let cache = ["here", "there"].map(path);
    let steps = ["--machine", "host", "--step", "user-home,clean-text"];
    let record = path("found.json");
    let here = ["--cache", &cache[0]];
    let (status, first, stderr) = run(&[&steps[..], &here, &["--record", &record]].concat());
    assert_eq!(status, Some(1), "{}", String::from_utf8_lossy(&stderr));
    assert!(first.contains("user information (home): another home directory"), "{first}");
    // Without building, with the reason; what is reproducible is none of these.
    let (status, known, _) = run(&[&steps[..], &here, &["--known"]].concat());
    assert_eq!(status, Some(1));
    assert!(
        known.contains("user-home: not reproducible\n  known from before, not built now (host, "),
        "{known}"
    );
    assert!(known.contains("clean-text: not probed") && known.contains("0 builds in 0 boots"), "{known}");
    assert!(known.contains("Known from before, not built now: 1."), "{known}");
    // Only what is not known is probed;
    let (_, again, _) = run(&[&steps[..], &here].concat());
    assert!(
        again.contains("known from before") && again.contains("clean-text: same in what was varied"),
        "{again}"
    );
    // what is asked for by name is; and what host found does not answer for strict, nor under another seed.
    let step = ["--machine", "host", "--step", "user-home"];
    let (_, named, _) = run(&[&step[..], &here, &["--vary", "home"]].concat());
    assert!(!named.contains("known from before") && named.contains("groundup probe"), "{named}");
    let (_, seed, _) = run(&[&step[..], &here, &["--seed", "2"]].concat());
    assert!(!seed.contains("known from before"), "{seed}");
    let (status, strict, _) = run(&[&here[..], &["--known", "--step", "user-home"]].concat());
    assert!(status == Some(0) && strict.contains("user-home: not probed"), "{strict}");

    // Elsewhere nothing is known but what somebody signed.
    let sign = |arguments: &[&str]| {
        let output = groundup().args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    sign(&["key", "new", &path("alice"), "--comment", "alice"]);
    sign(&["key", "new", &path("eve"), "--comment", "eve"]);
    sign(&["sign", &record, "--key", &path("alice")]);
    let signed = path("found.dsse.json");
    let there = ["--cache", &cache[1], "--known"];
    let by = |who: &str| run(&[&steps[..], &there, &["--others", &signed, "--keys", &path(who)]].concat());
    let (status, known, _) = by("alice.pub");
    assert_eq!(status, Some(1));
    assert!(known.contains("known from before by alice, not built now (host, "), "{known}");
    let (status, _, stderr) = by("eve.pub");
    assert_eq!(status, Some(2));
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(stderr.contains("none of the given keys signed it"), "{stderr}");
    let mut altered: serde_json::Value = serde_json::from_str(&fs::read_to_string(&signed).unwrap()).unwrap();
    let payload = altered["payload"].as_str().unwrap();
    let other = if &payload[80..81] == "A" { "B" } else { "A" };
    altered["payload"] = format!("{}{other}{}", &payload[..80], &payload[81..]).into();
    fs::write(&signed, altered.to_string()).unwrap();
    assert_eq!(by("alice.pub").0, Some(2));
}

#[test]
fn the_page_is_shown_by_a_browser_and_loads_nothing() {
    support::need("chromium", "chromium");
    let folder = support::folder();
    let page = folder.path().join("page.html");
    let steps = ["--machine", "host", "--step", "user-home,order-find,clean-text", "--report"];
    let output = probe(&shell(), &[&steps[..], &[page.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(1));
    let text = fs::read_to_string(&page).unwrap();
    assert!(!text.contains("http") && !text.contains("<script") && !text.contains("@import"), "{text}");
    let picture = folder.path().join("page.png");
    let browser = |arguments: &[&str]| {
        let output = std::process::Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,1600"])
            .arg(format!("--user-data-dir={}", folder.path().join("browser").display()))
            .args(arguments)
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let shown = browser(&["--dump-dom"]);
    for part in [
        "<svg",
        "<td class=\"differs\"",
        "<td class=\"same\"",
        "user-home: not reproducible",
        "clean-text: same in what was varied",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    browser(&[&format!("--screenshot={}", picture.display())]);
    // An empty page of this size is a few kilobytes.
    assert!(fs::metadata(&picture).unwrap().len() > 20_000);
}
