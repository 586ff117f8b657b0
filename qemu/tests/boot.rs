//! Boots Debian's stock kernel with a PID 1 of the test's own: needs QEMU, gcc and, the first time, apt's network.

#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use qemu::{Error, Event, Line, Machine, Place, Region};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn kernel() -> PathBuf {
    static KERNEL: OnceLock<PathBuf> = OnceLock::new();
    KERNEL.get_or_init(|| images::kernel::debian(folder()).unwrap().path).clone()
}

/// A machine whose PID 1 behaves as `guest.c` says for `mode`.
fn machine(mode: u32) -> Machine {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest.c");
    let dir = tempfile::tempdir_in(folder()).unwrap();
    let init = dir.path().join("init");
    let flags = ["-O1", "-static", "-nostdlib", "-fno-stack-protector", "-fno-pic", "-no-pie", "-o"];
    let status =
        Command::new("gcc").args(flags).arg(&init).arg(format!("-DMODE={mode}")).arg(source).status();
    assert!(status.unwrap().success());
    let init = fs::read(init).unwrap();
    let image = images::Image { init: &init, shell: None, plan: b"", inputs: Vec::new() };
    let (initrd, path) = tempfile::NamedTempFile::new_in(folder()).unwrap().keep().unwrap();
    images::write(&image, &mut &initrd).unwrap();
    let mut machine = Machine::new(kernel(), path);
    machine.memory = 256;
    machine.time_limit = Duration::from_secs(120);
    machine
}

fn run(machine: &Machine) -> (Result<qemu::Ending, Error>, Vec<Line>) {
    let mut lines = Vec::new();
    let result = qemu::run(machine, &mut |line| lines.push(line), &AtomicBool::new(false));
    let _ = fs::remove_file(&machine.initrd);
    (result, lines)
}

fn transcript(machine: &mut Machine) -> Vec<u8> {
    let kept = tempfile::NamedTempFile::new_in(folder()).unwrap();
    machine.transcript = Some(kept.path().to_owned());
    let ending = qemu::run(machine, &mut |_| (), &AtomicBool::new(false)).unwrap();
    assert_eq!((ending.built, ending.failed, ending.skipped), (3, 2, 1));
    fs::read(kept.path()).unwrap()
}

#[test]
fn two_runs_print_the_same_bytes_loaded_or_not() {
    let mut machine = machine(0);
    let first = transcript(&mut machine);
    let stop = AtomicBool::new(false);
    let second = std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop()
                }
            });
        }
        let second = transcript(&mut machine);
        stop.store(true, Ordering::Relaxed);
        second
    });
    assert!(first.windows(14).any(|part| part == b"[    0.000000]"));
    assert_eq!(String::from_utf8_lossy(&first), String::from_utf8_lossy(&second));

    // The twin: without counted instructions the same comparison fails.
    let mut free = machine.arguments();
    let at = free.iter().position(|word| word == "-icount").unwrap();
    free.drain(at..at + 2);
    let console = || {
        let output = Command::new("qemu-system-x86_64").args(&free).stdin(Stdio::null()).output().unwrap();
        assert!(output.stdout.windows(5).any(|part| part == b"@ end"));
        output.stdout
    };
    assert_ne!(console(), console());
    fs::remove_file(&machine.initrd).unwrap();
}

#[test]
fn outputs_leave_through_the_region() {
    let mut machine = machine(1);
    machine.region = Some(Region::create(folder(), 16 << 20).unwrap());
    let (result, lines) = run(&machine);
    assert_eq!(result.unwrap().built, 3);
    let place = lines.iter().find_map(|line| match line {
        Line::Event(Event::Output { size: 8, place: Place::At(at), .. }) => Some(*at),
        _ => None,
    });
    let mut bytes = String::new();
    let region = machine.region.unwrap();
    std::io::Read::read_to_string(&mut region.read(place.unwrap(), 8).unwrap(), &mut bytes).unwrap();
    assert_eq!(bytes, "groundup");
}

#[test]
fn every_way_to_fail_is_told_apart() {
    assert!(matches!(run(&machine(2)).0, Err(Error::Fatal(reason)) if reason == "no plan"));

    let error = run(&machine(3)).0.unwrap_err();
    assert!(error.to_string().contains("Attempted to kill init! exitcode=0x00000700"), "{error}");

    let mut spinning = machine(4);
    spinning.time_limit = Duration::from_secs(8);
    let error = run(&spinning).0.unwrap_err();
    assert!(matches!(error, Error::TimeLimit { .. }), "{error}");
    assert!(error.to_string().starts_with("the machine was not done after 8 s and was ended; it last said:"));

    let error = run(&machine(5)).0.unwrap_err();
    assert!(matches!(error, Error::Halted { .. }), "{error}");
    assert!(error.to_string().contains("\n  last words\n"), "{error}");

    let error = run(&machine(6)).0.unwrap_err();
    assert!(matches!(error, Error::Died { .. }), "{error}");
    assert!(error.to_string().contains("\n  last words"), "{error}");
}

#[test]
fn a_broken_kvm_is_explained_and_a_working_one_is_not() {
    if let Err(error) = qemu::kvm::probe(Path::new(qemu::machine::PROGRAM), &kernel()) {
        assert!(!error.contains('\n') && error.to_lowercase().contains("kvm"), "{error}");
    }
}

#[test]
fn firmware_and_version_are_known() {
    let program = Path::new(qemu::machine::PROGRAM);
    assert!(qemu::version(program).unwrap().starts_with("QEMU emulator version "));
    assert!(qemu::machine::firmware(program, &kernel()).unwrap()[0].ends_with("bios-256k.bin"));
}
