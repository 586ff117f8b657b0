//! The machine `native`: hashes of the other machines, the same console in every run, and what it refuses.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{folder, graph, groundup};

/// What it printed, and the console.
fn build(machine: &str, graph: Option<&Path>) -> (Output, String) {
    let folder = folder();
    let console = folder.path().join("console");
    let output = groundup()
        .arg("run")
        .args(graph)
        .args(["--machine", machine, "--timeout", "300", "--console"])
        .arg(&console)
        .output()
        .unwrap();
    (output, std::fs::read_to_string(console).unwrap())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_hashes_are_those_of_the_host() {
    let tcc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/tcc.ron");
    for graph in [None, Some(&*tcc)] {
        let ((native, _), (host, _)) = (build("native", graph), build("host", graph));
        assert_eq!(native.status.code(), Some(0), "{}", said(&native));
        assert_eq!(native.stdout, host.stdout);
    }
}

/// Programs made to differ each time they run, beside threads that only take time: clocks, addresses, random numbers, process and inode
/// numbers, sockets, threads, make with several jobs. The one that spins until a timer has rung is refused.
#[test]
fn the_console_is_the_same_in_every_run() {
    let graph = graph("defeat");
    let (first, console) = build("native", Some(&graph));
    assert!(said(&first).contains("failed  timers"), "{}", said(&first));
    assert!(said(&first).contains("a thread that makes no call while its timer runs"), "{}", said(&first));
    assert_eq!(console.lines().filter(|line| line.starts_with("@ built ")).count(), 9, "{console}");
    let stop = AtomicBool::new(false);
    let (second, again) = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let built = build("native", Some(&graph));
        stop.store(true, Ordering::Relaxed);
        built
    });
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(console, again);
}

/// The same programs where nothing is pinned: the test can fail.
#[test]
fn the_console_differs_on_the_host() {
    let graph = graph("defeat");
    assert_ne!(build("host", Some(&graph)).1, build("host", Some(&graph)).1);
}
