//! footing's home in a virtual machine: what programs written by hand do in it, and what it is as a file.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use images::{FOOTING, TRIAL};
use qemu::{Error, Line, Machine, Region};
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

fn boot(kernel: &[u8], change: impl FnOnce(&mut Machine)) -> (Result<qemu::Ending, Error>, Vec<String>) {
    support::need("qemu-system-x86_64", "qemu-system-x86");
    let folder = support::folder();
    let (path, initrd) = (folder.path().join("kernel"), folder.path().join("initrd"));
    fs::write(&path, kernel).unwrap();
    fs::write(&initrd, [0; 4096]).unwrap();
    let mut machine = Machine::new(&path, &initrd);
    machine.memory = 128;
    machine.transcript = Some(folder.path().join("console"));
    change(&mut machine);
    let result = qemu::run(&machine, &mut |_: Line| (), &AtomicBool::new(false));
    let console = fs::read_to_string(folder.path().join("console")).unwrap();
    (result, console.lines().map(|line| line.trim_end().to_owned()).collect())
}

fn all_is_good(lines: &[String]) {
    let bad: Vec<_> = lines.iter().filter(|line| line.starts_with("@ bad")).collect();
    assert!(bad.is_empty() && lines.iter().any(|line| line == "@ trial 0"), "{lines:#?}");
}

#[test]
fn programs_find_what_the_processor_promises() {
    let (result, lines) = boot(TRIAL, |machine| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        machine.region = Some(Region::create(folder, 4 << 20).unwrap());
    });
    result.unwrap();
    all_is_good(&lines);
    assert!(lines.contains(&"@ image 0 export 4194304".into()), "{lines:#?}");
    let good = lines.iter().filter(|line| line.starts_with("@ good ")).count();
    assert!(good >= 25, "{good}");
}

/// More memory than fits below the devices, another board, and a CPU that guards the kernel from programs' pages.
#[test]
fn another_machine_changes_nothing() {
    let (result, lines) = boot(TRIAL, |machine| {
        machine.memory = 4096;
        machine.altered = qemu::Altered { cpu: true, board: true, layout: false };
    });
    result.unwrap();
    all_is_good(&lines);
}

#[test]
fn a_machine_without_a_plan_says_so() {
    let (result, lines) = boot(FOOTING, |_| ());
    assert!(matches!(result, Err(Error::Fatal(_))), "{lines:#?}");
}

#[test]
fn it_is_at_most_192_kib() {
    assert!(FOOTING.len() <= 192 << 10, "{} bytes", FOOTING.len());
}
