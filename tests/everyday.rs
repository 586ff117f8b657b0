//! The acceptance of everyday use: from an empty folder to two equal hashes, by the commands of the documentation, which are counted.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Output;
use support::{folder, groundup};

/// A person at work in a folder.
struct Role<'a> {
    folder: &'a Path,
    commands: usize,
}

impl Role<'_> {
    fn run(&mut self, arguments: &str) -> Output {
        self.commands += 1;
        groundup().args(arguments.split(' ')).current_dir(self.folder).output().unwrap()
    }

    fn good(&mut self, arguments: &str) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "groundup {arguments}: {:?}\n{said}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Who bootstraps: GNU hello by configure and make, twice, in at most six commands and one run that fails on purpose.
#[test]
fn hello_from_nothing_to_two_equal_hashes() {
    let folder = folder();
    let mut role = Role { folder: folder.path(), commands: 0 };
    role.good("init --template c");
    let locked = role.good("lock");
    assert!(locked.contains("packages that these need (new)"), "{locked}");
    let first = role.good("run --machine host --record first.json");
    let second = role.good("run --machine host --record second.json");
    let verdict = role.good("compare first.json second.json");
    assert!(role.commands <= 6);
    assert_eq!(first, second);
    assert!(first.ends_with("  hello\n") && verdict.contains("identical     hello"), "{first}{verdict}");

    // The run that fails: a package list that is too short says so before anything is built.
    let graph = folder.path().join("graph.ron");
    let text = fs::read_to_string(&graph).unwrap();
    let short = text.replace("dependencies: true,", "").replace("pick:", "// pick:");
    let packages = short.find("packages: [").unwrap();
    let end = packages + short[packages..].find(']').unwrap();
    let short = format!("{}packages: [\"bash\", \"gcc\"{}", &short[..packages], &short[end..]);
    fs::write(&graph, short).unwrap();
    role.good("lock");
    let failed = role.run("run --machine host");
    let said = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(2), "{said}");
    for part in [
        "/lib comes from the input `tools`, which has no `lib`",
        "did the package list leave out libc6?",
        "graph.ron:",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

/// A graph that is there is not written over.
#[test]
fn init_leaves_a_graph_alone() {
    let folder = folder();
    let mut role = Role { folder: folder.path(), commands: 0 };
    role.good("init --template empty");
    let again = role.run("init --template c");
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"));
    assert!(role.good("check").contains("good, 1 step"));
}
