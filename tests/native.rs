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

/// The program, a cache and the libraries that it needs, where everybody can get at them.
struct Elsewhere {
    folder: tempfile::TempDir,
}

impl Elsewhere {
    fn new() -> Elsewhere {
        let folder = tempfile::Builder::new().prefix("native-").tempdir_in("/var/tmp").unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        for name in ["cache", "proc", "tmp", "dev", "lib64", "lib/x86_64-linux-gnu"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for name in ["", "cache", "tmp"] {
            std::fs::set_permissions(folder.path().join(name), Clone::clone(&open)).unwrap();
        }
        std::fs::copy(env!("CARGO_BIN_EXE_groundup"), folder.path().join("groundup")).unwrap();
        Elsewhere { folder }
    }

    fn place(&self, name: &str) -> String {
        self.folder.path().join(name).into_os_string().into_string().unwrap()
    }

    /// `groundup run --machine native` behind these words.
    fn run(&self, before: &[&str], graph: &[&str]) -> Output {
        let (program, cache) = (self.place("groundup"), self.place("cache"));
        let words = [before, &[&program, "run"], graph, &["--machine", "native", "--cache", &cache]].concat();
        let output = std::process::Command::new(words[0])
            .args(&words[1..])
            .env("TMPDIR", self.place("tmp"))
            .output()
            .unwrap();
        // The next one may be another user.
        let open = std::process::Command::new("chmod").args(["-R", "a+rwX", &cache]).status();
        assert!(open.unwrap().success());
        output
    }
}

const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// An ordinary user; root and a user without user namespaces; a user without new privileges. (`host` runs in none of the last two.)
#[test]
fn anybody_may_run_it() {
    let elsewhere = Elsewhere::new();
    let plain = elsewhere.run(&["env"], &[]);
    assert!(plain.status.success(), "{}", said(&plain));
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let no_namespaces = ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh"];
    let unprivileged = [&NOBODY[..], &["--no-new-privs"]].concat();
    for before in [&NOBODY[..], &no_namespaces, &unprivileged] {
        let output = elsewhere.run(before, &[]);
        assert!(output.status.success(), "{before:?}: {}", said(&output));
        assert_eq!(output.stdout, plain.stdout);
    }
}

/// In a chroot that holds the program and its libraries, with /proc and without.
#[test]
fn it_runs_in_a_chroot() {
    let elsewhere = Elsewhere::new();
    for library in
        ["lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/libc.so.6", "lib/x86_64-linux-gnu/libm.so.6"]
    {
        std::fs::copy(Path::new("/").join(library), elsewhere.place(library)).unwrap();
    }
    let gcc = Path::new("/lib/x86_64-linux-gnu/libgcc_s.so.1");
    std::fs::copy(gcc, elsewhere.place("lib/x86_64-linux-gnu/libgcc_s.so.1")).unwrap();
    std::fs::write(elsewhere.place("dev/null"), "").unwrap();
    for proc in ["mount -t proc proc \"$1/proc\" && ", ""] {
        let script = format!(
            "{proc} mount --bind /dev/null \"$1/dev/null\" && exec chroot \"$1\" /groundup run --machine native --cache /cache"
        );
        let output = std::process::Command::new("unshare")
            .args(["--mount", "sh", "-c", &script, "sh", &elsewhere.place("")])
            .env("TMPDIR", "/tmp")
            .output()
            .unwrap();
        assert!(output.status.success(), "{proc} {}", said(&output));
        assert_eq!(output.stdout, elsewhere.run(&["env"], &[]).stdout);
    }
}

/// As filters of containers may have it.
#[test]
fn where_the_host_forbids_it_the_status_is_3() {
    let elsewhere = Elsewhere::new();
    let forbid = elsewhere.place("forbid");
    let source = graph("forbid").with_extension("c");
    let gcc = std::process::Command::new("gcc").args(["-O1", "-static", "-o", &forbid]).arg(source).status();
    assert!(gcc.unwrap().success(), "apt-get install gcc libc6-dev");
    const PTRACE: &str = "101";
    const SECCOMP: &str = "317";
    const MEMFD_CREATE: &str = "319";
    for (number, name) in [(PTRACE, "ptrace"), (SECCOMP, "seccomp"), (MEMFD_CREATE, "memfd_create")] {
        for user in [&[][..], &NOBODY] {
            let output = elsewhere.run(&[user, &[&forbid, number]].concat(), &[]);
            assert_eq!(output.status.code(), Some(5), "{name}: {}", said(&output));
            let help = "it needs ptrace, seccomp with notifications and memfd_create";
            assert!(said(&output).contains(help), "{name}: {}", said(&output));
            assert!(
                said(&output).contains("the native machine can not be made"),
                "{name}: {}",
                said(&output)
            );
        }
    }
    // What is not asked for does not matter: the test can fail.
    const REBOOT: &str = "169";
    assert!(elsewhere.run(&[&forbid, REBOOT], &[]).status.success());
}

/// By name, how many calls each step made and their fingerprint.
fn traces(record: &str) -> Vec<(String, u64, String)> {
    let record: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(record).unwrap()).unwrap();
    let byproducts = record["predicate"]["runDetails"]["byproducts"].as_array().unwrap();
    let report = byproducts.iter().find(|one| one["name"] == "report").unwrap();
    let steps = report["annotations"]["steps"].as_array().unwrap();
    let one = |step: &serde_json::Value| {
        let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
        (text("name"), step["calls"].as_u64().unwrap_or_default(), text("trace"))
    };
    steps.iter().map(one).collect()
}

/// Every call of every step with all arguments and results: on either CPU, as another user, with another environment, after other
/// steps, on a busy host. The control is the same step with an argument that is longer by a character.
#[test]
fn the_whole_trace_is_the_same_everywhere() {
    let elsewhere = Elsewhere::new();
    for name in ["defeat.ron", "defeat.lock.ron", "defeat.c", "defeat.go", "defeat.py", "Defeat.java"] {
        std::fs::copy(graph("defeat").with_file_name(name), elsewhere.place(name)).unwrap();
    }
    let graph = elsewhere.place("defeat.ron");
    let text = std::fs::read_to_string(&graph).unwrap();
    let other = elsewhere.place("other.ron");
    std::fs::write(&other, text.replace("\"random\", \"/store/random\"", "\"random\", \"/store//random\""))
        .unwrap();
    std::fs::copy(elsewhere.place("defeat.lock.ron"), elsewhere.place("other.lock.ron")).unwrap();
    let run = |before: &[&str], graph: &str| {
        let record = elsewhere.place(&format!("cache/record-{}", before.len()));
        let output = elsewhere.run(before, &[graph, "--keep-going", "--record", &record]);
        assert!(Path::new(&record).exists(), "{}", said(&output));
        let traces = traces(&record);
        let traced = traces.iter().filter(|(_, calls, trace)| *calls > 0 && trace.len() == 16).count();
        assert!(traced >= 10, "{}\n{traces:?}", said(&output));
        // The next one may be another user.
        std::fs::remove_file(record).unwrap();
        traces
    };
    let plain = run(&["env"], &graph);
    let user = [&NOBODY[..], &["env", "-i", "HOME=/", "A=b"]].concat();
    for before in
        [&["taskset", "-c", "0"][..], &["taskset", "-c", "1"], &user, &["nice", "-n", "19", "env", "B=c"]]
    {
        assert_eq!(run(before, &graph), plain, "{before:?}");
    }
    let control = run(&["env"], &other);
    let differs = |name: &str| {
        let of =
            |all: &[(String, u64, String)]| all.iter().find(|(step, ..)| step == name).unwrap().2.clone();
        of(&control) != of(&plain)
    };
    assert!(differs("random"));
}
