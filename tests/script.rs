//! The plan as a shell script, run by busybox as PID 1 in the place of ours, comes to the same hashes; and an image by anyone
//! is read, and its findings are listed, without running it.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use support::{folder, groundup, need, nix_hash};

const BUSYBOX: &str = "/bin/busybox";

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = groundup().args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// What two runs of a graph printed.
struct Lanes {
    /// The hashes, which are the same.
    hashes: String,
    /// The builders' own words, by PID 1 and by the script.
    logs: [Vec<String>; 2],
}

/// Builds a graph by PID 1 and by the script, and has `compare` say that both records agree in everything.
fn agree(folder: &Path, graph: &[&str]) -> Lanes {
    need("qemu-system-x86_64", "qemu-system-x86");
    need("busybox", "busybox-static");
    let lane = |record: &str, more: &[&str]| {
        let arguments = [&["run"], graph, &["--record", record], more].concat();
        let (status, outputs, said) = run(folder, &arguments);
        assert_eq!(status, Some(0), "{said}");
        let log = said.lines().filter(|line| line.starts_with("  | ")).map(str::to_owned);
        (outputs, log.collect::<Vec<_>>())
    };
    let (hashes, by_init) = lane("init.json", &["--out", "out"]);
    let (by_script_too, by_script) = lane("script.json", &["--script", BUSYBOX]);
    assert_eq!(hashes, by_script_too);
    let (status, said, _) = run(folder, &["compare", "init.json", "script.json"]);
    assert!(status == Some(0) && said.contains("different init:"), "{said}");
    // Same plan, another image: what carries the plan out is a part of it.
    let image = |name: &str| -> Value {
        let record: Value = serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap();
        record["predicate"]["runDetails"]["byproducts"][0]["digest"]["sha256"].clone()
    };
    assert_ne!(image("init.json"), image("script.json"));
    Lanes { hashes, logs: [by_init, by_script] }
}

#[test]
fn the_seed_graph_comes_to_the_same_hashes_by_the_script() {
    let folder = folder();
    agree(folder.path(), &[]);
}

/// The graph expects the hashes that five compilers and PID 1 came to, so that an end without failures says it all.
#[test]
fn tcc_comes_to_the_hashes_that_are_expected_by_the_script() {
    let folder = folder();
    let graph = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/tcc.ron");
    let (status, outputs, said) = run(folder.path(), &["run", graph.to_str().unwrap(), "--script", BUSYBOX]);
    assert!(status == Some(0) && outputs.contains("  stage3\n"), "{said}");
}

/// Outputs, and files inside them, that are and that are not what the graph expects: by PID 1 and by the script.
#[test]
fn expectations_are_held_against_what_was_made() {
    need("busybox", "busybox-static");
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let at = folder.path();
    fs::copy(BUSYBOX, at.join("busybox")).unwrap();
    let busybox = builder::hash(&fs::read(BUSYBOX).unwrap());
    let (hi, ho) = (builder::hash(b"hi\n"), builder::hash(b"ho\n"));
    let file = "echo hi > $out; chmod 755 $out";
    let tree = "mkdir -p $out/bin; echo hi > $out/bin/a; chmod 755 $out/bin/a; echo hi > $out/'b c'; ln -s bin $out/link";
    let steps = [
        ("flat", file, format!("expect: {{\"out\": \"flat:{hi}\"}}")),
        ("flat-other", file, format!("expect: {{\"out\": \"flat:{ho}\"}}")),
        ("flat-tree", tree, format!("expect: {{\"out\": \"flat:{hi}\"}}")),
        ("files", tree, format!("expect_files: {{\"bin/a\": \"{hi}\", \"b c\": \"{hi}\"}}")),
        ("files-other", tree, format!("expect_files: {{\"bin/a\": \"{hi}\", \"b c\": \"{ho}\"}}")),
        ("files-none", tree, format!("expect_files: {{\"bin/b\": \"{hi}\"}}")),
        ("files-link", tree, format!("expect_files: {{\"link/a\": \"{hi}\"}}")),
        ("files-folder", tree, format!("expect_files: {{\"bin\": \"{hi}\"}}")),
    ];
    let derivation = |(name, script, expect): &(&str, &str, String)| {
        let inputs = "mounts: {\"/bin/sh\": \"busybox\"}, inputs: [\"busybox\"]";
        format!("{name:?}: (builder: \"/bin/sh\", args: [\"-c\", \"{script}\"], {inputs}, {expect}),\n")
    };
    let text = format!(
        "(seeds: {{\"busybox\": (from: [File(\"busybox\")], sha256: \"{busybox}\", executable: true)}},\n\
         derivations: {{{}}}, targets: [{}])\n",
        steps.iter().map(derivation).collect::<String>(),
        steps.iter().map(|(name, ..)| format!("{name:?}, ")).collect::<String>(),
    );
    fs::write(at.join("expect.ron"), text).unwrap();
    for machine in [&["--machine", "host"][..], &["--script", BUSYBOX]] {
        let arguments =
            [&["run", "expect.ron", "--cache", "cache", "--keep-going", "--json"], machine].concat();
        let (status, said, stderr) = run(at, &arguments);
        assert_eq!(status, Some(4), "{stderr}");
        let value: Value = serde_json::from_str(&said).unwrap();
        let reason = |name: &str| {
            let step = value["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap();
            step["reason"].as_str().unwrap_or(step["outcome"].as_str().unwrap()).to_owned()
        };
        assert_eq!(
            (reason("flat"), reason("files")),
            ("built".into(), "built".into()),
            "{machine:?}: {value:#}"
        );
        assert_eq!(reason("flat-other"), format!("output flat-other: expected {ho}, found {hi}"));
        assert_eq!(reason("flat-tree"), "output flat-tree, .: anything but a plain file is not allowed");
        let other = reason("files-other").replace("b\\x20c", "b c");
        assert_eq!(other, format!("output files-other, b c: expected {ho}, found {hi}"));
        for (name, path) in [("files-none", "bin/b"), ("files-link", "link/a"), ("files-folder", "bin")] {
            let begins = format!("output {name}, {path}: expected {hi}, ");
            assert!(reason(name).starts_with(&begins), "{machine:?}: {}", reason(name));
        }
        // What stands is a result; what a failed step made is a part of the error.
        let names = |list: &str| -> Vec<&str> {
            value[list].as_array().unwrap().iter().map(|output| output["name"].as_str().unwrap()).collect()
        };
        assert_eq!(names("outputs"), ["files", "flat"]);
        assert!(names("outputsOfFailedSteps").contains(&"flat-other"), "{value:#}");
        let without: Vec<_> = arguments.iter().filter(|&&word| word != "--json").copied().collect();
        let (_, printed, stderr) = run(at, &without);
        assert_eq!(printed.lines().map(|line| &line[66..]).collect::<Vec<_>>(), ["files", "flat"]);
        assert!(stderr.contains("failed  flat-other: its output flat-other came out as "), "{stderr}");
    }
    let on_host =
        ["run", "expect.ron", "--cache", "cache", "--keep-going", "--machine", "host", "--out", "out"];
    let (_, _, stderr) = run(at, &on_host);
    let there = |name: &str| at.join("out").join(name).exists();
    assert!(there("flat") && !there("flat-other"), "{stderr}");
    assert!(there(".failed/flat-other") && !there(".failed/flat"), "{stderr}");
}

/// A source is only read, by PID 1 and by the script: what is in it is run by no kernel unless the graph says so.
#[test]
fn sources_are_mounted_noexec() {
    need("busybox", "busybox-static");
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let at = folder.path();
    fs::create_dir(at.join("tree")).unwrap();
    fs::copy(BUSYBOX, at.join("busybox")).unwrap();
    fs::write(at.join("tree/script"), "#!/bin/sh\necho ran\n").unwrap();
    let tar = "chmod 755 tree/script && tar cf tree.tar tree";
    assert!(Command::new("sh").args(["-c", tar]).current_dir(at).status().unwrap().success());
    let hash = |name: &str| builder::hash(&fs::read(at.join(name)).unwrap());
    let (busybox, tree) = (hash("busybox"), hash("tree.tar"));
    let script = "for tree in data open seed; do /store/$tree/script || echo $tree: $?; done; sh /store/data/script; \
                  /again/script || echo again: $?; cp -R /store/data $out; $out/script";
    let text = format!(
        "(seeds: {{\"busybox\": (from: [File(\"busybox\")], sha256: \"{busybox}\", executable: true),\n\
             \"seed\": (from: [File(\"tree.tar\")], sha256: \"{tree}\", unpack: true, strip: 1)}},\n\
         sources: {{\"data\": (from: [File(\"tree.tar\")], sha256: \"{tree}\", unpack: true, strip: 1),\n\
             \"open\": (from: [File(\"tree.tar\")], sha256: \"{tree}\", unpack: true, strip: 1, exec: true)}},\n\
         derivations: {{\"runs\": (builder: \"/bin/sh\", args: [\"-c\", \"{script}\"],\n\
             mounts: {{\"/bin/sh\": \"busybox\", \"/again/script\": \"data/script\"}},\n\
             inputs: [\"busybox\", \"seed\", \"data\", \"open\"])}}, targets: [\"runs\"])\n"
    );
    fs::write(at.join("runs.ron"), text).unwrap();
    for machine in [&["--machine", "host"][..], &["--script", BUSYBOX]] {
        let (status, _, said) = run(at, &[&["run", "runs.ron", "--cache", "cache"], machine].concat());
        assert_eq!(status, Some(0), "{said}");
        let log: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("  | ")).collect();
        let log: Vec<_> = log.into_iter().filter(|line| !line.contains("ermission denied")).collect();
        assert_eq!(log, ["data: 126", "ran", "ran", "ran", "again: 126", "ran"], "{machine:?}: {said}");
    }
    let (_, plan, _) = run(at, &["plan", "runs.ron", "--cache", "cache"]);
    for (name, kind) in [("data", "data"), ("open", "tree"), ("seed", "tree"), ("busybox", "exec")] {
        assert!(plan.contains(&format!("input {name} {kind} ")), "{plan}");
    }
    let (_, tcb, _) = run(at, &["tcb", "runs.ron", "--cache", "cache"]);
    let (runs, read) =
        tcb.split_once("Sources whose programs may be run").unwrap().1.split_once("Only read").unwrap();
    assert!(runs.contains("  open  (") && read.contains("  data  (") && !read.contains("  open  ("), "{tcb}");
}

/// A tree with whatever a name, a link and a mode may be, as an input and made by a step.
#[test]
fn odd_trees_have_the_same_hashes_by_the_script() {
    let folder = folder();
    let at = folder.path();
    let tree = at.join("tree");
    fs::create_dir_all(tree.join("empty")).unwrap();
    for name in [
        "a",
        "a-b",
        "a.b",
        "-n",
        ".hidden",
        "..two",
        "*",
        "[a]",
        " space",
        "é",
        "\u{1}",
        "line\nfeed",
        "\\n",
        "%s",
        "~",
    ] {
        fs::write(tree.join(name), name.repeat(3)).unwrap();
    }
    fs::create_dir(tree.join("a+")).unwrap();
    fs::write(tree.join("a+/x"), "").unwrap();
    symlink("target\n", tree.join("link")).unwrap();
    symlink("nowhere", tree.join(".link")).unwrap();
    let tar = Command::new("tar").args(["cf", "tree.tar", "tree"]).current_dir(at).status();
    assert!(tar.unwrap().success());
    fs::copy(BUSYBOX, at.join("busybox")).unwrap();
    let hash = |name: &str| builder::hash(&fs::read(at.join(name)).unwrap());
    let make = "set -e; cp -R /store/tree $out; cd $out; chmod -R u+w .; echo run > run; chmod 700 run; \
                printf '\\000\\377' > bytes; mkdir -p deep/er/still; ln -s ../run deep/er/run; : > deep/nothing; \
                id -u; id -g; pwd; umask; hostname; date +%Y; echo $0; ulimit -n; env; ls -ld . /tmp /store /dev/null";
    let text = format!(
        "(seeds: {{\"busybox\": (from: [File(\"busybox\")], sha256: \"{}\", executable: true)}},\n\
         sources: {{\"tree\": (from: [File(\"tree.tar\")], sha256: \"{}\", unpack: true, strip: 1)}},\n\
         derivations: {{\n\
             \"odd\": (builder: \"/store/busybox\", args: [\"sh\", \"-c\", \"{}\"],\n\
                 mounts: {{\"/bin/sh\": \"busybox\"}}, env: {{\"QUOTE\": \"it's \\\"so\\\" $HOME\"}}, inputs: [\"busybox\", \"tree\"]),\n\
             \"again\": (builder: \"/store/busybox\", args: [\"cp\", \"-R\", \"/store/odd\", \"/store/again\"],\n\
                 inputs: [\"busybox\", \"odd\"]),\n\
         }}, targets: [\"again\"])\n",
        hash("busybox"),
        hash("tree.tar"),
        make.replace('\\', "\\\\").replace('"', "\\\""),
    );
    fs::write(at.join("odd.ron"), text).unwrap();
    let lanes = agree(at, &["odd.ron", "--cache", "cache"]);
    let (first, second) = lanes.hashes.trim().split_once('\n').unwrap();
    assert_eq!(first.split(' ').next(), second.split(' ').next());
    // Nix knows the same hash.
    assert_eq!(Some(nix_hash(&at.join("out/odd")).as_str()), first.split(' ').next());
    // What the builder saw of its surroundings is the same, too.
    assert!(lanes.logs[0].len() > 10);
    assert_eq!(lanes.logs[0], lanes.logs[1]);
}

#[test]
fn failures_end_as_they_do_by_pid_1() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let at = folder.path();
    fs::copy(BUSYBOX, at.join("busybox")).unwrap();
    let sha256 = builder::hash(&fs::read(at.join("busybox")).unwrap());
    let step = |name: &str, script: &str, more: &str| {
        format!(
            "\"{name}\": (builder: \"/store/busybox\", args: [\"sh\", \"-c\", \"{script}\"], inputs: [\"busybox\"]{more}),\n"
        )
    };
    let steps = [
        step("a-status", "exit 3", ""),
        step("b-nothing", "true", ""),
        step("c-signal", "kill -9 $$", ""),
        step("d-expect", "echo > $out", &format!(", expect: {{\"out\": \"{}\"}}", "0".repeat(64))),
        step("e-good", "echo > $out; sleep 1000 &", ""),
        // The last line has no end, and the next event is none of it.
        step("g-unended", "echo > $out; printf '@ built x 1'", ""),
        step("h-no-signal", "exit 255", ""),
        "\"f-needs\": (builder: \"/store/busybox\", args: [\"true\"], inputs: [\"busybox\", \"a-status\"]),\n".into(),
    ];
    let names =
        "\"b-nothing\", \"c-signal\", \"d-expect\", \"e-good\", \"f-needs\", \"g-unended\", \"h-no-signal\"";
    let text = format!(
        "(seeds: {{\"busybox\": (from: [File(\"busybox\")], sha256: \"{sha256}\", executable: true)}},\n\
         derivations: {{{}}}, targets: [{names}])\n",
        steps.concat()
    );
    fs::write(at.join("failing.ron"), text).unwrap();
    let ends = |more: &[&str]| {
        let arguments =
            [&["run", "failing.ron", "--keep-going", "--json", "--cache", "cache"], more].concat();
        let (status, said, _) = run(at, &arguments);
        let mut value: Value = serde_json::from_str(&said).unwrap();
        for step in value["steps"].as_array_mut().unwrap() {
            step["milliseconds"] = Value::Null;
            // The shell that is PID 1 says of a step that a signal killed it, which comes into the log.
            step["log"] = Value::Null;
        }
        (status, value["steps"].clone(), value["outputs"].clone())
    };
    let by_init = ends(&[]);
    assert_eq!(by_init.0, Some(4));
    assert_eq!(ends(&["--script", BUSYBOX]), by_init);
}

#[test]
fn images_are_read_and_their_findings_listed() {
    need("busybox", "busybox-static");
    let folder = folder();
    let at = folder.path();
    for (name, more) in [("plain", &[][..]), ("packed", &["--xz"]), ("script", &["--script", BUSYBOX])] {
        assert_eq!(run(at, &[&["image", "-o", name], more].concat()).0, Some(0));
        let (status, said, _) = run(at, &["verify-image", name]);
        assert!(status == Some(0) && said.contains("No findings."), "{name}: {said}");
        for line in ["run by hex0-self", "seen by hex0-self", "  hex1: /store/hex0-self", "7 steps"] {
            assert!(said.contains(line), "{name}: {line}\n{said}");
        }
    }
    let (_, said, _) = run(at, &["verify-image", "script", "--json"]);
    let value: Value = serde_json::from_str(&said).unwrap();
    assert!(value["init"]["what"].as_str().unwrap().contains("shell script"), "{value}");
    assert_eq!(value["others"][0]["path"], "/bin/busybox");

    // Unpacked and packed again by cpio as anyone may, each time with something changed.
    need("cpio", "cpio");
    let tampered = |change: &str| {
        let script = format!(
            "rm -rf x && mkdir x && cd x && cpio --quiet -id < ../plain && chmod -R u+w . && {change} && \
             find . -mindepth 1 | sed 's,^./,,' | LC_ALL=C sort | cpio --quiet -o -H newc --reproducible -R 0:0 > ../changed"
        );
        assert!(
            Command::new("sh").args(["-c", &script]).current_dir(at).status().unwrap().success(),
            "{change}"
        );
        let (status, said, _) = run(at, &["verify-image", "changed"]);
        assert_eq!(status, Some(1), "{change}: {said}");
        said
    };
    for (change, says) in [
        ("true", "finding: the archive is none that groundup writes"),
        ("echo >> init", "finding: /init is not known"),
        ("echo >> inputs/hex0", "finding: the input hex0 is not what the plan says"),
        ("rm inputs/hex0", "finding: the input hex0 is not in the image"),
        ("echo > inputs/more", "finding: /inputs/more is nothing that the plan names"),
        ("mkdir etc && echo > etc/rc", "finding: /etc/rc is nothing that the plan names"),
        ("sed -i s/^uid.1000/uid\\ 0/ plan", "finding: /plan, line"),
        ("rm plan", "finding: there is no /plan"),
        ("rm init", "finding: there is no /init"),
        ("chmod a-x init", "finding: /init can not be executed"),
        // What stands in a link's place is not what is run.
        ("mv plan real && ln -s real plan", "finding: /plan is a symbolic link to \"real\", not a file"),
        ("mv init real && ln -s real init", "finding: /init is a symbolic link to \"real\", not a file"),
        ("ln plan again", "finding: /plan is a hard link, not a file"),
        ("rm plan && mkdir plan", "finding: /plan is a directory, not a file"),
        (
            "mv inputs real && ln -s real inputs",
            "finding: /inputs is a symbolic link to \"real\", not a directory",
        ),
        (
            "rm inputs/hex0 && ln -s /init inputs/hex0",
            "finding: the input hex0 is not in the image, or not as the exec",
        ),
        ("chmod a-x inputs/hex0", "finding: the input hex0 is not in the image, or not as the exec"),
    ] {
        let said = tampered(change);
        assert!(said.contains(says), "{change}: {said}");
    }
    // A kernel goes on behind the first xz stream, and what comes later stands.
    let packed = fs::read(at.join("packed")).unwrap();
    for more in [&packed[..], &fs::read(at.join("changed")).unwrap(), &[0; 512]] {
        fs::write(at.join("longer"), [&packed, more].concat()).unwrap();
        let (status, said, _) = run(at, &["verify-image", "longer"]);
        assert!(status == Some(1) && said.contains("behind the end of xz"), "{said}");
    }
    // 300 MB in some kilobytes.
    let zeros = r#"head -c 300000000 /dev/zero | xz -0 > bomb"#;
    assert!(Command::new("sh").args(["-c", zeros]).current_dir(at).status().unwrap().success());
    let (status, _, said) = run(at, &["verify-image", "bomb"]);
    assert!(status == Some(2) && said.contains("more than 268435456 bytes unpacked"), "{said}");
    assert_eq!(run(at, &["verify-image", "/dev/zero"]).0, Some(2));
    fs::write(at.join("garbage"), "hello").unwrap();
    let cut = fs::read(at.join("packed")).unwrap();
    fs::write(at.join("cut"), &cut[..cut.len() / 2]).unwrap();
    for name in ["garbage", "cut", "none"] {
        assert_eq!(run(at, &["verify-image", name]).0, Some(2), "{name}");
    }
}
