//! `groundup probe` where a program for 32 bits runs, of which the shim can't vary what it sees: the report says so, and nothing that
//! was not varied counts as the same.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::cases;
use support::{busybox, folder, groundup, need};

/// The program as a builder, as a child of one, and a step without it.
fn graph(folder: &Path) -> PathBuf {
    let program = folder.join("bits");
    let mut gcc = Command::new("gcc");
    gcc.args(["-m32", "-O1", "-w", "-fno-pie", "-static", "-nostdlib", "-fno-stack-protector", "-o"])
        .arg(&program);
    assert!(gcc.arg(support::graph("bits").with_extension("c")).status().unwrap().success());
    fs::copy(busybox(), folder.join("busybox")).unwrap();
    let seed = |name: &str| {
        let sha256 = builder::hash(&fs::read(folder.join(name)).unwrap());
        format!("\"{name}-seed\": (from: [File(\"{name}\")], sha256: \"{sha256}\", executable: true), ")
    };
    let script = |name: &str, script: &str, inputs: &str| {
        let args = format!("[\"sh\", \"-c\", \"{script}; echo good > $out\"]");
        format!(
            "\"{name}\": (builder: \"/store/busybox-seed\", args: {args}, inputs: [\"busybox-seed\"{inputs}]),\n"
        )
    };
    let text = format!(
        "(seeds: {{{}{}}},\nderivations: {{\n\
         \"bits\": (builder: \"/store/bits-seed\", inputs: [\"bits-seed\"]),\n{}{}}}, targets: [\"bits\", \"child\", \"clean\"])\n",
        seed("bits"),
        seed("busybox"),
        // Its last line has no end when the child starts.
        script("child", "printf unended; /store/bits-seed; true", ", \"bits-seed\""),
        script("clean", "true", "")
    );
    let path = folder.join("bits.ron");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn what_the_shim_does_not_reach_is_not_varied() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let path = graph(folder.path());
    for machine in ["host", "strict"] {
        let probe = |more: &[&str]| {
            let mut command = groundup();
            command.arg("probe").arg(&path).args(["--again", "--machine", machine]).args(more);
            command.output().unwrap()
        };
        let page = folder.path().join("page.html");
        let vary = ["--vary", "inodes,date,umask-077", "--report", page.to_str().unwrap()];
        let output = probe(&[&vary[..], &["--json"]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{machine}: {said}");
        assert!(said.contains("asked for by name, and not varied in every step: "), "{machine}: {said}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        for step in ["bits", "child"] {
            let found = cases::step_of(&report, step);
            assert_eq!(found["state"], "same in what was varied", "{machine}: {found:#}");
            let result = |name: &str| found["variations"][name]["result"].as_str().unwrap().to_owned();
            assert_eq!(
                (&*result("inodes"), &*result("umask-077")),
                ("not varied", "same"),
                "{machine}: {found:#}"
            );
            // Only a machine of its own has a clock that can be set.
            assert_eq!(result("date"), if machine == "host" { "not varied" } else { "same" });
            assert!(
                found["notes"][0].as_str().unwrap().starts_with("a program for 32 bits ran"),
                "{found:#}"
            );
        }
        let clean = cases::step_of(&report, "clean");
        assert_eq!(clean["variations"]["inodes"]["result"], "same", "{machine}: {clean:#}");
        assert_eq!(clean["notes"], serde_json::json!([]), "{machine}");
        assert!(fs::read_to_string(&page).unwrap().contains("<p>a program for 32 bits ran; "), "{machine}");
        let text = String::from_utf8(probe(&vary).stdout).unwrap();
        assert_eq!(text.matches("  note: a program for 32 bits ran; ").count(), 2, "{machine}: {text}");
        assert_eq!(
            text.matches("  not varied: inodes: a program for 32 bits ran").count(),
            2,
            "{machine}: {text}"
        );
        // What is asked of the machine alone is answered.
        assert_eq!(probe(&["--vary", "umask-077"]).status.code(), Some(0));
    }
}
