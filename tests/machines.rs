//! The machines: what is built does not depend on which of them builds it, and what a step on the host sees of that.
//!
//! As root a part runs as `nobody` too. Debian 13's QEMU is in the matrix beside the installed one; others join it if `QEMUS` names
//! them (programs, separated by colons).
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::Value;
use sha2::Digest;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::{folder, graph, groundup, need};

/// The graph that is built in, and a copy of the one with a real compiler.
fn graphs() -> [Option<PathBuf>; 2] {
    [None, Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/tcc.ron"))]
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it printed, after it has succeeded.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{command:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn on(machine: &str, graph: Option<&Path>) -> Command {
    let mut command = groundup();
    command.arg("run").args(graph).args(["--machine", machine, "--timeout", "600"]);
    command
}

/// The QEMU of Debian 13, whatever this host is: a program in this folder.
fn debian_13(folder: &Path) -> PathBuf {
    printed(on("host", Some(&graph("qemu"))).arg("--out").arg(folder));
    let (program, root) = (folder.join("qemu"), folder.join("debian-13"));
    let text = format!(
        "#!/bin/sh\nr={}\nexec $r/lib64/ld-linux-x86-64.so.2 --library-path $r/lib/x86_64-linux-gnu $r/bin/qemu-system-x86_64 \
         -L $r/share/seabios -L $r/share/qemu \"$@\"\n",
        root.display()
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let version = qemu::version(&program).unwrap();
    assert!(version.starts_with("QEMU emulator version 10."), "{version}");
    program
}

#[test]
fn every_machine_builds_the_same() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let other = debian_13(folder.path()).into_os_string().into_string().unwrap();
    for graph in graphs() {
        let graph = graph.as_deref();
        let strict = printed(&mut on("strict", graph));
        assert!(strict.lines().count() >= 7);
        for qemu in ["qemu-system-x86_64", &other] {
            assert_eq!(
                printed(on("strict", graph).args(["--kernel", "debian", "--qemu", qemu])),
                strict,
                "{qemu}"
            );
        }
        for machine in ["host", "fast", "auto"] {
            assert_eq!(printed(&mut on(machine, graph)), strict, "{machine}");
        }
        assert_eq!(printed(on("fast", graph).args(["--cpus", "2"])), strict);
        let more = std::env::var("QEMUS").unwrap_or_default();
        for qemu in more.split(':').filter(|qemu| !qemu.is_empty()).chain([&*other]) {
            assert_eq!(printed(on("strict", graph).args(["--qemu", qemu])), strict, "{qemu}");
        }
    }
}

/// The program, a graph and a cache where `nobody` can get at them, and a command that starts the program as `nobody`.
fn as_nobody(graph: &str) -> (tempfile::TempDir, Command) {
    assert!(rustix::process::getuid().is_root(), "this test needs root, to become somebody else");
    let folder = tempfile::Builder::new().prefix("nobody-").tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("groundup");
    fs::copy(env!("CARGO_BIN_EXE_groundup"), &program).unwrap();
    for ending in ["ron", "lock.ron"] {
        let from = support::graph(graph).with_extension(ending);
        fs::copy(from, folder.path().join("graph").with_extension(ending)).unwrap();
    }
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    chown(&cache, Some(65534), Some(65534)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program).arg("run");
    command.arg(folder.path().join("graph.ron")).args(["--machine", "host", "--cache"]).arg(&cache);
    command.arg("--record").arg(cache.join("record"));
    (folder, command)
}

#[test]
fn a_step_on_the_host_sees_nothing_of_it() {
    let out = folder();
    let record = out.path().join("record");
    let graph = graph("stranger");
    let mut command = on("host", Some(&graph));
    command.args(["--record"]).arg(&record).env("SECRET", "of the host");
    let output = command.output().unwrap();
    let (_nobodys, mut command) = as_nobody("stranger");
    let other = command.env("SECRET", "of the host").output().unwrap();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for output in [output, other] {
        let said = said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let lines: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("  | ")).collect();
        let parts: Vec<&[&str]> = lines.split(|&line| line == "--").collect();
        assert_eq!(parts[0], ["1000", "100", "localhost"]);
        assert_eq!(parts[1], ["build", "dev", "etc", "proc", "store", "tmp"]);
        assert_eq!(parts[2].len(), 11, "{:?}", parts[2]);
        assert!(
            parts[3].len() == 4 && parts[3][1].trim_start().starts_with("1 /init host"),
            "{:?}",
            parts[3]
        );
        assert!(
            parts[4].len() == 5 && parts[4].iter().all(|line| line.ends_with("No such file or directory"))
        );
        assert_eq!(parts[5], ["1"], "network interfaces");
        assert!(!parts[6].iter().any(|line| line.starts_with("SECRET=")));
        let mounts = ["/", "/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"];
        assert_eq!(parts[7][..7], mounts);
        // Not every kernel has a system request key, or a bus.
        let of_proc = |path: &&&str| path.starts_with("/proc/");
        let (proc, others): (Vec<&&str>, Vec<&&str>) = parts[7][7..].iter().partition(|path| of_proc(path));
        assert!(
            ["/proc/sys", "/proc/keys", "/proc/key-users", "/proc/1"].iter().all(|path| proc.contains(&path)),
            "{proc:?}"
        );
        assert_eq!(others, [&"/proc", &"/store", &"/store/busybox"]);
        let groups = parts[8].iter().take_while(|line| line.contains(':'));
        assert!(groups.clone().count() > 0 && groups.into_iter().all(|line| line.ends_with(":/")));
        assert!(said.contains("touch: /store/busybox/x: Read-only file system"));
        assert!(said.contains("mount: permission denied") && said.contains("unshare: unshare(0x10000000)"));
        assert!(host.trim() == "localhost" || !lines.iter().any(|line| line.contains(host.trim())), "{said}");
        assert!(!lines.iter().any(|line| line.contains(env!("CARGO_TARGET_TMPDIR"))));
    }
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    let host = &record["predicate"]["buildDefinition"]["internalParameters"]["host"];
    assert!(host["kernel"].as_str().unwrap().starts_with("Linux "));
    assert!(host["unpinned"].as_array().unwrap().iter().any(|what| what == "the clock: time of day"));
}

#[test]
fn a_user_with_one_id_is_told_so_in_the_record() {
    let (nobodys, mut command) = as_nobody("planted");
    printed(&mut command);
    let record = fs::read_to_string(nobodys.path().join("cache/record")).unwrap();
    let many = fs::read_to_string("/etc/subuid").is_ok_and(|text| text.contains("nobody"));
    assert_eq!(record.contains("owners: there is one id"), !many);
}

/// A user namespace without ids stands for a kernel that gives this user no rights.
#[test]
fn what_a_caller_has_open_is_closed_to_a_step() {
    let folder = folder();
    let busybox = fs::read("/bin/busybox").unwrap();
    fs::write(folder.path().join("busybox"), &busybox).unwrap();
    let sha256 = sha2::Sha256::digest(&busybox).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let graph = folder.path().join("open.ron");
    let text = format!(
        r#"(seeds: {{"busybox": (from: [File("busybox")], sha256: "{sha256}", executable: true)}},
            derivations: {{"open": (builder: "/store/busybox", args: ["sh", "-c", "echo /proc/self/fd/* > $out"], inputs: ["busybox"])}},
            targets: ["open"])"#
    );
    fs::write(&graph, text).unwrap();
    let mut command = Command::new("sh");
    command.args([
        "-c",
        r#"exec "$@" 8</etc/passwd 9</etc/group"#,
        "sh",
        env!("CARGO_BIN_EXE_groundup"),
        "run",
    ]);
    command.arg(&graph).args(["--machine", "host", "--out"]).arg(folder.path());
    printed(&mut command);
    let open = fs::read_to_string(folder.path().join("open")).unwrap();
    // The last is the folder that is being read.
    assert_eq!(open, "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n");
}

#[test]
fn a_host_that_forbids_it_says_which_setting() {
    need("unshare", "util-linux");
    let script = r#"echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@""#;
    let mut command = Command::new("unshare");
    command.args([
        "-U",
        "-r",
        "sh",
        "-c",
        script,
        "sh",
        env!("CARGO_BIN_EXE_groundup"),
        "run",
        "--machine",
        "host",
    ]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    assert!(
        said(&output).contains("the setting user.max_user_namespaces is 0: `sysctl"),
        "{}",
        said(&output)
    );
}

/// What native refuses is built in strict; everything else has run there. The record names the machine of each output.
#[test]
fn auto_sends_what_native_refuses_to_strict() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let out = folder();
    let (record, results) = (out.path().join("record"), out.path().join("out"));
    let output = on("auto", Some(&graph("defeat")))
        .arg("--record")
        .arg(&record)
        .arg("--out")
        .arg(&results)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("not on native: timers: "), "{}", said(&output));
    let record: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    let subjects = record["subject"].as_array().unwrap();
    assert!(subjects.len() > 8);
    for subject in subjects {
        let (name, machine) = (&subject["name"], &subject["annotations"]["machine"]);
        assert_eq!(machine, if name == "timers" { "strict" } else { "native" }, "{name}");
    }
    // What native traced stands beside what strict, which traces nothing, has built.
    let byproducts = record["predicate"]["runDetails"]["byproducts"].as_array().unwrap();
    let report = byproducts.iter().find(|one| one["name"] == "report").unwrap();
    for step in report["annotations"]["steps"].as_array().unwrap() {
        assert_eq!(step["trace"].is_string(), step["name"] != "timers", "{step}");
        assert_eq!(step["calls"].is_u64(), step["name"] != "timers", "{step}");
    }
    let internal = &record["predicate"]["buildDefinition"]["internalParameters"];
    assert_eq!(internal["machine"], "auto");
    let why = internal["auto"]["notOnNative"]["timers"].as_str().unwrap();
    assert!(why.contains("a thread that makes no call while its timer runs"), "{why}");
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (hash, name) = line.split_once("  ").unwrap();
        assert_eq!(support::nix_hash(&results.join(name)), hash, "{name}");
    }
}

/// Without QEMU: native builds all of it.
#[test]
fn auto_needs_no_qemu_where_native_builds_everything() {
    let native = printed(&mut on("native", None));
    assert_eq!(printed(on("auto", None).args(["--qemu", "/nowhere/qemu"])), native);
}
