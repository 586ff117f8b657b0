//! Failures of QEMU itself, played by programs that are none.

#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use qemu::{Error, Machine};

/// A machine whose QEMU is this shell script. It writes its process id to the file `pid`.
fn pretending(folder: &Path, script: &str) -> Machine {
    let program = folder.join("qemu");
    fs::write(&program, format!("#!/bin/sh\necho $$ >{}/pid\n{script}\n", folder.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut machine = Machine::new("kernel", "initrd");
    machine.program = program;
    machine.time_limit = Duration::from_secs(20);
    machine
}

fn error(machine: &Machine) -> Error {
    qemu::run(machine, &mut |_| (), &AtomicBool::new(false)).unwrap_err()
}

/// Whether the process of the script is gone and waited for.
fn gone(folder: &Path) -> bool {
    let pid = fs::read_to_string(folder.join("pid")).unwrap();
    !PathBuf::from(format!("/proc/{}", pid.trim())).exists()
}

#[test]
fn a_missing_qemu_says_what_to_install() {
    let mut machine = Machine::new("kernel", "initrd");
    machine.program = "no-such-qemu".into();
    let text = error(&machine).to_string();
    assert!(text.starts_with("`no-such-qemu` was not found: install QEMU"), "{text}");
    assert!(matches!(qemu::version(&machine.program), Err(Error::Missing(_))));
}

#[test]
fn a_program_that_can_not_be_executed_is_named() {
    let mut machine = Machine::new("kernel", "initrd");
    machine.program = "/dev/null".into();
    assert!(matches!(error(&machine), Error::Start { .. }));
}

#[test]
fn a_qemu_that_does_not_start_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let text = error(&pretending(folder.path(), "echo no such accelerator >&2; exit 1")).to_string();
    assert!(text.ends_with("did not start a machine (exit status: 1): no such accelerator"), "{text}");
}

#[test]
fn a_qemu_that_dies_shows_the_last_lines() {
    let folder = tempfile::tempdir().unwrap();
    let text = error(&pretending(folder.path(), "echo one; printf two; kill -SEGV $$")).to_string();
    assert!(text.contains("signal: 11"), "{text}");
    assert!(text.ends_with("it last said:\n  one\n  two"), "{text}");
}

#[test]
fn a_qemu_that_hangs_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = pretending(folder.path(), "echo busy; exec sleep 1000");
    machine.time_limit = Duration::from_millis(300);
    let text = error(&machine).to_string();
    assert!(text.ends_with("after 0.3 s and was ended; it last said:\n  busy"), "{text}");
    assert!(gone(folder.path()));
}

#[test]
fn a_qemu_that_stays_after_the_end_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let machine = pretending(folder.path(), "echo '@ end 1 0 0'; exec sleep 1000");
    let ending = qemu::run(&machine, &mut |_| (), &AtomicBool::new(false)).unwrap();
    assert_eq!(ending.built, 1);
    assert!(gone(folder.path()));
}

#[test]
fn a_flood_does_not_outrun_the_time_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = pretending(folder.path(), "while echo flood; do :; done");
    machine.time_limit = Duration::from_millis(300);
    let begun = Instant::now();
    assert!(matches!(error(&machine), Error::TimeLimit { .. }));
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert!(gone(folder.path()));
}

#[test]
fn cancelling_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let machine = pretending(folder.path(), "echo ready; exec sleep 1000");
    let cancel = AtomicBool::new(false);
    let result = qemu::run(&machine, &mut |_| cancel.store(true, Ordering::Relaxed), &cancel);
    assert!(matches!(result, Err(Error::Cancelled)));
    assert!(gone(folder.path()));
}

#[test]
fn a_panic_of_the_caller_ends_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let machine = pretending(folder.path(), "echo ready; exec sleep 1000");
    let run = || qemu::run(&machine, &mut |_| panic!("on purpose"), &AtomicBool::new(false));
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    thread::sleep(Duration::from_millis(10));
    assert!(gone(folder.path()));
}

#[test]
fn a_transcript_that_can_not_be_written_is_named() {
    let mut machine = Machine::new("kernel", "initrd");
    machine.transcript = Some("/no/such/folder/transcript".into());
    assert!(error(&machine).to_string().starts_with("/no/such/folder/transcript: "));
}
