//! On `host` a control group holds a machine to its memory, where there can be one: shown in a machine of QEMU's, whose kernel and
//! groups are the test's own.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use support::{folder, groundup, need};

/// A step that takes 600 MB between two that do not, and one that waits.
const GRAPH: &str = r#"(
    seeds: { "busybox": (from: [File("busybox")], sha256: "SHA256", executable: true) },
    derivations: {
        "a-good": (builder: "/store/busybox", args: ["sh", "-c", "echo good > $out"], inputs: ["busybox"], memory: 67108864, space: 1048576),
        "b-hog": (builder: "/store/busybox", args: ["sh", "-c", "/store/busybox dd if=/dev/zero of=/dev/null bs=600M count=1; echo good > $out"], inputs: ["busybox"], memory: 67108864, space: 1048576),
        "c-good": (builder: "/store/busybox", args: ["sh", "-c", "echo good > $out"], inputs: ["busybox"], memory: 67108864, space: 1048576),
        "wait": (builder: "/store/busybox", args: ["sleep", "1000"], inputs: ["busybox"]),
    },
    targets: [TARGETS],
)
"#;

/// The program with all that it needs to run, and the script that is the first process.
fn root(at: &Path) {
    let busybox = support::busybox();
    for name in ["bin", "etc", "graph", "lib64"] {
        fs::create_dir_all(at.join(name)).unwrap();
    }
    fs::copy(busybox, at.join("graph/busybox")).unwrap();
    fs::copy(busybox, at.join("bin/busybox")).unwrap();
    let links = Command::new(busybox).args(["--install", "-s"]).arg(at.join("bin")).status().unwrap();
    assert!(links.success());
    for link in fs::read_dir(at.join("bin")).unwrap().map(|entry| entry.unwrap().path()) {
        if link.is_symlink() {
            fs::remove_file(&link).unwrap();
            std::os::unix::fs::symlink("busybox", &link).unwrap();
        }
    }
    let program = PathBuf::from(groundup().get_program());
    fs::copy(&program, at.join("bin/groundup")).unwrap();
    let listed = Command::new("ldd").arg(&program).output().unwrap();
    let words = String::from_utf8(listed.stdout).unwrap();
    for library in words.split_whitespace().filter(|word| word.starts_with('/')) {
        let place = at.join(&library[1..]);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(library, place).unwrap();
    }
    fs::write(at.join("etc/passwd"), "root::0:0::/:/bin/sh\nuser::1000:1000::/tmp:/bin/sh\n").unwrap();
    let text = GRAPH.replace("SHA256", &builder::hash(&fs::read(busybox).unwrap()));
    for (name, targets) in [("hog", r#""a-good", "b-hog", "c-good""#), ("wait", r#""wait""#)] {
        let only = |line: &&str| {
            !line.starts_with("        \"") || targets.contains(line.split('"').nth(1).unwrap())
        };
        let text: String = text.lines().filter(only).map(|line| format!("{line}\n")).collect();
        fs::write(at.join(format!("graph/{name}.ron")), text.replace("TARGETS", targets)).unwrap();
    }
    fs::copy(support::graph("held").with_extension("sh"), at.join("init")).unwrap();
    fs::set_permissions(at.join("init"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// What the machine said, between its marks.
fn said() -> Vec<String> {
    need("qemu-system-x86_64", "qemu-system-x86");
    let (folder, tree) = (folder(), folder());
    root(tree.path());
    let initrd = folder.path().join("initrd");
    let pack = format!("find . | cpio -o -H newc --quiet >{}", initrd.display());
    assert!(Command::new("sh").args(["-c", &pack]).current_dir(tree.path()).status().unwrap().success());
    let kernel = groundup().args(["kernel", "debian"]).stderr(Stdio::null()).output().unwrap();
    let kernel = String::from_utf8(kernel.stdout).unwrap();
    let kernel = kernel.lines().next().unwrap().split_once("  ").unwrap().1.to_owned();
    let mut machine = qemu::Machine::new(kernel, initrd);
    machine.profile = qemu::Profile::Fast { kvm: false, cpus: 1 };
    machine.memory = 1500;
    let console = folder.path().join("console");
    machine.transcript = Some(console.clone());
    // It ends by a reset, without the words that PID 1 has for that.
    let _ = qemu::run(&machine, &mut |_| {}, &AtomicBool::new(false));
    let text = String::from_utf8_lossy(&fs::read(console).unwrap()).replace('\r', "");
    let parts: Vec<_> = text.split("\n== ").skip(1).map(str::to_owned).collect();
    assert!(parts.len() == 4 && parts[3].starts_with("end"), "{text}");
    parts
}

#[test]
fn a_machine_is_held_to_its_memory_where_there_are_groups_and_says_where_not() {
    let [free, root, user, _] = &said()[..] else { unreachable!() };
    let has = |part: &str, text: &str| assert!(part.contains(text), "{text}: {part}");
    // 600 MB are there, and nobody minds; that is said.
    has(free, "status 0, record: 1");
    has(free, "memory: a step is not held to its declared need");
    has(free, "  b-hog\n");
    // Who asks for it has it or hears that nobody has.
    has(free, "no control group can hold the host machine to its memory here");
    has(free, "asked for: status 5");
    has(root, "more: status 0");
    for part in [root, user] {
        has(part, "b-hog 0.");
        has(part, ": ran out of the machine's memory");
        has(part, "  a-good\n");
        has(part, "  c-good\n");
        let part = part.split("\nleft: ").next().unwrap();
        assert!(!part.contains("  b-hog\n") && !part.contains("memory: a step is not held"), "{part}");
        has(part, "status 4, record: 0");
    }
    // After a run that ended, one that was cancelled, and one that was killed, there was a group, and none is left.
    let many = |part: &str, wanted: &str| part.lines().filter(|line| *line == wanted).count();
    assert_eq!(many(root, "there: 1"), 2, "{root}");
    assert_eq!((many(root, "left: "), many(user, "left: ")), (4, 1), "{root}{user}");
}
