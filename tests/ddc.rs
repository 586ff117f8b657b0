//! Diverse double compilation: five compilers make the same compiler; a Trojan horse that rebuilding with itself does not show
//! is shown, and the lane that has it named; lanes that fail or are stopped leave their records and nothing else.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{folder, graph, groundup, machines, need, run, send};

/// Where nothing but the hashes matters: they are the same on every machine, and this one is the fastest.
const HOST: [&str; 2] = ["--machine", "host"];

/// `graphs/NAME.ron`
fn real(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs").join(name).with_extension("ron")
}

/// Lanes of a graph, ended: exit status, verdicts, and where the records are.
struct Lanes {
    status: Option<i32>,
    report: Value,
    said: String,
    records: tempfile::TempDir,
}

fn ddc(graph: &Path, machine: &[&str], arguments: &[&str]) -> Lanes {
    need("qemu-system-x86_64", "qemu-system-x86");
    let records = folder();
    let mut command = groundup();
    command.arg("ddc").arg(graph).args(machine).args(arguments).args([
        "--json",
        "--timeout",
        "600",
        "--record-dir",
    ]);
    let output = command.arg(records.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    Lanes { status: output.status.code(), report, said, records }
}

impl Lanes {
    /// The verdict on each output, in the plan's order.
    fn verdicts(&self) -> Vec<(&str, &str)> {
        let outputs = self.report["outputs"].as_array().unwrap().iter();
        outputs.map(|output| (text(&output["name"]), text(&output["verdict"]))).collect()
    }

    fn verdict(&self, name: &str) -> &str {
        self.verdicts().iter().find(|(output, _)| *output == name).unwrap().1
    }

    /// The hash of an output that a lane's record holds.
    fn recorded(&self, lane: &str, output: &str) -> Option<String> {
        let text = fs::read_to_string(self.records.path().join(format!("{lane}.json"))).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        let subjects = record["subject"].as_array().unwrap();
        let subject = subjects.iter().find(|subject| subject["name"] == output)?;
        subject["digest"]["sha256"].as_str().map(str::to_owned)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Five compilers make the same compiler. One of them is built in its lane, from 533 bytes.
fn agree(machine: &[&str]) {
    let lanes = ddc(&real("tcc"), machine, &["--over", "cc"]);
    assert_eq!(lanes.status, Some(0), "{}", lanes.said);
    let verdicts = lanes.verdicts();
    let first = verdicts.iter().position(|(name, _)| *name == "stage1").unwrap();
    assert!(verdicts[..first].iter().all(|(_, verdict)| *verdict == "one lane only"), "{}", lanes.report);
    assert_eq!(verdicts[first - 1].0, "sapling");
    // The first stage is the twin: there was something to agree on.
    assert_eq!(verdicts[first].1, "expected to differ");
    assert_eq!(lanes.report["outputs"][first]["groups"].as_array().unwrap().len(), 5);
    assert!(verdicts[first + 1..].iter().all(|(_, verdict)| *verdict == "agrees"), "{}", lanes.report);
    assert_eq!((&lanes.report["agree"], &lanes.report["apart"]), (&json!(true), &json!([])));
    let stage = |lane, number: u8| lanes.recorded(lane, &format!("stage{number}")).unwrap();
    for lane in ["clang", "gcc", "ladder", "tcc", "zig"] {
        assert_eq!(stage(lane, 2), stage("tcc", 3), "{lane}");
        assert_ne!(stage(lane, 1), stage(lane, 2), "{lane}");
    }
}

#[test]
fn five_compilers_agree_on_the_strict_machine() {
    agree(&[]);
}

#[test]
fn five_compilers_agree_on_the_host() {
    agree(&HOST);
}

#[test]
fn machines_are_lanes_too() {
    let lanes = ddc(&real("tcc"), &["--machine", "strict,host"], &["--over", "cc", "--choices", "tcc"]);
    assert_eq!(lanes.status, Some(0), "{}", lanes.said);
    for lane in ["tcc@strict", "tcc@host"] {
        assert!(lanes.recorded(lane, "stage3").is_some(), "{lane}");
    }
    // What is varied is the same in both.
    assert_eq!(lanes.verdict("stage1"), "agrees");
}

#[test]
fn rebuilding_a_trojan_horse_with_itself_does_not_show_it() {
    let trojaned = run(Some(&real("trojan")), &["--choose", "cc=trojaned"]);
    assert_eq!(trojaned.status, Some(0), "{}", trojaned.stderr);
    // From clean source it makes itself again, as an honest compiler does.
    assert_eq!(trojaned.hash("stage1"), trojaned.hash("trojan"));
    assert_eq!(trojaned.hash("stage3"), trojaned.hash("stage2"));
    assert_eq!(
        trojaned.log("greeting"),
        ["Compiled by a Trojan horse that is in no source.", "Hello, world."]
    );
    let honest = run(Some(&real("trojan")), &["--choose", "cc=tcc", "--machine", "host"]);
    assert_eq!(honest.hash("stage3"), honest.hash("stage2"));
    assert_eq!(honest.log("greeting"), ["Hello, world."]);
}

#[test]
fn lanes_show_a_trojan_horse_and_who_has_it() {
    let lanes = ddc(&real("trojan"), &HOST, &["--over", "cc", "--choices", "gcc,tcc,trojaned"]);
    assert_eq!(lanes.status, Some(1), "{}", lanes.said);
    for (output, verdict) in [
        ("trojan", "one lane only"),
        ("stage1", "expected to differ"),
        ("libtcc1.a", "agrees"),
        ("stage2", "differs"),
        ("stage3", "differs"),
        ("hello", "differs"),
        ("greeting", "agrees"),
    ] {
        assert_eq!(lanes.verdict(output), verdict, "{output}");
    }
    let apart = json!([{ "lanes": ["trojaned"], "outputs": ["stage2", "stage3", "hello"] }]);
    assert_eq!((&lanes.report["apart"], &lanes.report["agree"]), (&apart, &json!(false)));
    let stage3 = |lane| lanes.recorded(lane, "stage3").unwrap();
    assert_eq!(stage3("gcc"), stage3("tcc"));
    assert_ne!(stage3("trojaned"), stage3("tcc"));
}

/// Mes takes minutes even on the host: that it can be built is checked as far as it costs nothing.
#[test]
fn mes_has_a_plan() {
    let output = groundup().arg("plan").arg(real("mes")).args(["--choose", "cc=tcc"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plan = String::from_utf8(output.stdout).unwrap();
    // As a NAR, the file with the sha256 that stands in the graph's head.
    assert!(plan.contains("3623ed1f1be35b5e3b8e00f38347617b3d44194139021db8df183d7368f20667"), "{plan}");
}

#[test]
fn a_person_reads_who_stands_alone() {
    let mut command = groundup();
    command.arg("ddc").arg(graph("lanes")).args([
        "--over",
        "way",
        "--choices",
        "one,odd,other",
        "--jobs",
        "1",
    ]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("odd stands alone: 1 output of its own, from second on."), "{said}");
    assert!(said.contains("3 lanes, 2 outputs. expected to differ: 1, differs: 1."), "{said}");
    assert_eq!(said.lines().filter(|line| line.ends_with("  one other")).count(), 1, "{said}");
}

#[test]
fn a_lane_that_fails_leaves_its_record_and_no_verdict() {
    let lanes = ddc(&graph("lanes"), &HOST, &["--over", "way", "--choices", "one,other,broken"]);
    assert_eq!(lanes.status, Some(1), "{}", lanes.said);
    assert_eq!(lanes.verdicts(), [("first", "expected to differ"), ("second", "inconclusive")]);
    let broken = &lanes.report["lanes"][2];
    assert_eq!(broken["failed"], json!([{ "step": "first", "reason": "exit status 3" }]));
    assert_eq!(lanes.report["outputs"][1]["missing"], json!(["broken"]));
    assert_eq!(lanes.recorded("broken", "second"), None);
    assert_eq!(lanes.recorded("one", "second"), lanes.recorded("other", "second"));
}

#[test]
fn several_inputs_are_varied_together() {
    let lanes = ddc(&graph("lanes"), &HOST, &["--over", "way,end", "--choices", "way=one,way=other"]);
    let names: Vec<_> =
        lanes.report["lanes"].as_array().unwrap().iter().map(|lane| text(&lane["name"])).collect();
    assert_eq!(names, ["one,full", "one,half", "other,full", "other,half"]);
    assert_eq!((lanes.status, lanes.verdict("second")), (Some(0), "agrees"), "{}", lanes.said);
}

#[test]
fn ctrl_c_ends_all_lanes() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let kernel = groundup().arg("kernel").output().unwrap();
    let kernel = String::from_utf8(kernel.stdout).unwrap();
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let mut command = groundup();
    command.arg("ddc").arg(graph("lanes")).args([
        "--over",
        "way",
        "--choices",
        "endless,forever",
        "--jobs",
        "2",
    ]);
    command.args(["--kernel", kernel.trim().split_once("  ").unwrap().1, "--json"]);
    command.arg("--cache").arg(at("cache")).arg("--record-dir").arg(at("records"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while machines(folder.path()).len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(120), "the lanes never began");
        std::thread::sleep(Duration::from_millis(50));
    }
    send("INT", &child);
    let asked = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["lanes"][1]["error"], "cancelled by a signal");
    assert_eq!(machines(folder.path()), [""; 0]);
    assert_eq!(fs::read_dir(at("cache/tmp")).unwrap().count(), 0);
    for lane in ["endless", "forever"] {
        let record = fs::read_to_string(at("records").join(format!("{lane}.json"))).unwrap();
        assert!(record.contains("cancelled by a signal"), "{lane}: {record}");
    }
}

#[test]
fn what_can_not_be_lanes_is_said_before_anything_runs() {
    for (arguments, says) in [
        (&[][..], "one lane alone agrees with everything"),
        (&["--over", "way", "--choices", "one"], "one lane alone agrees with everything"),
        (&["--over", "wax"], "--over: the graph has no choice `wax`"),
        (&["--over", "way,way"], "--over: `way` is named twice"),
        (&["--over", "way", "--choices", "one,two"], "--choices: the choice `way` has no alternative `two`"),
        (&["--over", "way", "--choices", "one,one"], "two lanes would be the same"),
        (&["--over", "way,end", "--choices", "one"], "--choices one: of which input?"),
        (&["--over", "way", "--choose", "way=one"], "--choose way=one: `way` is varied"),
        (&["--over", "way", "--choose", "end=x"], "the choice `end` has no alternative `x`"),
        (&["--over", "way", "--record-dir", "/dev/null/x"], "--record-dir /dev/null/x"),
        // It takes no derivations, and so nothing that only these need.
        (&["--over", "way", "--store", "."], "unexpected argument '--store'"),
    ] {
        let output = groundup().arg("ddc").arg(graph("lanes")).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
        assert_eq!(output.stdout, b"");
    }
}
