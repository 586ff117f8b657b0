//! Where results go: what a killed program has built is in its record, a folder without room takes what fits, and nothing that somebody
//! else has made is written to.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::{folder, groundup, send};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A graph of these steps, each a line of shell.
fn graph(folder: &Path, steps: &[(&str, &str)]) -> PathBuf {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    fs::copy(busybox.expect("apt-get install busybox-static"), folder.join("busybox")).unwrap();
    let sha256 = builder::hash(&fs::read(folder.join("busybox")).unwrap());
    let step = |(name, line): &(&str, &str)| {
        format!(
            r#""{name}": (builder: "/store/busybox", args: ["sh", "-c", "{line}"], inputs: ["busybox"]),"#
        )
    };
    let (all, names): (String, Vec<_>) =
        (steps.iter().map(step).collect(), steps.iter().map(|step| step.0).collect());
    let seed = format!(r#""busybox": (from: [File("busybox")], sha256: "{sha256}", executable: true)"#);
    let path = folder.join("graph.ron");
    fs::write(&path, format!("(seeds: {{ {seed} }}, derivations: {{ {all} }}, targets: {names:?})")).unwrap();
    path
}

#[test]
fn what_a_killed_program_has_built_is_in_its_record_however_early_it_was() {
    let folder = folder();
    let steps = [("a-first", "echo 1 > $out"), ("b-second", "echo 2 > $out"), ("c-slow", "sleep 60")];
    let graph = graph(folder.path(), &steps);
    let place = |name: &str| folder.path().join(name);
    let start = |resume: &[&str]| {
        let mut command = groundup();
        command.arg("run").arg(&graph).args(["--machine", "host", "--out"]).arg(place("out"));
        command
            .args(resume)
            .arg("--record")
            .arg(place("record"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut child = start(&[]);
    let begun = Instant::now();
    while !place("out/b-second").exists() {
        assert!(begun.elapsed() < Duration::from_secs(120), "no output came");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Where the disk is slow the record is written less often.
    std::thread::sleep(Duration::from_secs(1));
    send("KILL", &child);
    child.wait().unwrap();
    let record = fs::read_to_string(place("record")).unwrap();
    for name in ["a-first", "b-second"] {
        assert!(record.contains(&format!("\"name\": \"{name}\"")), "{name}: {record}");
    }
    let child = start(&["--resume"]);
    std::thread::sleep(Duration::from_secs(2));
    send("INT", &child);
    let output = child.wait_with_output().unwrap();
    assert!(said(&output).contains("2 outputs taken as they are"), "{}", said(&output));
}

#[test]
fn a_link_as_the_folder_and_what_somebody_else_put_there_are_left_alone() {
    let folder = folder();
    let place = |name: &str| folder.path().join(name);
    let graph = graph(folder.path(), &[("a", "echo 1 > $out"), ("b", "echo 2 > $out")]);
    fs::create_dir(place("real")).unwrap();
    std::os::unix::fs::symlink("real", place("out")).unwrap();
    let run = |out: &str| {
        let out = format!("{}/{out}", folder.path().display());
        groundup().arg("run").arg(&graph).args(["--machine", "host", "--out", &out]).output().unwrap()
    };
    for out in ["out", "out/"] {
        let output = run(out);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("this is a symbolic link"), "{}", said(&output));
    }
    assert_eq!(fs::read_dir(place("real")).unwrap().count(), 0);
    fs::write(place("real/a"), "mine").unwrap();
    let output = run("real");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("real/a: this is there, and groundup has not put it there"));
    assert_eq!(fs::read_to_string(place("real/a")).unwrap(), "mine");
    // The others are there, and what is its own it replaces.
    assert!(place("real/b").exists());
    fs::remove_file(place("real/a")).unwrap();
    for _ in 0..2 {
        assert_eq!(run("real").status.code(), Some(0));
    }
}

/// A tree of 255 directories, one in the other: PID 1 takes it, so it comes out, also where its paths are too long for the system.
#[test]
fn a_deep_output_comes_out() {
    let folder = folder();
    let line = "n=$(printf %015d 1); mkdir $out; cd $out; i=0; while [ $i -lt 254 ]; do mkdir $n; cd $n; i=$((i+1)); done";
    let graph = graph(folder.path(), &[("deep", line)]);
    let out = folder.path().join("out");
    let output =
        groundup().arg("run").arg(&graph).args(["--machine", "host", "--out"]).arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let count = Command::new("sh").args(["-c", "find \"$0\" -type d | wc -l"]).arg(out.join("deep")).output();
    assert_eq!(String::from_utf8_lossy(&count.unwrap().stdout).trim(), "255");
}

#[test]
fn a_region_that_the_disk_has_no_room_for_is_smaller_and_what_fits_is_kept() {
    assert!(rustix::process::getuid().is_root(), "this test needs root, to mount a small file system");
    let folder = folder();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let large = "head -c 20000000 /dev/zero > $out";
    let graph = graph(folder.path(), &[("a", "echo 1 > $out"), ("b-large", large), ("c", "echo 3 > $out")]);
    // In a mount namespace of its own, so that it is gone with the test.
    let script = r#"mount -t tmpfs -o size=12m none "$1" && shift && "$@""#;
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, "sh"]).arg(&disk).arg(env!("CARGO_BIN_EXE_groundup"));
    command.arg("run").arg(&graph).args(["--machine", "host", "--cache"]).arg(&disk);
    let output = command.arg("--out").arg(folder.path().join("out")).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains(&format!("no room in {} for an export region of", disk.display())), "{text}");
    assert!(text.contains("output b-large: no room in"), "{text}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 3, "every hash is printed");
    for name in ["a", "c"] {
        assert!(folder.path().join("out").join(name).exists(), "{name}");
    }
}
