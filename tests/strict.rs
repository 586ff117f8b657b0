//! The `strict` machine is deterministic: programs made to defeat it (`graphs/defeat.ron`, `graphs/runtimes.ron`) print the
//! same, kernel time stamps included, byte for byte, on an idle host, a loaded one, another processor, as another user with
//! another environment, and short of memory. The twin: each of them differs on the `host` machine, which is not.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use snapbox::{IntoData, assert_data_eq};
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::{folder, graph, groundup, need, run};

/// What a host does to a machine: the command before QEMU's, its environment, and what else is done meanwhile.
struct Host {
    name: &'static str,
    before: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
    meanwhile: fn(&AtomicBool),
}

fn nothing(_: &AtomicBool) {}

fn spin(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
}

/// Takes and touches 256 MiB again and again.
fn hoard(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let mut hoard = vec![0_u8; 256 << 20];
        hoard.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
        std::hint::black_box(&hoard);
        std::thread::sleep(Duration::from_millis(20));
    }
}

const HOSTS: [Host; 5] = [
    Host { name: "idle", before: &[], environment: &[], meanwhile: nothing },
    Host { name: "loaded", before: &["nice"], environment: &[], meanwhile: spin },
    Host {
        name: "pinned",
        before: &["taskset", "-c", "0"],
        environment: &[("TZ", "Pacific/Kiritimati"), ("LC_ALL", "tr_TR.ISO-8859-9")],
        meanwhile: nothing,
    },
    Host {
        name: "another user",
        before: &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        environment: &[("HOME", "/"), ("USER", "somebody"), ("MALLOC_PERTURB_", "165")],
        meanwhile: nothing,
    },
    Host {
        name: "short of memory, and up for a year",
        before: &["unshare", "--time", "--boottime", "31536000", "--monotonic", "31536000"],
        environment: &[("MALLOC_ARENA_MAX", "1")],
        meanwhile: hoard,
    },
];

impl Host {
    /// The console of a machine that runs here.
    fn console(&self, arguments: &[std::ffi::OsString], folder: &Path) -> String {
        let path = folder.join(self.name.replace([' ', ','], "-"));
        let file = File::create(&path).unwrap();
        // QEMU opens it once more.
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let root = rustix::process::geteuid().is_root();
        let before = self.before.iter().filter(|_| root || !matches!(self.before[0], "setpriv" | "unshare"));
        let mut command = Command::new("env");
        command
            .args(before)
            .arg(qemu::machine::PROGRAM)
            .args(arguments)
            .envs(self.environment.iter().copied());
        command.stdin(Stdio::null()).stdout(file).current_dir("/");
        let stop = AtomicBool::new(false);
        let status = std::thread::scope(|scope| {
            scope.spawn(|| (self.meanwhile)(&stop));
            let status = command.status();
            stop.store(true, Ordering::Relaxed);
            status.unwrap()
        });
        let console = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        assert!(status.success(), "{}: {command:?}\n{console}", self.name);
        console
    }
}

/// Runs a graph's image on every kind of host, the idle one first, the others at the same time.
fn is_deterministic(name: &str, memory: u64) {
    need(qemu::machine::PROGRAM, "qemu-system-x86");
    let folder = folder();
    // Where every user can reach it.
    let shared = tempfile::tempdir().unwrap();
    fs::set_permissions(shared.path(), Permissions::from_mode(0o755)).unwrap();
    let (image, kernel) = (shared.path().join("image"), shared.path().join("kernel"));
    assert!(groundup().arg("image").arg(graph(name)).arg("-o").arg(&image).status().unwrap().success());
    fs::copy(support::minimal(), &kernel).unwrap();
    let mut machine = support::boot(&image, &kernel);
    machine.memory = memory;
    for file in [&image, &kernel, &machine.initrd] {
        fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    }
    let arguments = machine.arguments();
    let first = HOSTS[0].console(&arguments, folder.path());
    assert!(first.starts_with("[    0.000000]") && first.contains("\n@ end "), "{first}");
    assert!(!first.contains("\n@ failed"), "{first}");
    std::thread::scope(|scope| {
        for host in &HOSTS[1..] {
            scope.spawn(|| {
                let console = host.console(&arguments, folder.path());
                assert_data_eq!(console.as_str(), first.as_str().raw());
            });
        }
    });
}

/// Every step but those that compile prints something else each time where nothing is pinned. A race may come out the same by
/// chance, but not four times.
fn differs_without(name: &str, but: &[&str]) {
    let mut seen: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for _ in 0..4 {
        let run = run(Some(&graph(name)), &["--machine", "host"]);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        let steps = run.events().filter_map(|event| match event {
            qemu::Event::Step { name } => Some(name.clone()),
            _ => None,
        });
        for step in steps {
            seen.entry(step.clone())
                .or_default()
                .push(run.log(&step).into_iter().map(str::to_owned).collect());
        }
    }
    assert!(!seen.is_empty());
    for (step, logs) in seen.iter().filter(|(step, _)| !but.contains(&step.as_str())) {
        assert!(logs.iter().any(|log| *log != logs[0]), "{step} printed the same each time: {:?}", logs[0]);
    }
}

#[test]
fn programs_made_to_differ_do_not() {
    is_deterministic("defeat", 1024);
}

#[test]
fn language_runtimes_do_not_either() {
    is_deterministic("runtimes", 2048);
}

#[test]
fn without_it_each_of_them_does() {
    differs_without("defeat", &["defeat"]);
    differs_without("runtimes", &[]);
}
