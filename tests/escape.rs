//! Ways out of a step that other builders' jails have left open: the program of the step's parent (CVE-2019-5736), the shim that stands
//! in between, the keys of whoever started the machine, the terminal and the nested namespaces of Nix's builders. On `host` as root
//! and as `nobody`, and in `strict`. What is tried is in `graphs/escape.c`. The tests need root, to become somebody else.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::{groundup, need, nix, user};

/// Who starts which machine.
const WAYS: [(&str, bool); 3] = [("host", false), ("host", true), ("strict", false)];

/// Ten digits, in whose place the number of the invoker's key is written.
const NUMBER: &str = "0123456789";

/// A folder for `nobody` with the program that attacks.
fn bench(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = user::folder(name);
    let program = folder.path().join("escape");
    let source = support::graph("escape").with_extension("c");
    let compiled =
        Command::new("gcc").args(["-O1", "-w", "-static", "-o"]).arg(&program).arg(source).status();
    assert!(compiled.unwrap().success(), "gcc -static: apt-get install gcc libc6-dev");
    (folder, program)
}

/// Steps that call the program with these words, each with a name.
fn graph(folder: &Path, steps: &[(&str, &str)]) -> PathBuf {
    let sha256 = builder::hash(&fs::read(folder.join("escape")).unwrap());
    let step = |(name, words): &(&str, &str)| {
        format!("\"{name}\": (builder: \"/store/escape\", args: [{words}], inputs: [\"escape\"]),\n")
    };
    let names: String = steps.iter().map(|(name, _)| format!("\"{name}\", ")).collect();
    let text = format!(
        "(seeds: {{\"escape\": (from: [File(\"escape\")], sha256: \"{sha256}\", executable: true)}},\n\
         derivations: {{{}}}, targets: [{names}])\n",
        steps.iter().map(step).collect::<String>()
    );
    let path = folder.join("escape.ron");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    path
}

fn started(folder: &Path, nobody: bool) -> Command {
    let mut command = if nobody { user::as_nobody(folder) } else { groundup() };
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run or a probe said of its steps: everything was refused.
fn held(output: &Output, way: (&str, bool)) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let allowed: Vec<_> = said.lines().filter(|line| line.contains(": ALLOWED")).collect();
    assert_eq!(allowed, [""; 0], "{way:?}");
    assert_eq!(output.status.code(), Some(0), "{way:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
    said
}

fn of(machine: &str) -> [&str; 4] {
    ["--machine", machine, "--timeout", "600"]
}

#[test]
fn nobody_overwrites_the_program_that_started_a_step() {
    for way in WAYS {
        let (folder, _) = bench("escape");
        let path = graph(folder.path(), &[("programs", "\"programs\"")]);
        let output = started(folder.path(), way.1).arg("run").arg(&path).args(of(way.0)).output().unwrap();
        let said = held(&output, way);
        assert!(said.contains("/proc/1/exe to write: "), "{said}");
    }
}

/// The shim is the parent of the builder under `probe`, and traces it.
#[test]
fn nobody_overwrites_the_shim() {
    for way in WAYS {
        let (folder, _) = bench("escape");
        let path = graph(folder.path(), &[("programs", "\"programs\", \"shim\"")]);
        let mut command = started(folder.path(), way.1);
        let output = command.arg("probe").arg(&path).args(of(way.0)).args(["--vary", "umask-077"]).output();
        held(&output.unwrap(), way);
    }
    // The twin: without a shim there is nothing to try.
    let (folder, _) = bench("escape");
    let path = graph(folder.path(), &[("programs", "\"programs\", \"shim\"")]);
    let output = groundup().arg("run").arg(&path).args(of("host")).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
}

/// A script may name the program of whoever executes it as the one that is to run it. That is PID 1's, as nobody's.
#[test]
fn a_script_that_names_its_parents_program_does_no_harm() {
    for way in WAYS {
        let folder = user::folder("escape");
        fs::copy(support::busybox(), folder.path().join("busybox")).unwrap();
        let sha256 = builder::hash(&fs::read(folder.path().join("busybox")).unwrap());
        let text = format!(
            r##"(seeds: {{"busybox": (from: [File("busybox")], sha256: "{sha256}", executable: true)}}, derivations: {{
    "a-script": (builder: "/store/busybox", args: ["sh", "-c", "echo '#!/proc/self/exe' > $out; /store/busybox chmod 755 $out"], inputs: ["busybox"]),
    "b-run": (builder: "/store/a-script", args: ["host"], inputs: ["a-script"]),
    "c-good": (builder: "/store/busybox", args: ["sh", "-c", "echo good > $out"], inputs: ["busybox"]),
}}, targets: ["a-script", "b-run", "c-good"])"##
        );
        let path = folder.path().join("script.ron");
        fs::write(&path, text).unwrap();
        let mut command = started(folder.path(), way.1);
        let output = command.arg("run").arg(&path).args(of(way.0)).arg("--keep-going").output().unwrap();
        let (said, printed) =
            (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
        assert_eq!(output.status.code(), Some(4), "{way:?}: {said}");
        assert!(said.contains("failed  b-run ") && said.contains("of 3 steps, 1 failed"), "{way:?}: {said}");
        assert!(printed.contains("  c-good\n"), "{way:?}: {said}{printed}");
    }
}

#[test]
fn nobody_reads_or_changes_the_invokers_key() {
    for way in WAYS {
        let (folder, program) = bench("escape");
        let path = graph(folder.path(), &[("key", &format!("\"key\", \"{NUMBER}\""))]);
        let inner = started(folder.path(), false);
        let mut command = if way.1 {
            // The key is that of `nobody`, too.
            let copy = user::as_nobody(folder.path());
            let mut words = copy.get_args().map(ToOwned::to_owned).collect::<Vec<_>>();
            let groundup = words.pop().unwrap();
            let mut command = Command::new("setpriv");
            command.args(words).arg(&program).args(["invoke", NUMBER]).arg(&path).arg(groundup);
            command.env("XDG_CACHE_HOME", folder.path().join("cache"));
            command
        } else {
            let mut command = Command::new(&program);
            command.args(["invoke", NUMBER]).arg(&path).arg(inner.get_program());
            command
        };
        let output = command.arg("run").arg(&path).args(of(way.0)).output().unwrap();
        let said = held(&output, way);
        assert!(said.contains("read the key: "), "{way:?}: {said}");
        assert!(!fs::read_to_string(&path).unwrap().contains(NUMBER), "no key was made");
    }
}

/// Nix's builders have a terminal, and a user namespace, in which they might make more.
#[test]
fn builders_of_nix_type_nothing_and_are_root_of_nothing() {
    need("nix-instantiate", "nix-bin");
    let (folder, program) = bench("escape");
    let tools = nix::tools(folder.path());
    fs::copy(&program, tools.join("bin/escape")).unwrap();
    let expression = folder.path().join("it.nix");
    let step = |name: &str, words: &str| {
        format!(
            "{name} = derivation {{ name = \"escape-{name}\"; system = \"x86_64-linux\"; \
             builder = \"${{bin}}/bin/escape\"; args = [ {words} ]; }};"
        )
    };
    let text = format!(
        "{{ box }}: let bin = builtins.path {{ path = box; name = \"box\"; }}; in {{ {} {} }}",
        step("terminal", "\"terminal\""),
        step("nested", "\"nested\" bin")
    );
    fs::write(&expression, text).unwrap();
    let derivations = nix::instantiate(&expression, &tools);
    for way in WAYS {
        for name in ["terminal", "nested"] {
            let mut command = started(folder.path(), way.1);
            let output = command.arg("run").arg(&derivations[name]).args(of(way.0)).output().unwrap();
            let said = held(&output, way);
            let tried = if name == "terminal" { "type: " } else { "a namespace: " };
            assert!(said.contains(tried), "{way:?}: {said}");
        }
    }
}
