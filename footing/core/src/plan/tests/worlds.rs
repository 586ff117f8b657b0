//! The root of a step.

use super::support::{Act, DIRECTORY, FILE, LINK, console, find, head, image, step};
use crate::kernel::End;
use crate::tree::Kind;
use std::format;
use std::string::String;

/// The last but one line of a plan with one step of this world, whose sole input is a tree.
fn outcome(rules: &str, world: &str, act: Act) -> String {
    let unverified = format!("{} unverified", "3".repeat(64));
    let plan = format!(
        "{}input it tree {unverified}\ninput src data {unverified}\n{}",
        head("stop"),
        step("one", rules, world, "output one /store/one -\n")
    );
    let entries: &[(&str, u32, &[u8])] = &[
        ("inputs/it", DIRECTORY, b""),
        ("inputs/it/d", DIRECTORY, b""),
        ("inputs/it/d/x", FILE, b"hi"),
        ("inputs/it/l", LINK, b"d/x"),
        ("inputs/src", DIRECTORY, b""),
        ("inputs/src/x", FILE, b"hi"),
    ];
    let lines = console(image(&plan, entries), None, act).0;
    lines[lines.len() - 2].clone()
}

const NEVER: Act = |_, _, _, _| panic!("the step was started");

#[test]
fn what_can_not_be_made_is_named() {
    for (rules, world, reason) in [
        ("groundup", "dir /a/b 0755 root", "dir /a/b: no such file or directory"),
        ("groundup", "dir /build 0755 root", "dir /build: exists already"),
        ("groundup", "link /l build\nfile /l/x 0644 hi", "file /l/x: a symbolic link on the way"),
        ("groundup", "file /f 0644 hi\nlink /f/x y", "link /f/x: not a directory"),
        ("groundup", "bind input it /it\ndir /it/new 0755 root", "dir /it/new: read-only file system"),
        ("groundup", "bind input it/l/y /it", "bind /it: a symbolic link on the way"),
        ("groundup", "bind input it/d/y /it", "bind /it: no such file or directory"),
        ("groundup", "bind input it/d/x/y /it", "bind /it: not a directory"),
        ("nix", "proc /proc", "open the builder's input: no such file or directory"),
    ] {
        let said = outcome(rules, &format!("{world}\n"), NEVER);
        assert_eq!(said, format!("@ failed one 0 {reason}"));
    }
    let said = outcome("groundup", "bind input no /x\n", NEVER);
    assert_eq!(said, "@ skipped one it needs no");
}

#[test]
fn the_world_is_as_the_plan_says() {
    let world = "dir /tmp 1777 root\nfile /build/hosts 0444 a b\\n\nlink /tmp/l to\ndevice /tmp/z zero\nproc /proc\npts /pts\n\
                 shm /shm\nbind input it/d /store/d\nbind input it/l /store/l\nbind input src /store/src\n";
    let said = outcome("groundup", world, |tree, root, step, _| {
        let at = |path| tree.get(find(tree, root, path)).unwrap();
        let owner = |path| (at(path).mode, at(path).uid, at(path).gid);
        assert_eq!(owner("/"), (0o755, 0, 0));
        assert_eq!(owner("/build"), (0o700, 1000, 100));
        assert_eq!(owner("/build/hosts"), (0o444, 1000, 100));
        assert_eq!(owner("/tmp"), (0o1777, 0, 0));
        assert_eq!(owner("/store"), (0o1775, 0, 100));
        assert_eq!(owner("/shm"), (0o1777, 0, 0));
        assert_eq!(at("/tmp").times, [999_000_000_000; 3]);
        assert_eq!(tree.file(find(tree, root, "/build/hosts")).unwrap().bytes(), b"a b\n");
        assert_eq!(tree.target(find(tree, root, "/store/l")), Some(&b"d/x"[..]));
        assert!(matches!(at("/tmp/z").kind, Kind::Device(1, 5)));
        assert!(matches!(at("/pts/ptmx").kind, Kind::Device(5, 2)));
        assert_ne!(at("/store").volume, at("/build").volume);
        let noexec = |path| tree.noexec(find(tree, root, path));
        assert_eq!([noexec("/store/src/x"), noexec("/store/d/x"), noexec("/build")], [true, false, false]);
        assert!(noexec("/proc") && !step.nix);
        assert_eq!((step.argv[0].as_slice(), step.envp[0].as_slice()), (&b"sh"[..], &b"A=1"[..]));
        assert_eq!((step.limits[0], step.clock, step.uid), ((1, u64::MAX), 1000, 1000));
        End::Exited(9)
    });
    assert_eq!(said, "@ failed one 7 exit status 9");
}

#[test]
fn only_groundups_own_rules_keep_sources_from_being_executed() {
    let world = "dir /dev 0755 root\ndevice /dev/null null\nbind input src /store/src\n";
    let said = outcome("guix", world, |tree, root, step, _| {
        assert!(!tree.noexec(find(tree, root, "/store/src/x")) && !step.nix);
        assert_ne!(tree.get(find(tree, root, "/build")).unwrap().volume, tree.get(root).unwrap().volume);
        assert_eq!(tree.get(root).unwrap().mode, 0o555);
        End::Exited(9)
    });
    assert_eq!(said, "@ failed one 7 exit status 9");
}
