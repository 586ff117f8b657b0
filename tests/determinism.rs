//! The same image gives the same console, byte for byte; the same graph gives the same image. Each with a
//! twin that shows that the check can fail.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use snapbox::{IntoData, assert_data_eq};
use std::fs::{self, Permissions};
use std::hint::spin_loop;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{Run, groundup, run};

fn tcc() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/tcc.ron")
}

/// As `run`, while as many threads as there are CPUs do nothing but take time.
fn run_loaded(graph: Option<&Path>) -> Run {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get().max(2) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    spin_loop();
                }
            });
        }
        let run = run(graph, &[]);
        stop.store(true, Ordering::Relaxed);
        run
    })
}

fn same(idle: &Run, loaded: &Run) {
    assert_eq!(idle.status, Some(0), "{}", idle.stderr);
    assert!(idle.console.starts_with(b"[    0.000000]"), "time stamps are a part of it");
    let lines = |run: &Run| String::from_utf8_lossy(&run.console).into_owned();
    assert_data_eq!(lines(loaded), lines(idle).raw());
    assert!(idle.console == loaded.console);
    assert_eq!(idle.stdout, loaded.stdout);
}

#[test]
fn the_seed_graph_prints_the_same_console() {
    let first = run(None, &[]);
    same(&first, &run_loaded(None));
    // The twin: of a machine with more memory the console is another.
    let other = run(None, &["--memory", "1000"]);
    assert_ne!(other.console, first.console);
    assert_eq!(other.stdout, first.stdout);
}

static TCC: LazyLock<Run> = LazyLock::new(|| run(Some(&tcc()), &[]));

#[test]
fn the_tcc_graph_prints_the_same_console() {
    same(&TCC, &run_loaded(Some(&tcc())));
    assert_eq!(TCC.hash("stage2"), TCC.hash("stage3"));
}

/// Copies a folder's files in the order given by `sort`.
fn copy(from: &Path, to: &Path, sort: fn(&mut Vec<PathBuf>)) {
    fs::create_dir_all(to).unwrap();
    let mut files: Vec<_> = fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    sort(&mut files);
    for file in files {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

/// The program as another host runs it: the command before it, and the environment.
struct Host<'a> {
    before: &'a [&'a str],
    umask: &'a str,
    environment: &'a [(&'a str, &'a str)],
}

/// Writes the image of a graph into its folder, with a cache of its own there, and returns its bytes.
fn image(graph: &Path, host: &Host<'_>) -> Vec<u8> {
    let folder = graph.parent().unwrap();
    // The target folder may be closed to other users.
    let program = folder.join("groundup");
    fs::copy(groundup().get_program(), &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
    let (output, cache) = (folder.join("image"), folder.join("cache"));
    let script = format!("umask {} && exec \"$@\"", host.umask);
    let words = host.before.iter().copied().chain(["sh", "-c", &script, "sh"]);
    let mut command = Command::new("env");
    command
        .args(words)
        .arg(&program)
        .arg("image")
        .arg(graph)
        .arg("-o")
        .arg(&output)
        .arg("--cache")
        .arg(&cache);
    command.envs(host.environment.iter().copied()).current_dir(folder).stdin(Stdio::null());
    let result = command.output().unwrap();
    assert!(result.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&result.stderr));
    fs::read(output).unwrap()
}

#[test]
fn the_image_is_the_same_from_anywhere() {
    // Somewhere that every user can reach.
    let temporary = tempfile::tempdir().unwrap();
    fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).unwrap();
    let from = support::graph("hostile");
    let (one, other) = (temporary.path().join("one"), temporary.path().join("other, deeper/and longer"));
    copy(from.parent().unwrap(), &one, |_| ());
    copy(from.parent().unwrap(), &other, |files| files.reverse());
    let here = Host { before: &[], umask: "022", environment: &[("TZ", "UTC"), ("LC_ALL", "C.UTF-8")] };
    let another_user: &[&str] = match rustix::process::geteuid().is_root() {
        true => &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        false => &[],
    };
    let home = other.to_str().unwrap();
    let there = Host {
        before: another_user,
        umask: "077",
        environment: &[
            ("TZ", "Pacific/Kiritimati"),
            ("LC_ALL", "tr_TR.ISO-8859-9"),
            ("LANG", "et_EE"),
            ("HOME", home),
            ("USER", "somebody"),
            ("LOGNAME", "somebody"),
            ("SOURCE_DATE_EPOCH", "7"),
        ],
    };
    let (first, second) = (image(&one.join("hostile.ron"), &here), image(&other.join("hostile.ron"), &there));
    assert!(builder::hash(&first) == builder::hash(&second), "the images differ");

    // The twins: one byte of a source, and an archive by a tool that records where and when it was run.
    let source = other.join("attack.c");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replacen("held", "hold", 1)).unwrap();
    let graph = fs::read_to_string(other.join("hostile.ron")).unwrap();
    let pinned = |text: &str| builder::hash(text.as_bytes());
    let graph = graph.replace(&pinned(&text), &pinned(&text.replacen("held", "hold", 1)));
    fs::write(other.join("hostile.ron"), graph).unwrap();
    assert_ne!(image(&other.join("hostile.ron"), &here), first);
    assert_ne!(cpio(&one), cpio(&other));
}

/// The folder's C files by GNU cpio, in the folder's own order.
fn cpio(folder: &Path) -> Vec<u8> {
    support::need("cpio", "cpio");
    let script = "find . -name hog.c | cpio --quiet -o -H newc";
    let output = Command::new("sh").args(["-c", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success());
    output.stdout
}
