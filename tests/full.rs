//! Disks that are full: the folder is said and what did not fit into it, nothing half written is left, and what was there stands. The tests
//! need root, to mount small file systems, each in a mount namespace of its own, so that it is gone with the test.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::folder;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn tcc() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/tcc.ron")
}

#[test]
fn a_full_disk_is_said_and_nothing_half_written_is_left() {
    assert!(rustix::process::getuid().is_root(), "this test needs root, to mount a small file system");
    let folder = folder();
    // In a mount namespace of its own, so that it is gone with the test.
    let script =
        r#"mount -t tmpfs -o size=600k none "$1" && shift && "$@"; code=$?; ls -A "$OUT"; exit $code"#;
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["-m", "sh", "-c", script, "sh"])
        .arg(&disk)
        .arg(env!("CARGO_BIN_EXE_groundup"))
        .arg("run")
        .arg(tcc());
    command.args(["--machine", "host", "--out"]).arg(disk.join("out")).env("OUT", disk.join("out"));
    command.arg("--record").arg(folder.path().join("record"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("No space left on device"), "{}", said(&output));
    assert!(!String::from_utf8_lossy(&output.stdout).lines().any(|line| line.starts_with(".groundup-")));
    assert!(fs::read_to_string(folder.path().join("record")).unwrap().contains("\"stage3\""));
}

/// The cache is on a file system that is too small for an input, for its tree, and for the image.
#[test]
fn a_full_cache_is_said_and_nothing_half_written_is_left() {
    assert!(rustix::process::getuid().is_root(), "this test needs root, to mount a small file system");
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("disk")).unwrap();
    fs::create_dir(at("x")).unwrap();
    let noise: Vec<u8> = (0..600_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(at("noise"), &noise).unwrap();
    fs::write(at("x/zeros"), vec![0; 2 << 20]).unwrap();
    let tar =
        Command::new("tar").args(["-czf", "x.tar.gz", "x"]).current_dir(folder.path()).status().unwrap();
    assert!(tar.success());
    let graph = |name: &str, file: &str, more: &str| {
        let sha256 = builder::hash(&fs::read(at(file)).unwrap());
        let text = format!(
            r#"(
    seeds: {{ "sh": (from: [Hex("7f")], sha256: "620bfdaa346b088fb49998d92f19a7eaf6bfc2fb0aee015753966da1028cb731", executable: true) }},
    sources: {{ "it": (from: [File("{file}")], sha256: "{sha256}"{more}) }},
    derivations: {{ "a": (builder: "/store/sh", inputs: ["sh", "it"]) }},
    targets: ["a"],
)"#
        );
        fs::write(at(name), text).unwrap();
    };
    graph("file.ron", "noise", "");
    graph("tree.ron", "x.tar.gz", ", unpack: true");
    let script = r#"mount -t tmpfs -o size="$1" none "$2" && cache=$2 && shift 2 && "$@"; code=$?; cd "$cache"; find files parts tmp trees -type f; exit $code"#;
    for (name, size, what) in [
        ("file.ron", "400k", "disk/cache/parts for "),
        ("tree.ron", "1m", "disk/cache/tmp for the tree of the input \"it\""),
    ] {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script, "sh", size]).arg(at("disk"));
        command.arg(env!("CARGO_BIN_EXE_groundup")).arg("plan").arg(at(name));
        command.arg("--cache").arg(at("disk/cache")).env("TMPDIR", folder.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{name}: {}", said(&output));
        let text = said(&output);
        assert!(text.contains("no room in ") && text.contains(what), "{text}");
        assert!(text.contains("No space left on device") && text.contains("--cache"), "{text}");
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!found.contains("parts/") && !found.contains("tmp/"), "{found}");
    }
}

/// The folder of temporary files, where the console is kept, is too small for what a step prints: that is said, and what was built
/// before stands.
#[test]
fn a_full_folder_of_temporary_files_is_said() {
    assert!(rustix::process::getuid().is_root(), "this test needs root, to mount a small file system");
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::copy(support::busybox(), at("busybox")).unwrap();
    let sha256 = builder::hash(&fs::read(at("busybox")).unwrap());
    let step = |name: &str, script: &str| {
        format!(
            "\"{name}\": (builder: \"/store/busybox\", args: [\"sh\", \"-c\", \"{script}; echo good > $out\"], inputs: [\"busybox\"]),\n"
        )
    };
    let text = format!(
        "(seeds: {{\"busybox\": (from: [File(\"busybox\")], sha256: \"{sha256}\", executable: true)}},\n\
         derivations: {{{}{}}}, targets: [\"a-quiet\", \"b-loud\"])\n",
        step("a-quiet", "true"),
        step("b-loud", "/store/busybox seq 100000; /store/busybox sleep 1000")
    );
    fs::write(at("loud.ron"), text).unwrap();
    fs::create_dir(at("small")).unwrap();
    let script = r#"mount -t tmpfs -o size=128k none "$TMPDIR" && exec "$@""#;
    for machine in ["host", "strict"] {
        let mut command = Command::new("unshare");
        command
            .args(["-m", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_groundup"), "run"])
            .arg(at("loud.ron"));
        command.args(["--machine", machine, "--timeout", "300", "--record"]).arg(at("record"));
        command.arg("--out").arg(at(machine)).env("TMPDIR", at("small"));
        let output = command.output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(
            text.contains(&format!("no room in {} for the machine's console", at("small").display())),
            "{text}"
        );
        assert!(text.contains("TMPDIR"), "{text}");
        assert!(String::from_utf8_lossy(&output.stdout).ends_with("  a-quiet\n"));
        assert!(at(machine).join("a-quiet").exists());
        let record = fs::read_to_string(at("record")).unwrap();
        assert!(
            record.contains("\"a-quiet\"") && record.contains("\"machineFailure\": \"no room in "),
            "{record}"
        );
    }
}
