//! Two outputs of the same NAR hash are the same to the next step: what a file system keeps beside an archive's bytes (holes, blocks past
//! the end, flags, attributes, links between outputs) does not come through. On `host` as root and as `nobody`, and in `strict`.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use support::{groundup, user};

const WAYS: [&str; 6] = ["plain", "holes", "punched", "beyond", "flags", "links"];

/// Each way to make it, and who looks at it, always at the same places.
fn graph(sha256: &str) -> String {
    let steps = |way: &&str| {
        format!(
            r#""{way}": (builder: "/store/hidden", args: ["make", "{way}"], inputs: ["hidden"], outputs: ["out", "doc"]),
            "z-{way}": (builder: "/store/hidden", args: ["look", "/it", "/other"], inputs: ["hidden", "{way}", "{way}-doc"],
                mounts: {{"/it": "{way}", "/other": "{way}-doc"}}),
"#
        )
    };
    let targets: String = WAYS.iter().map(|way| format!("\"z-{way}\", ")).collect();
    format!(
        "(seeds: {{\"hidden\": (from: [File(\"hidden\")], sha256: \"{sha256}\", executable: true)}},\n\
         derivations: {{{}}}, targets: [{targets}])\n",
        WAYS.iter().map(steps).collect::<String>()
    )
}

#[test]
fn the_same_hash_is_the_same_to_the_next_step() {
    for (machine, nobody) in [("host", false), ("host", true), ("strict", false)] {
        let folder = user::folder("hidden");
        let program = folder.path().join("hidden");
        let source = support::graph("hidden").with_extension("c");
        let compiled =
            Command::new("gcc").args(["-O1", "-w", "-static", "-o"]).arg(&program).arg(source).status();
        assert!(compiled.unwrap().success(), "gcc -static: apt-get install gcc libc6-dev");
        let path = folder.path().join("hidden.ron");
        fs::write(&path, graph(&builder::hash(&fs::read(&program).unwrap()))).unwrap();
        let mut command = if nobody { user::as_nobody(folder.path()) } else { groundup() };
        let out = folder.path().join("cache/out");
        command.arg("run").arg(&path).args(["--machine", machine, "--timeout", "600", "--out"]).arg(&out);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        let hash = |name: &str| {
            let line = printed.lines().find(|line| line.ends_with(&format!("  {name}")));
            line.unwrap_or_else(|| panic!("{name}: {printed}"))[..64].to_owned()
        };
        for name in ["WAY", "WAY-doc"] {
            let made: BTreeSet<_> = WAYS.iter().map(|way| hash(&name.replace("WAY", way))).collect();
            assert_eq!(made.len(), 1, "{machine}, {name}: {printed}");
        }
        let seen = |way: &str| fs::read_to_string(out.join(format!("z-{way}"))).unwrap();
        for way in WAYS {
            assert_eq!(seen(way), seen("plain"), "{machine}, {way}");
        }
        // It was looked at: a file of one link, all of it data.
        let plain = seen("plain");
        assert!(
            plain.starts_with("large: 1048576 bytes, 2048 blocks of 4096, 1 links, mode 100444, changed 1\n"),
            "{plain}"
        );
        assert!(
            plain.contains("\ndata at 0, a hole at 1048576; data behind 16384 at 16384; flags "),
            "{plain}"
        );
        assert!(
            plain.contains("\nsmall: 6 bytes, 8 blocks of 4096, 1 links, mode 100444, changed 1\n"),
            "{plain}"
        );
    }
}
