//! What steps make, and what is done with it.

use super::support::{
    Act, DIRECTORY, FILE, console, digits, file, find, folder, head, image, meta, nar, step,
};
use crate::errno::{EIO, ENOENT, EROFS};
use crate::kernel::{End, Limit};
use crate::plan::hash;
use crate::tree::{Kind, NodeId, Tree};
use std::format;
use std::string::String;
use std::vec::Vec;

/// Runs one step, `one`, by these rules; its lines but the first and the last.
fn one(rules: &str, outputs: &str, act: Act) -> Vec<String> {
    let step = step("one", rules, "dir /dev 0755 root\ndevice /dev/null null\n", outputs);
    let lines = console(image(&format!("{}{step}", head("stop")), &[]), None, act).0;
    assert_eq!(lines[0], "@ step one");
    lines[1..lines.len() - 1].into()
}

const ONE: &str = "output one /store/one -\n";

#[test]
fn an_output_is_reported_with_its_archives_hash() {
    let lines = one("groundup", ONE, |tree, root, _, log| {
        file(tree, root, "/store/one", 0o755, b"hi");
        log(b"a\x1bb\nc");
        End::Exited(0)
    });
    let (sha256, size) = nar(true, b"hi");
    assert_eq!(lines, ["| ab", "| c", &format!("@ output one {sha256} {size} -"), "@ built one 7"]);
}

#[test]
fn a_step_fails_with_its_reason() {
    for (act, reason) in [
        ((|_, _, _, _| End::Exited(3)) as Act, "exit status 3"),
        (|_, _, _, _| End::Killed(11), "killed by signal 11"),
        (|_, _, _, _| End::Limit(Limit::Time), "ran longer than its time limit of 60 s"),
        (|_, _, _, _| End::Limit(Limit::Log), "printed more than its log limit of 10 bytes"),
        (|_, _, _, _| End::Limit(Limit::Memory), "ran out of the machine's memory"),
        (|_, _, _, _| End::NotStarted(ENOENT), "builder /store/sh: no such file or directory"),
        (|_, _, _, _| End::NotStarted(EIO), "builder /store/sh: error 5"),
        (|_, _, _, _| End::Exited(0), "output one was not made"),
    ] {
        assert_eq!(one("groundup", ONE, act), [format!("@ failed one 7 {reason}")]);
    }
    let lines = one("groundup", ONE, |_, _, _, log| {
        log(b"0123456789");
        log(b"x");
        End::Exited(0)
    });
    assert_eq!(lines, ["| 0123456789", "@ failed one 7 printed more than its log limit of 10 bytes"]);
}

#[test]
fn what_can_not_be_an_output_is_refused_and_named() {
    fn made(tree: &mut Tree, root: NodeId, kind: Kind) -> End {
        folder(tree, root, "/store/one", 0o755);
        tree.add(find(tree, root, "/store/one"), b"x", kind, meta(0o644)).unwrap();
        End::Exited(0)
    }
    for (act, what) in [
        ((|tree, root, _, _| made(tree, root, Kind::Fifo(None))) as Act, "x: a FIFO"),
        (|tree, root, _, _| made(tree, root, Kind::Socket(None)), "x: a socket"),
        (|tree, root, _, _| made(tree, root, Kind::Device(1, 3)), "x: a device"),
        (
            |tree, root, _, _| {
                file(tree, root, "/store/one", 0o4755, b"");
                End::Exited(0)
            },
            ".: a set-user-id or set-group-id file",
        ),
        (
            |tree, root, _, _| {
                folder(tree, root, "/store/one", 0o2755);
                End::Exited(0)
            },
            ".: a set-group-id directory",
        ),
        (
            |tree, root, _, _| {
                let hole = file(tree, root, "/store/one", 0o644, b"");
                tree.truncate(hole, 1 << 50, 5).unwrap();
                End::Exited(0)
            },
            ".: more to read than the step's space limit",
        ),
        (
            |tree, root, _, _| {
                let mut path = String::from("/store/one");
                folder(tree, root, &path, 0o755);
                for _ in 0..256 {
                    path.push_str("/d");
                    folder(tree, root, &path, 0o755);
                }
                End::Exited(0)
            },
            "directories more than 256 deep",
        ),
    ] {
        let lines = one("groundup", ONE, act);
        let text = format!("{what} is not allowed");
        assert!(lines.len() == 1 && lines[0].starts_with("@ failed one 7 output one, "), "{lines:?}");
        assert!(lines[0].ends_with(&text), "{lines:?}");
    }
}

#[test]
fn daemons_rules_strip_bits_and_refuse_what_others_may_write() {
    let lines = one("nix", ONE, |tree, root, _, _| {
        file(tree, root, "/store/one", 0o6755, b"hi");
        End::Exited(0)
    });
    assert!(lines[0].starts_with(&format!("@ output one {}", nar(true, b"hi").0)), "{lines:?}");
    let lines = one("guix", ONE, |tree, root, _, _| {
        file(tree, root, "/store/one", 0o664, b"hi");
        End::Exited(0)
    });
    let text = "@ failed one 7 output one, .: that its group or others may write it is not allowed";
    assert_eq!(lines, [text]);
}

#[test]
fn outputs_are_held_against_the_plan() {
    let (found, _) = nar(false, b"hi");
    let flat = digits(&hash(&[b"hi"]));
    let none = "4".repeat(64);
    let act: Act = |tree, root, _, _| {
        file(tree, root, "/store/one", 0o644, b"hi");
        folder(tree, root, "/store/two", 0o755);
        file(tree, root, "/store/two/a", 0o644, b"hi");
        tree.add(find(tree, root, "/store/two"), b"l", Kind::Link(b"a"[..].into()), meta(0o777)).unwrap();
        End::Exited(0)
    };
    let two = |lines: &str| format!("output two /store/two -\n{lines}");
    for (outputs, reason) in [
        (format!("output one /store/one {found}\n"), ""),
        (format!("output one /store/one flat:{flat}\n"), ""),
        (two(&format!("expect-file a {flat}\n")), ""),
        (format!("output one /store/one {none}\n"), &*format!("output one: expected {none}, found {found}")),
        (
            format!("output one /store/one flat:{none}\n"),
            &format!("output one: expected {none}, found {flat}"),
        ),
        (
            format!("output two /store/two flat:{none}\n"),
            "output two, .: anything but a plain file is not allowed",
        ),
        (two(&format!("expect-file a {none}\n")), &format!("output two, a: expected {none}, found {flat}")),
        (
            two(&format!("expect-file l {flat}\n")),
            &format!("output two, l: expected {flat}, open: a symbolic link on the way"),
        ),
        (
            two(&format!("expect-file b/c {flat}\n")),
            &format!("output two, b/c: expected {flat}, open: no such file or directory"),
        ),
    ] {
        let lines = one("groundup", &outputs, act);
        let last =
            if reason.is_empty() { "@ built one 7".into() } else { format!("@ failed one 7 {reason}") };
        assert_eq!(lines.last(), Some(&last), "{outputs}");
    }
}

#[test]
fn archives_that_fit_are_exported_one_after_the_other() {
    let act: Act = |tree, root, _, _| {
        file(tree, root, "/store/a", 0o644, b"hi");
        file(tree, root, "/store/b", 0o644, &[b'x'; 9000]);
        file(tree, root, "/store/c", 0o755, b"hi");
        End::Exited(0)
    };
    let outputs = "output a /store/a -\noutput b /store/b -\noutput c /store/c -\n";
    let plan = format!("{}{}", head("stop"), step("one", "groundup", "", outputs));
    let (lines, _, screen) = console(image(&plan, &[]), Some(8192), act);
    let places: Vec<_> = lines[1..4].iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(places, ["0", "full", "4096"]);
    let region = screen.region.unwrap();
    for (at, executable) in [(0, false), (4096, true)] {
        let (sha256, size) = nar(executable, b"hi");
        assert_eq!(digits(&hash(&[&region[at..at + size as usize]])), sha256);
    }
}

#[test]
fn later_steps_see_the_canonical_form_and_nothing_is_left_behind() {
    let act: Act = |tree, root, step, _| {
        if tree.folder(find(tree, root, "/store")).unwrap().get(b"one").is_none() {
            folder(tree, root, "/store/one", 0o775);
            let a = file(tree, root, "/store/one/a", 0o640, b"hi");
            tree.truncate(a, 5000, 5).unwrap();
            tree.cached(a);
            tree.link(find(tree, root, "/store/one"), b"b", a, 5).unwrap();
            file(tree, root, "/build/rest", 0o644, b"rest");
            return End::Exited(0);
        }
        assert_eq!(step.entropy, hash(&[&[0x22; 32], b"two"]));
        let (a, b) = (find(tree, root, "/store/one/a"), find(tree, root, "/store/one/b"));
        assert_ne!(a, b);
        for node in [a, b, find(tree, root, "/store/one")] {
            let node = tree.get(node).unwrap();
            let mode = if matches!(node.kind, Kind::Folder(_)) { 0o555 } else { 0o444 };
            assert_eq!((node.mode, node.uid, node.gid, node.times), (mode, 0, 0, [1_000_000_000; 3]));
        }
        assert_eq!((tree.file(a).unwrap().bytes().len(), tree.file(a).unwrap().size), (5000, 5000));
        assert_eq!(tree.write_at(a, 0, b"x", 5), Err(EROFS));
        file(tree, root, "/store/two", 0o644, tree.file(b).unwrap().bytes().to_vec().as_slice());
        End::Exited(0)
    };
    let second = "bind output one/one /store/one\n";
    let plan = format!(
        "{}{}{}drop output one\ndrop output two\n",
        head("stop"),
        step("one", "groundup", "", ONE),
        step("two", "groundup", second, "output two /store/two -\n")
    );
    let (lines, mut mock, _) = console(image(&plan, &[]), None, act);
    assert_eq!(lines.last().unwrap(), "@ end 2 0 0", "{lines:?}");
    assert_eq!(mock.forgotten.len(), 1);
    let left = (0..1000).filter(|&id| mock.tree.get(NodeId(id)).is_ok()).count();
    assert_eq!((left, mock.tree.volumes()), (0, 3));
    mock.tree.begin();
}

#[test]
fn references_are_found_reported_and_bound() {
    const A: &str = "0123456789abcdfghijklmnpqrsvwxyz-a";
    const B: &str = "1123456789abcdfghijklmnpqrsvwxyz-b";
    const C: &str = "2123456789abcdfghijklmnpqrsvwxyz-c";
    let act: Act = |tree, root, _, _| {
        let store = find(tree, root, "/store");
        let there = |name: &str| tree.folder(store).unwrap().get(name.as_bytes()).is_some();
        match (there(A), there(B)) {
            (true, false) => drop(file(tree, root, &format!("/store/{B}"), 0o644, A.as_bytes())),
            (true, true) => drop(file(tree, root, &format!("/store/{C}"), 0o644, &C.as_bytes()[..32])),
            _ => return End::Exited(1),
        }
        End::Exited(0)
    };
    let sha256 = digits(&hash(&[b"hi"]));
    let plan = format!(
        "{}input {A} file {sha256}\n{}{}",
        head("stop"),
        step("b", "nix", &world(&format!("input {A} /store/{A}")), &format!("output b /store/{B} -\n")),
        step("c", "nix", &world(&format!("output b/{B} /store/{B}")), &format!("output c /store/{C} -\n")),
    );
    let entries: &[(&str, u32, &[u8])] = &[("inputs", DIRECTORY, b""), (&format!("inputs/{A}"), FILE, b"hi")];
    let lines = console(image(&plan, entries), None, act).0;
    assert_eq!(lines.last().unwrap(), "@ end 2 0 0", "{lines:?}");
    let noted: Vec<_> = lines.iter().filter(|line| line.starts_with("@ reference")).collect();
    assert_eq!(noted, [&format!("@ reference b {A}"), &format!("@ reference c {C}")]);
}

fn world(bind: &str) -> String {
    format!("dir /dev 0755 root\ndevice /dev/null null\nbind {bind}\nclosure\n")
}
