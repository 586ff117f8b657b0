//! The host machine as a jail: what keeps its steps from the host, from their supervisor and from each other, as root and as an
//! ordinary user. The tests need root, to become somebody else.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use qemu::{Event, Line};
use snapbox::{assert_data_eq, file};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use support::{Run, groundup, user};

/// Runs a graph on the host, as root or as `nobody`.
fn start(graph: &str, nobody: bool, folder: &Path) -> Command {
    let mut command = if nobody { user::as_nobody(folder) } else { groundup() };
    command.arg("run").arg(user::copied(graph, folder)).args([
        "--machine",
        "host",
        "--keep-going",
        "--timeout",
        "600",
    ]);
    command.arg("--console").arg(folder.join("cache/console")).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(output: &Output, folder: tempfile::TempDir) -> Run {
    Run::of(output, &fs::read(folder.path().join("cache/console")).unwrap(), folder)
}

/// A user with one id owns what is root's elsewhere: its builder can change the folders of its own root, and nothing that is bound there.
const ITS_OWN: [&str; 4] = ["create in /", "create in /store/..", "create in /dev", "chmod /store"];

fn allowed(run: &Run) -> Vec<&str> {
    run.lines
        .iter()
        .filter_map(|line| if let Line::Log(text) = line { text.strip_suffix(": ALLOWED") } else { None })
        .collect()
}

#[test]
fn hostile_steps_harm_nobody_on_the_host() {
    let folder = user::folder("hostile");
    let output = start("hostile", false, folder.path()).output().unwrap();
    let run = ended(&output, folder);
    assert_eq!(run.status, Some(4), "{}", run.stderr);
    assert_eq!(allowed(&run), [""; 0]);
    assert_data_eq!(run.story(), file!["snapshots/hostile.txt"].raw());
    assert_eq!(run.hash("a-good"), run.hash("z-good"));
}

#[test]
fn hostile_steps_of_an_ordinary_user_harm_nobody() {
    let folder = user::folder("hostile");
    let output = start("hostile", true, folder.path()).output().unwrap();
    let run = ended(&output, folder);
    assert_eq!(run.status, Some(4), "{}", run.stderr);
    let found: Vec<_> = allowed(&run).into_iter().filter(|what| !ITS_OWN.contains(what)).collect();
    assert_eq!(found, [""; 0]);
    // The same steps fail as for root, for the same reasons.
    let failures = |story: &str| {
        let lines = story
            .lines()
            .filter(|line| line.starts_with("@ failed") && !line.starts_with("@ failed attack-"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let expected =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/snapshots/hostile.txt")).unwrap();
    assert_eq!(failures(&run.story()), failures(&expected));
    assert_eq!(run.hash("a-good"), run.hash("z-good"));
}

/// The processes of `process`'s tree, whichever of its threads started them.
fn below(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let list: String =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok()).collect();
    let children = list.split_whitespace().map(|word| word.parse().unwrap());
    children.flat_map(|child| [child].into_iter().chain(below(child))).collect()
}

fn status(process: u32, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

/// The step's first process, which is number 1 in the third of three PID namespaces, and its builder.
fn step(machine: u32) -> Option<(u32, u32)> {
    let number = |process: &u32, last: &str| {
        let numbers = status(*process, "NSpid");
        numbers.split_whitespace().count() == 3 && numbers.split_whitespace().next_back() == Some(last)
    };
    let all = below(machine);
    let first = *all.iter().find(|process| number(process, "1"))?;
    Some((first, *all.iter().find(|process| number(process, "2"))?))
}

fn when_it_waits(machine: u32, console: &Path) -> (u32, u32) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        let waits = fs::read_to_string(console).is_ok_and(|text| text.contains("waits"));
        if let Some(found) = step(machine).filter(|_| waits) {
            return found;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("the step did not come to wait");
}

fn number(path: &str) -> i64 {
    fs::read_to_string(path).unwrap().trim().parse().unwrap()
}

#[test]
fn a_step_is_nobody_on_the_host_and_must_report() {
    assert!(rustix::process::getuid().is_root(), "this test needs root");
    let mut seen = Vec::new();
    for nobody in [false, true] {
        let folder = user::folder("jail");
        let child = start("jail", nobody, folder.path()).spawn().unwrap();
        let (first, builder) = when_it_waits(child.id(), &folder.path().join("cache/console"));
        let ids = status(builder, "Uid");
        let uid: u32 = ids.split_whitespace().next().unwrap().parse().unwrap();
        assert_ne!(uid, 1000, "a user of the host");
        if !nobody {
            assert!(uid > 65535 && !fs::read_to_string("/etc/passwd").unwrap().contains(&format!(":{uid}:")));
            seen.push(uid);
            let kill =
                ["--reuid=1000", "--regid=1000", "--clear-groups", "sh", "-c", &format!("kill -0 {builder}")];
            assert!(!Command::new("setpriv").args(kill).stderr(Stdio::null()).status().unwrap().success());
        }
        assert_eq!(number(&format!("/proc/{builder}/oom_score_adj")), 1000);
        assert!(
            number(&format!("/proc/{first}/oom_score_adj")) < 1000,
            "the supervisor goes after its builder"
        );
        // What it says is no report, and it will end with status 0.
        let files = fs::read_dir(format!("/proc/{first}/fd")).unwrap().flatten().map(|entry| entry.path());
        let report: Vec<PathBuf> = files
            .filter(|path| fs::read_link(path).unwrap().to_string_lossy().starts_with("pipe:"))
            .filter(|path| path.file_name().unwrap().to_str().unwrap().parse::<u32>().unwrap() > 2)
            .collect();
        assert_eq!(report.len(), 1, "{report:?}");
        fs::File::options().write(true).open(&report[0]).unwrap().write_all(b"?").unwrap();
        let run = ended(&child.wait_with_output().unwrap(), folder);
        assert_eq!(run.status, Some(4), "{}", run.stderr);
        let reason = run.events().find_map(|event| match event {
            Event::Failed { name, reason, .. } if name == "a-silent" => Some(reason.as_str()),
            _ => None,
        });
        assert_eq!(reason, Some("no report of how the builder ended"));
        fresh(&run, nobody);
    }
}

/// The second step started a kernel of its own, as far as it can see, six seconds after the first.
fn fresh(run: &Run, nobody: bool) {
    let log = run.log("b-fresh");
    assert_eq!(log[0], "0", "uptime; {log:?}");
    let times: Vec<_> =
        log.iter().filter(|line| line.ends_with("/dev/null") && !line.contains(':')).collect();
    assert_eq!(times.len(), 1);
    assert!(nobody || *times[0] == "1 1 /dev/null", "{times:?}");
    let has = |text: &str| assert!(log.iter().any(|line| line.contains(text)), "{text}: {log:#?}");
    has("touch: /dev/null: Read-only file system");
    has("/dev/zero: Read-only file system");
    has("/proc/1/oom_score_adj: Read-only file system");
    // Only who has the right to do the opposite can forbid it.
    let capabilities = u64::from_str_radix(&status(std::process::id(), "CapEff"), 16).unwrap();
    let forbidden = !nobody && capabilities >> 24 & 1 == 1;
    has(if forbidden { "score 1000" } else { "score 0" });
    has("/proc/sys/kernel/shmall: Read-only file system");
    has("the null device takes what is written");
    assert_eq!(log.last(), Some(&"0"), "bytes of /proc/keys");
}
