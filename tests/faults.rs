//! What can go wrong around a machine: each has its own message, nothing is lost, and nothing is left behind.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use qemu::{Event, Line, Machine, Profile, Region};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use support::{folder, graph, groundup, machines, send};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn tcc() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/tcc.ron")
}

/// A run of the compiler's graph, with everything that it may leave in one folder.
fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = groundup();
    command.arg("run").arg(tcc()).args(arguments).arg("--out").arg(folder.join("out"));
    command.arg("--record").arg(folder.join("record")).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("TMPDIR", folder).spawn().unwrap()
}

/// Waits until so many of its outputs are there.
fn until(folder: &Path, outputs: usize, child: &mut Child) {
    let begun = Instant::now();
    let shown = |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    let there = || fs::read_dir(folder.join("out")).map_or(0, |all| all.flatten().filter(shown).count());
    while there() < outputs {
        assert!(begun.elapsed() < Duration::from_secs(120), "no output came");
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The process that a process has started, if there is one.
fn child_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

fn resume(folder: &Path, arguments: &[&str]) -> Output {
    let mut arguments = arguments.to_vec();
    arguments.push("--resume");
    start(folder, &arguments).wait_with_output().unwrap()
}

/// The whole run, once, for its hashes.
fn hashes() -> Vec<u8> {
    let output = groundup().args(["run", "--machine", "host"]).arg(tcc()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    output.stdout
}

#[test]
fn a_killed_qemu_is_the_machines_failure_and_the_run_can_go_on() {
    let folder = folder();
    let mut child = start(folder.path(), &[]);
    until(folder.path(), 1, &mut child);
    let qemu = child_of(child.id()).unwrap();
    assert!(Command::new("sh").args(["-c", &format!("kill -KILL {qemu}")]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("the machine ended before its plan did (signal: 9"), "{}", said(&output));
    assert!(
        fs::read_to_string(folder.path().join("record"))
            .unwrap()
            .contains("\"machineFailure\": \"the machine")
    );
    let output = resume(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains("\n0 outputs taken as they are"), "{}", said(&output));
    assert_eq!(output.stdout, hashes());
}

#[test]
fn what_was_changed_or_taken_away_since_is_built_again() {
    let folder = folder();
    let output = start(folder.path(), &["--machine", "host"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let out = folder.path().join("out");
    fs::remove_file(out.join("digits.txt")).unwrap();
    let changed = out.join("stage2");
    fs::remove_file(&changed).unwrap();
    fs::write(&changed, "not a compiler").unwrap();
    let output = resume(folder.path(), &["--machine", "host"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told = said(&output);
    assert!(told.contains("built again: stage2: recorded as 13e2ddbf"), "{told}");
    assert!(told.contains("built again: digits.txt: not in "), "{told}");
    assert!(told.contains("7 outputs taken as they are") && told.contains("step 2/2: "), "{told}");
    assert_eq!(output.stdout, hashes());
    let record = fs::read_to_string(folder.path().join("record")).unwrap();
    assert_eq!(record.matches("\"outcome\": \"given\"").count(), 7);
    // That record's plan is of what was left; all of it can be built again all the same.
    let again = groundup()
        .args(["run", "--machine", "host", "--from"])
        .arg(folder.path().join("record"))
        .arg("--graph-dir")
        .arg(tcc().parent().unwrap())
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert!(
        said(&again).contains("as the record says: 9 outputs identical, an image of all"),
        "{}",
        said(&again)
    );
    // Another graph's record gives nothing.
    let other = groundup()
        .arg("run")
        .arg(graph("planted"))
        .args(["--machine", "host", "--resume", "--out"])
        .arg(&out)
        .arg("--record")
        .arg(folder.path().join("record"))
        .output()
        .unwrap();
    assert!(said(&other).contains("\n0 outputs taken as they are"), "{}", said(&other));
    fs::write(folder.path().join("record"), "{}").unwrap();
    let output = resume(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("this is no record of a run to resume"), "{}", said(&output));
}

#[test]
fn a_killed_program_leaves_no_machine_and_can_be_gone_on_with() {
    let folder = folder();
    let mut child = start(folder.path(), &[]);
    until(folder.path(), 2, &mut child);
    send("KILL", &child);
    child.wait().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(machines(folder.path()), [""; 0]);
    let output = resume(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(output.stdout, hashes());
}

#[test]
fn a_region_that_is_too_small_is_said_and_how_to_make_it_larger() {
    let folder = folder();
    let output = start(folder.path(), &["--machine", "host", "--export", "1"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("did not fit into the export region; make it larger with --export MIB"));
    // What did fit is there, and every hash was printed.
    assert!(folder.path().join("out/libtcc1.o").exists());
    assert_eq!(output.stdout, hashes());
}

#[test]
fn two_runs_at_once_do_not_meet() {
    let (one, other) = (folder(), folder());
    let runs = [start(one.path(), &["--machine", "host"]), start(other.path(), &["--machine", "host"])];
    let outputs = runs.map(|run| run.wait_with_output().unwrap());
    for output in &outputs {
        assert_eq!(output.status.code(), Some(0), "{}", said(output));
    }
    assert_eq!(outputs[0].stdout, outputs[1].stdout);
}

/// What a run that was interrupted could have left: processes and files. A mount would be in a namespace of one of the processes.
fn leftovers(cache: &Path) -> Vec<String> {
    let files = fs::read_dir(cache.join("tmp")).into_iter().flatten().flatten();
    let mut left: Vec<String> = files.map(|entry| entry.path().display().to_string()).collect();
    let marked = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let ours = String::from_utf8_lossy(&environment).contains(cache.to_str()?)
            || String::from_utf8_lossy(&line).contains(cache.to_str()?);
        ours.then(|| format!("{} {}", entry.path().display(), String::from_utf8_lossy(&line)))
    });
    left.extend(marked);
    left
}

#[test]
fn ctrl_c_at_any_moment_leaves_nothing() {
    let cache = folder();
    let run = |machine: &str| {
        let mut command = groundup();
        command
            .args(["run", "--machine", machine, "--cache"])
            .arg(cache.path())
            .env("XDG_CACHE_HOME", cache.path());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    // With the kernel in the cache, so that moments are those of a run.
    let first = run("strict").output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let mut state = 7_u64;
    for number in 0..10 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let machine = if number % 2 == 0 { "strict" } else { "host" };
        let longest = if machine == "strict" { 3000 } else { 150 };
        let child = run(machine).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1 + (state >> 33) % longest));
        // It may have ended already.
        let _ = Command::new("sh")
            .args(["-c", &format!("kill -INT {}", child.id())])
            .stderr(Stdio::null())
            .status();
        let output = child.wait_with_output().unwrap();
        // Before it watches for signals, one ends it as any other program; there is nothing to leave yet.
        assert!(matches!(output.status.code(), Some(0 | 3) | None), "{:?}: {}", output.status, said(&output));
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(leftovers(cache.path()), [""; 0], "{machine}");
    }
}

/// Runs an image on the host; the hashes of the outputs if it went well to its end.
fn run_image(image: &Path) -> Option<BTreeMap<String, String>> {
    let mut machine = Machine::new("", image);
    machine.profile = Profile::Host { perturbed: false, held: false };
    machine.program = env!("CARGO_BIN_EXE_groundup").into();
    machine.time_limit = Duration::from_secs(20);
    machine.region = Some(Region::create(image.parent().unwrap(), 1 << 20).unwrap());
    let mut outputs = BTreeMap::new();
    let mut each = |line: Line| {
        if let Line::Event(Event::Output { name, sha256, .. }) = line {
            outputs.insert(name, sha256.to_string());
        }
    };
    let ending = qemu::run(&machine, &mut each, &AtomicBool::new(false)).ok()?;
    (ending.failed == 0 && ending.skipped == 0).then_some(outputs)
}

/// Where each thing of an image lies in it, by what it is.
fn part(image: &[u8], position: usize) -> String {
    let entry = images::read::entries(image)
        .map(Result::unwrap)
        .take_while(|entry| entry.offset <= position)
        .last()
        .unwrap();
    String::from_utf8_lossy(entry.name).into_owned()
}

#[test]
fn a_machine_notices_that_its_image_is_damaged() {
    let folder = folder();
    let path = folder.path().join("image");
    assert!(groundup().args(["image", "-o"]).arg(&path).status().unwrap().success());
    let image = fs::read(&path).unwrap();
    let entry = images::read::entries(&image)
        .map(Result::unwrap)
        .find(|entry| entry.name.starts_with(b"inputs/") && !entry.data.is_empty());
    let entry = entry.unwrap();
    let content = entry.data.as_ptr().addr() - image.as_ptr().addr();
    let kernel = support::minimal();
    // What PID 1 says of an image with this byte changed.
    let damaged = |position: usize| {
        fs::write(&path, &image).unwrap();
        let machine = support::boot(&path, &kernel);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(&[image[position] ^ 0x80], position as u64).unwrap();
        let mut bad = Vec::new();
        let mut each = |line: Line| {
            if let Line::Event(Event::BadInput { name, .. }) = line {
                bad.push(name);
            }
        };
        (qemu::run(&machine, &mut each, &AtomicBool::new(false)), bad)
    };
    let (result, bad) = damaged(content);
    assert!(result.unwrap().skipped > 0);
    assert_eq!(bad.len(), 1);
    let fatal = format!("the image has no entry at byte {}", entry.offset);
    // The name's NUL, and a digit of the file's size.
    let name = entry.offset + 110 + entry.name.len();
    for position in [name, entry.offset + 54] {
        assert!(matches!(damaged(position).0, Err(qemu::Error::Fatal(why)) if why == fatal));
    }
}

#[test]
fn a_flipped_bit_is_noticed_or_changes_nothing() {
    let folder = folder();
    let path = folder.path().join("image");
    assert!(groundup().args(["image", "-o"]).arg(&path).output().unwrap().status.success());
    let image = fs::read(&path).unwrap();
    let good = run_image(&path).unwrap();
    assert_eq!(good.len(), 7);
    let plan = images::read::entries(&image).map(Result::unwrap).find(|entry| entry.name == b"plan").unwrap();
    let plan = plan.data.as_ptr() as usize - image.as_ptr() as usize;
    let (mut state, mut noticed) = (1_u64, 0);
    for number in 0..200 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let position = (state >> 20) as usize % image.len();
        let bit = 1 << ((state >> 60) % 8);
        let mut flipped = image.clone();
        flipped[position] ^= bit;
        fs::File::create(&path).unwrap().write_all(&flipped).unwrap();
        let found = run_image(&path);
        noticed += usize::from(found.is_none());
        let Some(found) = found else { continue };
        // A plan is known by its hash, which is the first thing that the console says and which every run is held against; PID 1
        // itself is what everyone trusts.
        let part = part(&image, position);
        let trusted = part == "init" || part == "plan" && position >= plan;
        assert!(
            found == good || trusted,
            "flip {number}: bit {bit} of byte {position} in {part} went unnoticed"
        );
    }
    assert!((50..200).contains(&noticed), "{noticed} of 200 were noticed");
}
