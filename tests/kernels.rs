//! The kernels: they build the same things, the minimal one is small and quick, and the same bytes wherever it is built. The
//! last takes two builds, which is for whoever changes it: `cargo test --release --test kernels -- --ignored`.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Run, folder, groundup, run};

/// What `groundup kernel NAME` prints, each line's hash and path, and what it says.
fn kernel(name: &str) -> (Vec<(String, PathBuf)>, String) {
    let output = groundup().args(["kernel", name]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let line = |line: &str| line.split_once("  ").map(|(hash, path)| (hash.into(), path.into())).unwrap();
    (String::from_utf8(output.stdout).unwrap().lines().map(line).collect(), said)
}

#[test]
fn the_kernels_build_the_same() {
    let (minimal, _) = kernel("minimal");
    let bzimage = minimal[1].1.to_str().unwrap();
    let runs: Vec<Run> = ["debian", "minimal", bzimage].map(|kernel| run(None, &["--kernel", kernel])).into();
    for run in &runs {
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        assert_eq!(run.stdout, runs[0].stdout);
    }
    // The twin: these were different machines.
    assert_ne!(runs[0].console, runs[1].console);
    assert_ne!(runs[1].console, runs[2].console);
    let tcc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/tcc.ron");
    let runs = ["debian", "minimal"].map(|kernel| run(Some(&tcc), &["--kernel", kernel]));
    assert_eq!(runs[0].status, Some(0), "{}", runs[0].stderr);
    assert_eq!(runs[0].stdout, runs[1].stdout);
}

#[test]
fn the_minimal_kernel_is_small_and_the_documents_say_how_small() {
    let (minimal, said) = kernel("minimal");
    let [(elf_hash, elf), (bzimage_hash, bzimage)] = &minimal[..] else { panic!("{minimal:?}") };
    let (elf, bzimage) = (fs::read(elf).unwrap(), fs::read(bzimage).unwrap());
    assert_eq!((builder::hash(&elf), builder::hash(&bzimage)), (elf_hash.clone(), bzimage_hash.clone()));
    assert!(elf.starts_with(b"\x7fELF"));
    assert!(bzimage.len() <= 2 << 20, "{}", bzimage.len());
    let options = said.lines().find_map(|line| line.strip_suffix(" options")).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/machines.md");
    assert!(fs::read_to_string(page).unwrap().contains(&format!("{options} options")), "{options}");
    // Nothing of this machine: no folder, no user, no date.
    let line = elf.windows(14).position(|part| part == b"Linux version ").unwrap();
    let banner = String::from_utf8_lossy(&elf[line..line + 200]);
    assert!(banner.contains("-groundup (groundup@groundup) (gcc, ") && banner.contains(" 1970"), "{banner}");
    for part in [groundup().get_program().to_str().unwrap(), "/kernels/build-"] {
        assert!(!elf.windows(part.len()).any(|found| found == part.as_bytes()), "{part}");
    }
}

/// How long it takes until PID 1 has said its first word, by the wall's clock: the shortest of some runs.
fn boot(kernel: &str) -> Duration {
    let path = kernel_file(kernel);
    let scratch = folder();
    let image = scratch.path().join("image");
    assert!(groundup().args(["image", "-o"]).arg(&image).status().unwrap().success());
    let one = |_| {
        let begun = Instant::now();
        let mut first = None;
        let cancel = std::sync::atomic::AtomicBool::new(false);
        let mut each = |line| {
            if matches!(line, qemu::Line::Event(qemu::Event::Started { .. })) {
                first = Some(begun.elapsed());
                cancel.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        };
        let _ = qemu::run(&qemu::Machine::new(&path, &image), &mut each, &cancel);
        first.expect("PID 1 says something")
    };
    (0..3).map(one).min().unwrap()
}

fn kernel_file(name: &str) -> PathBuf {
    kernel(name).0.remove(0).1
}

#[test]
fn the_minimal_kernel_boots_much_faster() {
    let (minimal, debian) = (boot("minimal"), boot("debian"));
    assert!(minimal * 3 < debian, "{minimal:?} against {debian:?}");
}

#[test]
fn what_a_build_lacks_is_named() {
    let empty = folder();
    let mut command = groundup();
    let output =
        command.args(["kernel", "minimal", "--cache"]).arg(empty.path()).env("PATH", empty.path()).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("`apt-get install gcc binutils make flex bison bc mawk xz-utils`"), "{said}");
    let output =
        groundup().args(["run", "--kernel", "minimal", "--cache"]).arg(empty.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("build it with `groundup kernel minimal`"), "{said}");
}

#[test]
#[ignore = "builds a kernel twice"]
fn the_minimal_kernel_is_the_same_from_anywhere() {
    let temporary = tempfile::tempdir().unwrap();
    fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).unwrap();
    let program = temporary.path().join("groundup");
    fs::copy(groundup().get_program(), &program).unwrap();
    let build = |cache: &str, before: &[&str], environment: &[(&str, &str)]| {
        let cache = temporary.path().join(cache);
        fs::create_dir_all(&cache).unwrap();
        fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();
        let mut command = Command::new("env");
        command.args(before).arg(&program).args(["kernel", "minimal", "--cache"]).arg(&cache);
        let output = command.envs(environment.iter().copied()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.contains("building the minimal kernel"), "{said}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| line[..64].to_owned()).collect::<Vec<_>>()
    };
    let here = build("one", &[], &[]);
    let another_user: &[&str] = match rustix::process::geteuid().is_root() {
        true => &[
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "sh",
            "-c",
            "umask 077; exec \"$@\"",
            "sh",
        ],
        false => &[],
    };
    let environment = [
        ("TZ", "Pacific/Kiritimati"),
        ("LC_ALL", "tr_TR.ISO-8859-9"),
        ("USER", "somebody"),
        ("CFLAGS", "-g"),
    ];
    let there = build("other/deeper-and-longer", another_user, &environment);
    assert_eq!(here, there);
}
