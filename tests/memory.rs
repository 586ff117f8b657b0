//! The machine's memory: inputs are in it once.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use qemu::{Error, Machine};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use support::{folder, groundup, run};

const FILES: u64 = 2000;
const SIZE: u64 = 250_000;

fn hash(path: &Path) -> String {
    Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A graph of one step, which needs a tree of 500 MB and tells how much memory is left.
fn graph(folder: &Path) -> PathBuf {
    for number in 0..FILES {
        let path = folder.join(format!("tree/{}/{number}", number % 50));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path).unwrap().write_all(&number.to_le_bytes().repeat(SIZE as usize / 8)).unwrap();
    }
    let tar = |name: &str| Command::new("tar").args(["-cf", name, "tree"]).current_dir(folder).status();
    assert!(tar("tree.tar").unwrap().success());
    fs::copy("/bin/busybox", folder.join("busybox")).unwrap();
    let [tree, busybox] = ["tree.tar", "busybox"].map(|name| hash(&folder.join(name)));
    let path = folder.join("large.ron");
    let text = format!(
        r#"(seeds: {{"busybox": (from: [File("busybox")], sha256: "{busybox}", executable: true)}},
            sources: {{"tree": (from: [File("tree.tar")], sha256: "{tree}", unpack: true, strip: 1)}},
            derivations: {{"left": (builder: "/store/busybox", args: ["sh", "-c", "/store/busybox grep -E '^Mem' /proc/meminfo; : > $out"],
                inputs: ["busybox", "tree"])}},
            targets: ["left"])"#
    );
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn inputs_are_in_memory_once() {
    let scratch = folder();
    let graph = graph(scratch.path());
    // A third more than the inputs, for all that there is: kernel, page tables, PID 1 and the step.
    let limit = FILES * SIZE * 13 / 10;
    let memory = (limit >> 20).to_string();
    let run = run(Some(&graph), &["--memory", &memory]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let kilobytes = |name: &str| -> u64 {
        let line = run.log("left").into_iter().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    };
    let used = (kilobytes("MemTotal:") - kilobytes("MemFree:")) << 10;
    assert!(used * 20 < FILES * SIZE * 21, "{used} bytes are used");

    // The same image as an initrd does not fit.
    let image = scratch.path().join("image");
    assert!(groundup().arg("image").arg(&graph).arg("-o").arg(&image).status().unwrap().success());
    let mut machine = Machine::new(support::minimal(), image);
    machine.memory = limit >> 20;
    let error = qemu::run(&machine, &mut |_| {}, &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, Error::Panic(_) | Error::Died { .. } | Error::Halted { .. }), "{error}");
}
