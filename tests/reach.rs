//! No call of a step on `native` reaches the host's kernel. The kernel itself is the witness: its event for a system call comes after the filter,
//! so what it reports of a guest's process is what got through. (strace can not watch a guest, which has a tracer already.)
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{folder, graph, groundup};

/// Of x86-64.
const SECCOMP: u64 = 317;
const MMAP: u64 = 9;
/// Footing's own calls, whose sixth argument is the secret: mprotect, munmap, mremap, madvise, clone, close_range.
const OWN: [u64; 6] = [10, 11, 25, 28, 56, 436];

/// `uretprobe` and `uprobe`, which no filter sees; the kernel does nothing for a process without such probes.
const UNSEEN: [u64; 2] = [335, 336];

/// What the kernel saw of a process.
#[derive(Debug)]
enum Seen {
    Call { process: u32, number: u64, arguments: Vec<u64> },
    Fork { process: u32, child: u32 },
}

/// An instance of the kernel's tracer.
struct Tracer {
    folder: PathBuf,
}

impl Tracer {
    fn new(name: &str) -> Tracer {
        let all = Path::new("/sys/kernel/tracing");
        if !all.join("instances").exists() {
            let mounted = Command::new("mount").args(["-t", "tracefs", "none"]).arg(all).status().unwrap();
            assert!(
                mounted.success(),
                "this test needs root and a kernel with tracefs and CONFIG_FTRACE_SYSCALLS"
            );
        }
        let folder = all.join("instances").join(format!("groundup-{name}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let tracer = Tracer { folder };
        tracer.set("buffer_size_kb", "32768");
        tracer.set("options/event-fork", "1");
        tracer.set("events/raw_syscalls/sys_enter/enable", "1");
        tracer.set("events/sched/sched_process_fork/enable", "1");
        tracer
    }

    fn set(&self, name: &str, value: &str) {
        fs::write(self.folder.join(name), value).unwrap();
    }

    /// Runs a command; what the kernel saw of it and of all that it started.
    fn watch(&self, command: &Command) -> (std::process::Output, Vec<Seen>) {
        let watched = "echo $$ >\"$0\" && exec \"$@\"";
        let output = Command::new("sh")
            .args(["-c", watched])
            .arg(self.folder.join("set_event_pid"))
            .arg(command.get_program())
            .args(command.get_args())
            .output()
            .unwrap();
        self.set("tracing_on", "0");
        for cpu in fs::read_dir(self.folder.join("per_cpu")).unwrap() {
            let lost = fs::read_to_string(cpu.unwrap().path().join("stats")).unwrap();
            assert!(lost.lines().any(|line| line == "overrun: 0"), "events were lost: {lost}");
        }
        let text = fs::read(self.folder.join("trace")).unwrap();
        (output, String::from_utf8_lossy(&text).lines().filter_map(seen).collect())
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// An event: `NAME-PROCESS [CPU] FLAGS TIME: sys_enter: NR NUMBER (ARGUMENT, ...)` or `...: sched_process_fork: ... child_pid=CHILD`.
fn seen(line: &str) -> Option<Seen> {
    let (head, what) = line.split_once("] ")?;
    let process = head.rsplit_once(" [")?.0.trim_end().rsplit_once('-')?.1.parse().ok()?;
    if let Some((_, call)) = what.split_once(": sys_enter: NR ") {
        let (number, arguments) = call.split_once(" (")?;
        let one = |word: &str| u64::from_str_radix(word.trim(), 16).unwrap();
        let arguments = arguments.trim_end_matches(')').split(',').map(one).collect();
        // -1 is what no table has.
        return Some(Seen::Call { process, number: number.parse::<i64>().ok()? as u64, arguments });
    }
    let (_, child) = what.split_once(": sched_process_fork: ")?.1.rsplit_once("child_pid=")?;
    Some(Seen::Fork { process, child: child.trim().parse().ok()? })
}

/// How many calls of footing's own the guests made, and all that they made beside these. The first guest is the process that installs a filter;
/// it and what comes of it are watched from then on.
fn judge(all: &[Seen]) -> (usize, Vec<String>) {
    let mut guests = BTreeSet::new();
    let (mut own, mut others) = (0, Vec::new());
    let mut secret = None;
    for one in all {
        match one {
            Seen::Call { process, number: SECCOMP, .. } if guests.is_empty() => {
                guests.insert(*process);
            }
            Seen::Fork { process, child } if guests.contains(process) => {
                guests.insert(*child);
            }
            Seen::Call { process, number, arguments }
                if guests.contains(process) && !UNSEEN.contains(number) =>
            {
                let sixth = arguments[5];
                let is_own = match *number {
                    // The halves of the secret, and MAP_FIXED.
                    MMAP => secret.is_some_and(|secret: u64| {
                        arguments[2] >> 32 == secret & 0xffff_ffff
                            && arguments[4] >> 32 == secret >> 32
                            && arguments[3] & 0x10 != 0
                    }),
                    number => OWN.contains(&number) && *secret.get_or_insert(sixth) == sixth,
                };
                if is_own { own += 1 } else { others.push(format!("{one:x?}")) }
            }
            _ => {}
        }
    }
    (own, others)
}

/// A program that tries all that is known to try.
#[test]
fn no_call_of_a_step_reaches_the_hosts_kernel() {
    let folder = folder();
    let program = folder.path().join("reach");
    let source = graph("reach").with_extension("c");
    let gcc = Command::new("gcc").args(["-O1", "-static", "-o"]).arg(&program).arg(source).status();
    assert!(gcc.unwrap().success(), "apt-get install gcc libc6-dev");
    let hash = formats::digest::Sha256::of(fs::read(&program).unwrap());
    let graph = folder.path().join("graph.ron");
    let text = format!(
        r#"(seeds: {{"reach": (from: [File("reach")], sha256: "{hash}", executable: true)}},
        derivations: {{"tried": (builder: "/store/reach", args: ["/store/tried"], inputs: ["reach"])}}, targets: ["tried"])"#
    );
    fs::write(&graph, text).unwrap();
    let tracer = Tracer::new("reach");
    let mut command = groundup();
    command.arg("run").arg(&graph).args(["--machine", "native"]);
    let (output, all) = tracer.watch(&command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("all attempts ended"), "{said}");
    let (own, others) = judge(&all);
    assert!(own > 3000, "{own} calls of footing's own: nothing was watched");
    assert!(others.is_empty(), "{} calls reached the host's kernel:\n{}", others.len(), others.join("\n"));
}

/// The same eyes see what a filter lets through that is not footing's: the test can fail.
#[test]
fn a_call_that_reaches_it_is_seen() {
    let tracer = Tracer::new("seen");
    let (_, mut all) = tracer.watch(&Command::new("true"));
    let process = all.iter().find_map(|one| match one {
        Seen::Call { process, .. } => Some(*process),
        Seen::Fork { .. } => None,
    });
    // As if it had closed a filter behind itself.
    all.insert(0, Seen::Call { process: process.unwrap(), number: SECCOMP, arguments: vec![0; 6] });
    let (_, others) = judge(&all);
    assert!(others.len() > 10, "{others:?}");
}
