//! What the tests that boot have in common: the real program, what it printed, and what PID 1 reported.
#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]

pub mod cases;
pub mod nix;
pub mod user;

use qemu::{Event, Line};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A run of the program, ended.
pub struct Run {
    /// Its exit status.
    pub status: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said meanwhile.
    pub stderr: String,
    /// The machine's console as it came.
    pub console: Vec<u8>,
    /// The same as lines.
    pub lines: Vec<Line>,
    /// The outputs, unpacked.
    pub out: tempfile::TempDir,
}

/// The program.
pub fn groundup() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groundup"));
    command.stdin(Stdio::null());
    command
}

/// A folder for what a test makes, removed at its end.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// `tests/graphs/NAME.ron`
pub fn graph(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/graphs").join(name).with_extension("ron")
}

/// Runs a graph in the machine, with the minimal kernel if no other is named. Ten minutes are more than any of the tests
/// needs: who takes them hangs.
pub fn run(graph: Option<&Path>, arguments: &[&str]) -> Run {
    need("qemu-system-x86_64", "qemu-system-x86");
    let out = folder();
    let console = out.path().with_extension("console");
    let outputs = out.path().join("out");
    let mut command = groundup();
    command.arg("run").args(graph).args(arguments).args(["--timeout", "600", "--console"]).arg(&console);
    if ![&"--kernel", &"host", &"native"].iter().any(|word| arguments.contains(word)) {
        command.args(["--kernel", "minimal"]);
    }
    let output = command.arg("--out").arg(&outputs).output().unwrap();
    let bytes = fs::read(&console).unwrap_or_else(|error| {
        panic!("no console: {error}; it said:\n{}", String::from_utf8_lossy(&output.stderr))
    });
    fs::remove_file(&console).unwrap();
    Run::of(&output, &bytes, out)
}

/// Fails with what to install if a program is missing.
pub fn need(program: &str, package: &str) {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(found.is_ok(), "this test needs `{program}`: apt-get install {package}");
}

/// The static busybox of this machine.
pub fn busybox() -> &'static Path {
    let found = ["/bin/busybox", "/usr/bin/busybox"].map(Path::new).into_iter().find(|path| path.exists());
    found.expect("this test needs busybox: apt-get install busybox-static")
}

/// The command lines of QEMU processes that have this folder's path in them.
pub fn machines(folder: &Path) -> Vec<String> {
    let lines = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    let with = folder.to_str().unwrap();
    lines.filter(|line| line.contains(with) && line.contains("qemu")).collect()
}

/// A machine that boots an image as `run` does: the kernel gets PID 1 and the plan, and PID 1 the inputs.
pub fn boot(image: &Path, kernel: &Path) -> qemu::Machine {
    let bytes = fs::read(image).unwrap();
    let mut entries = images::read::entries(&bytes).map(Result::unwrap);
    let plan = entries.find(|entry| entry.name == b"plan").unwrap().data;
    let initrd = image.with_extension("initrd");
    let without = images::Image { init: images::INIT, shell: None, plan, inputs: Vec::new() };
    images::write(&without, &mut fs::File::create(&initrd).unwrap()).unwrap();
    let size = (bytes.len() as u64).next_power_of_two();
    fs::File::options().write(true).open(image).unwrap().set_len(size).unwrap();
    let mut machine = qemu::Machine::new(kernel, initrd);
    machine.inputs = Some(qemu::Inputs { image: image.to_owned(), size });
    machine
}

/// The minimal kernel, built if need be.
pub fn minimal() -> PathBuf {
    let output = groundup().args(["kernel", "minimal"]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    PathBuf::from(printed.lines().next().expect("a minimal kernel").split_once("  ").unwrap().1)
}

/// Sends a signal. A shell has `kill` built in; not every machine has it as a program.
pub fn send(signal: &str, child: &Child) {
    let script = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

/// The sha256 of a tree's NAR, by Nix.
pub fn nix_hash(path: &Path) -> String {
    need("nix-store", "nix-bin");
    let output = Command::new("nix-store").arg("--dump").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    builder::hash(&output.stdout)
}

impl Run {
    /// What came of a run that left this on its console, and its outputs in `out` of a folder.
    pub fn of(output: &Output, console: &[u8], out: tempfile::TempDir) -> Run {
        let mut lines = Vec::new();
        let mut reader = qemu::console::Reader::new();
        reader.feed(console, &mut |line| lines.push(line));
        lines.extend(reader.finish());
        Run {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            console: console.to_owned(),
            lines,
            out,
        }
    }

    /// An output where the run left it.
    pub fn output(&self, name: &str) -> PathBuf {
        self.out.path().join("out").join(name)
    }

    /// All events.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.lines.iter().filter_map(|line| if let Line::Event(event) = line { Some(event) } else { None })
    }

    /// The hash that PID 1 printed for an output.
    pub fn hash(&self, wanted: &str) -> String {
        let hash = self.events().find_map(|event| match event {
            Event::Output { name, sha256, .. } if name == wanted => Some(sha256.to_string()),
            _ => None,
        });
        hash.unwrap_or_else(|| panic!("no output {wanted}; it said:\n{}", self.stderr))
    }

    /// What a step's builder printed.
    pub fn log(&self, wanted: &str) -> Vec<&str> {
        let is_start = |line: &&Line| matches!(line, Line::Event(Event::Step { name }) if name == wanted);
        let lines = self.lines.iter().skip_while(|line| !is_start(line)).skip(1);
        lines
            .take_while(|line| !matches!(line, Line::Event(_)))
            .filter_map(|line| if let Line::Log(text) = line { Some(text.as_str()) } else { None })
            .collect()
    }

    /// All that PID 1 and the builders said, without what another kernel or another version of a seed may change: times, places in
    /// the export region, the hashes of what compilers made, which error refused an attack, in which order the processes of a
    /// fork bomb complain. Of equal lines one is left.
    pub fn story(&self) -> String {
        let mut story = String::new();
        let mut last = String::new();
        let (mut attack, mut racing) = (false, false);
        for line in &self.lines {
            if let Line::Event(Event::Step { name }) = line {
                attack = name.starts_with("attack-");
                racing = name.starts_with("processes");
            }
            let text = match line {
                Line::Event(event) => tell(event),
                Line::Log(_) if racing => continue,
                Line::Log(text) if attack => format!("| {}", refused(text)),
                Line::Log(text) => format!("| {text}"),
                Line::Kernel(_) => continue,
            };
            if text != last {
                writeln!(story, "{text}").unwrap();
            }
            last = text;
        }
        story
    }
}

fn tell(event: &Event) -> String {
    match event {
        Event::Started { .. } => "@ groundup 1 PLAN".into(),
        Event::Input { name, .. } => format!("@ input {name}"),
        Event::Unverified { name } => format!("@ input {name} unverified"),
        Event::BadInput { name, reason } => format!("@ bad-input {name} {reason}"),
        Event::Step { name } => format!("@ step {name}"),
        Event::Output { name, .. } if name.starts_with("a-") && name != "a-good" => {
            format!("@ output {name}")
        }
        Event::Output { name, sha256, size, .. } => format!("@ output {name} {sha256} {size}"),
        Event::Trace { step, calls, trace } => format!("@ trace {step} {calls} {trace}"),
        Event::Unknown { step, call } => format!("@ unknown {step} {call}"),
        Event::Reference { output, name } => format!("@ reference {output} {name}"),
        Event::Built { name, .. } => format!("@ built {name}"),
        Event::Failed { name, reason, .. } => format!("@ failed {name} {reason}"),
        Event::Skipped { name, reason } => format!("@ skipped {name} {reason}"),
        Event::End { built, failed, skipped } => format!("@ end {built} {failed} {skipped}"),
        Event::Fatal { reason } => format!("@ fatal {reason}"),
    }
}

/// An attempt that failed, of attack.c's: which error it was depends on the kernel.
fn refused(text: &str) -> String {
    const ERRORS: [&str; 15] = [
        "Address family not supported by protocol",
        "Bad file descriptor",
        "Cross-device link",
        "Function not implemented",
        "Invalid argument",
        "Network unreachable",
        "No such device or address",
        "No such file or directory",
        "No such process",
        "No space left on device",
        "Not a tty",
        "Operation not permitted",
        "Permission denied",
        "Read-only file system",
        "Required key not available",
    ];
    match text.rsplit_once(": ") {
        Some((what, error)) if ERRORS.contains(&error) => format!("{what}: refused"),
        _ => text.to_owned(),
    }
}
