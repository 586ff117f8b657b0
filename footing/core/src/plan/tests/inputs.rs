//! Images and inputs.

use super::support::{DIRECTORY, FILE, LINK, console, digits, head, image, step};
use crate::kernel::End;
use crate::plan::hash;
use formats::nar::{Discard, Encoder, Hashed};
use std::format;
use std::string::String;

const NONE: &str = "3333333333333333333333333333333333333333333333333333333333333333";

fn lines(image: &'static [u8]) -> std::vec::Vec<String> {
    console(image, None, |_, _, _, _| End::Exited(0)).0
}

/// What is said of one input.
fn input(kind: &str, sha256: &str, entries: &[(&str, u32, &[u8])]) -> String {
    let lines = lines(image(&format!("{}input it {kind} {sha256}\n", head("stop")), entries));
    assert_eq!(lines[1..], ["@ end 0 0 0"]);
    lines[0].clone()
}

#[test]
fn an_image_or_a_plan_that_is_none_is_fatal() {
    assert_eq!(lines(b""), ["@ fatal open /plan: no such file or directory"]);
    assert_eq!(lines(b"hi"), ["@ fatal the image has no entry at byte 0"]);
    // What is expected there is said in more words where `formats` is built for the host too.
    let other = lines(image("groundup plan 2\n", &[]));
    assert_eq!(other.len(), 1);
    assert!(other[0].starts_with("@ fatal /plan, line 1: expected "), "{other:?}");
    // A mistake behind the plan is found before anything is done.
    let good = image(&format!("{}input it file {NONE}\n", head("stop")), &[("inputs/it", FILE, b"x")]);
    let cut: &'static [u8] = good[..good.len() - 8].to_vec().leak();
    assert_eq!(lines(cut).len(), 1);
    assert!(lines(cut)[0].starts_with("@ fatal the image has no entry at byte "), "{:?}", lines(cut));
}

#[test]
fn the_plan_is_named_by_its_hash() {
    let plan = head("stop");
    let (_, _, screen) = console(image(&plan, &[]), None, |_, _, _, _| End::Exited(0));
    let first = format!("@ groundup 1 {}\n@ end 0 0 0\n", digits(&hash(&[plan.as_bytes()])));
    assert_eq!(screen.text, first);
}

#[test]
fn files_are_pinned_by_their_bytes() {
    let sha256 = digits(&hash(&[b"hi"]));
    let it: &[(&str, u32, &[u8])] = &[("inputs", DIRECTORY, b""), ("inputs/it", FILE, b"hi")];
    assert_eq!(input("file", &sha256, it), format!("@ input it {sha256}"));
    assert_eq!(input("exec", &sha256, it), format!("@ input it {sha256}"));
    assert_eq!(input("exec", NONE, it), format!("@ bad-input it expected {NONE}, found {sha256}"));
    assert_eq!(input("exec", &format!("{NONE} unverified"), it), "@ input it unverified");
    assert_eq!(input("file", NONE, &[]), "@ bad-input it .: chmod: no such file or directory");
    assert_eq!(input("tree", NONE, &[]), "@ bad-input it .: lstat: no such file or directory");
    let other = "a file that is no plain file, directory or symbolic link";
    assert_eq!(input("file", NONE, &[("inputs/it", DIRECTORY, b"")]), format!("@ bad-input it .: {other}"));
}

#[test]
fn trees_are_pinned_by_their_archives() {
    let mut discard = Discard;
    let mut nar = Encoder::new(&mut discard, Hashed::Archive);
    nar.directory();
    nar.child(b"a");
    nar.directory();
    nar.child(b"x");
    nar.file(true, 2);
    nar.data(b"hi");
    nar.file_end();
    nar.child_done();
    nar.leave();
    nar.child_done();
    nar.child(b"b");
    nar.symlink(b"a/x");
    nar.child_done();
    nar.leave();
    let sha256 = digits(&nar.finish().0);
    let good: [(&str, u32, &[u8]); 5] = [
        ("inputs/it", DIRECTORY, b""),
        ("inputs/it/a", DIRECTORY, b""),
        ("inputs/it/a/x", FILE | 0o100, b"hi"),
        ("inputs/it/b", LINK, b"a/x"),
        ("inputs/other", FILE, b""),
    ];
    assert_eq!(input("tree", &sha256, &good), format!("@ input it {sha256}"));
    let mut other = good;
    other[2].1 = FILE;
    assert!(input("data", &sha256, &other).starts_with("@ bad-input it expected "));
    for (at, name, place) in [
        (3, "inputs/it/a", "a"),
        (3, "inputs/it/a/w", "a/w"),
        (3, "inputs/it/c/d", "c/d"),
        (2, "inputs/it/a/x/y", "a/x/y"),
    ] {
        let mut wrong = good;
        wrong[at].0 = name;
        let said = format!("@ bad-input it {place}: an image out of order");
        assert_eq!(input("tree", &sha256, &wrong), said, "{name}");
    }
    let mut wrong = good;
    wrong[3].0 = "inputs/it/..";
    wrong[1].0 = "inputs/it/#";
    wrong[2].0 = "inputs/it/#/x";
    let said = input("tree", &sha256, &wrong);
    assert_eq!(
        said,
        "@ bad-input it ..: an image out of order"
            .replace("an image out of order", "symlink: exists already")
    );
}

#[test]
fn steps_whose_inputs_are_not_there_are_skipped() {
    let sha256 = digits(&hash(&[b"hi"]));
    let (one, two) = (
        step("one", "groundup", "bind input it /store/sh\n", "output one /store/one -\n"),
        step("two", "groundup", "bind output one/one/sub /store/sh\n", "output two /store/two -\n"),
    );
    let plan = |failure, hash: &str| format!("{}input it exec {hash}\n{one}{two}", head(failure));
    let entries: &[(&str, u32, &[u8])] = &[("inputs/it", FILE, b"hi")];
    let bad = format!("@ bad-input it expected {NONE}, found {sha256}");
    let needs = "@ skipped one it needs it";
    assert_eq!(
        lines(image(&plan("continue", NONE), entries)),
        [&bad, needs, "@ skipped two it needs one/one", "@ end 0 0 2"]
    );
    assert_eq!(
        lines(image(&plan("stop", NONE), entries)),
        [&bad, needs, "@ skipped two an earlier step was not built", "@ end 0 0 2"]
    );
    assert_eq!(
        lines(image(&plan("continue", &sha256), entries)),
        [
            &format!("@ input it {sha256}"),
            "@ step one",
            "@ failed one 7 output one was not made",
            "@ skipped two it needs one/one",
            "@ end 0 1 1"
        ]
    );
    let dropped = plan("continue", &sha256).replace("step one\n", "drop input it\nstep one\n");
    assert_eq!(lines(image(&dropped, entries))[1], needs);
}
