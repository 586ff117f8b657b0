//! Looking into things: logs of steps, pictures of graphs, differences of files, hashes, the form of a graph, the host.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::{folder, groundup, need};

fn run(folder: &Path, arguments: &str) -> Output {
    groundup().args(arguments.split(' ')).current_dir(folder).output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A graph of two steps; the second one fails.
fn graph(folder: &Path) {
    fs::copy(support::busybox(), folder.join("busybox")).unwrap();
    let sha256 = builder::hash(&fs::read(folder.join("busybox")).unwrap());
    let text = format!(
        "(seeds: {{\"busybox\": (from: [File(\"busybox\")], sha256: \"{sha256}\", executable: true)}},\n\
         derivations: {{\n\
         \"first\": (builder: \"/store/busybox\", args: [\"sh\", \"-c\", \"echo one; echo; echo two >&2; echo 1 > $out\"], inputs: [\"busybox\"]),\n\
         \"second\": (builder: \"/store/busybox\", args: [\"sh\", \"-c\", \"echo broken; exit 3\"], inputs: [\"busybox\", \"first\"]),\n\
         \"third\": (builder: \"/store/busybox\", args: [\"sh\", \"-c\", \"echo never\"], inputs: [\"busybox\", \"second\"]),\n\
         }}, targets: [\"third\"])\n"
    );
    fs::write(folder.join("graph.ron"), text).unwrap();
}

#[test]
fn every_steps_log_is_kept_with_its_record() {
    let folder = folder();
    let at = folder.path();
    graph(at);
    for machine in ["host", "native"] {
        let record = format!("{machine}.json");
        let output = run(at, &format!("run graph.ron --machine {machine} --record {record}"));
        assert_eq!(output.status.code(), Some(4), "{:?}", said(&output));
        assert_eq!(said(&run(at, &format!("log first {record}"))).1, "one\n\ntwo\n", "{machine}");
        let (status, text, notes) = said(&run(at, "log second"));
        assert_eq!((status, text.as_str()), (Some(0), "broken\n"));
        assert!(notes.contains(&format!("no RECORD is named: {record} in this folder is taken")), "{notes}");
        assert_eq!(
            fs::read_to_string(at.join(format!("{machine}.json.logs/second.log"))).unwrap(),
            "broken\n"
        );
        let (status, _, notes) = said(&run(at, &format!("log third {record}")));
        assert!(status == Some(2) && notes.contains("third.log"), "{notes}");
        let (status, _, notes) = said(&run(at, &format!("log none {record}")));
        assert!(status == Some(2) && notes.contains("the steps in it: first, second, third"), "{notes}");
    }
    // What was changed is seen, also beside a signed record.
    run(at, "key new key");
    run(at, "sign host.json --key key");
    assert_eq!(said(&run(at, "log first host.dsse.json")).0, Some(0));
    fs::write(at.join("host.json.logs/first.log"), "all is well\n").unwrap();
    let (status, text, notes) = said(&run(at, "log first host.dsse.json"));
    assert_eq!((status, text.as_str()), (Some(1), "all is well\n"));
    assert!(notes.contains("not the log that the record has the hash of"), "{notes}");
}

#[test]
fn a_graph_is_drawn_with_full_names_and_equal_bytes() {
    let folder = folder();
    let at = folder.path();
    let ladder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/ladder.ron");
    let draw = |more: &str| {
        let output =
            groundup().arg("graph").arg(&ladder).args(more.split(' ')).current_dir(at).output().unwrap();
        let (status, text, notes) = said(&output);
        assert_eq!(status, Some(0), "{notes}");
        text
    };
    let svg = draw("--format svg");
    assert_eq!(svg, draw("--format svg"));
    for name in [">sapling.sprout</text>", ">04-directives.sprout</text>", "prefers-color-scheme:dark"] {
        assert!(svg.contains(name), "{name}");
    }
    let focused = draw("--focus hex1 --format dot");
    assert!(focused.contains("\"hex0-self\"") && focused.contains("\"sapling\""));
    assert!(!focused.contains("\"join.sprout\""), "{focused}");
    assert!(draw("--format mermaid").starts_with("flowchart LR\n"));
    // A browser shows it.
    need("chromium", "chromium");
    draw("--format html -o page.html");
    let mut browser = Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    let page = browser.arg(format!("file://{}", at.join("page.html").display())).output().unwrap();
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    assert!(page.contains("<svg") && page.contains("<td>sapling</td>"), "{page:.500}");
}

#[test]
fn two_files_folders_or_nars_differ_in_a_place() {
    let folder = folder();
    let at = folder.path();
    for (name, text) in [("one", "a\nhello\n"), ("other", "a\nhullo\n")] {
        fs::create_dir(at.join(name)).unwrap();
        fs::write(at.join(name).join("text"), text).unwrap();
    }
    fs::write(at.join("other/more"), "").unwrap();
    let (status, text, _) = said(&run(at, "diff one one"));
    assert_eq!((status, text.as_str()), (Some(0), "the same\n"));
    let (status, text, _) = said(&run(at, "diff one other"));
    assert_eq!(status, Some(1));
    for part in [
        "more: only the other has it",
        "text: 8 against 8 bytes",
        "byte 3, line 2: 1 differ",
        "a.hello.",
        "a.hullo.",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let (status, text, _) = said(&run(at, "diff one/text other/text"));
    assert!(status == Some(1) && text.starts_with(".: 8 against 8 bytes"), "{text}");
    assert_eq!(said(&run(at, "diff one none")).0, Some(2));
    need("nix-store", "nix-bin");
    let dump = Command::new("nix-store").args(["--dump", "one"]).current_dir(at).output().unwrap();
    fs::write(at.join("one.nar"), dump.stdout).unwrap();
    assert_eq!(said(&run(at, "diff one.nar one")).0, Some(0));
    assert_eq!(said(&run(at, "diff one.nar other")).0, Some(1));
}

#[test]
fn hashes_are_those_of_nix_and_of_sha256sum() {
    let folder = folder();
    let at = folder.path();
    fs::create_dir(at.join("tree")).unwrap();
    fs::write(at.join("tree/file"), "hi\n").unwrap();
    let (_, text, _) = said(&run(at, "hash tree"));
    assert!(text.starts_with(&format!("nar   {}  sha256-", support::nix_hash(&at.join("tree")))), "{text}");
    let (_, text, _) = said(&run(at, "hash tree/file"));
    let sha256sum = Command::new("sha256sum").arg(at.join("tree/file")).output().unwrap();
    let hex = String::from_utf8(sha256sum.stdout).unwrap()[..64].to_owned();
    let script =
        "import base64, sys; print('sha256-' + base64.b64encode(bytes.fromhex(sys.argv[1])).decode())";
    let sri = Command::new("python3").args(["-c", script, &hex]).output().unwrap();
    let sri = String::from_utf8(sri.stdout).unwrap().trim().to_owned();
    assert!(text.starts_with(&format!("flat  {hex}  {sri}\n")), "{text}{sri}");
    // A graph takes it as it is printed.
    let graph = |hash: &str| {
        let text = format!(
            "(seeds: {{\"a\": (from: [File(\"tree/file\")], sha256: \"{hash}\", executable: true)}},\n\
             derivations: {{\"b\": (builder: \"/store/a\", inputs: [\"a\"])}}, targets: [\"b\"])\n"
        );
        fs::write(at.join("graph.ron"), text).unwrap();
        said(&run(at, "plan graph.ron"))
    };
    let (by_hex, by_sri) = (graph(&hex), graph(&sri));
    assert_eq!(by_hex.1, by_sri.1);
    assert!(by_sri.0 == Some(0) && by_sri.1.contains(&hex), "{by_sri:?}");
    let other = graph(&sri.replace(&sri[10..20], &sri[11..21]));
    assert_eq!(other.0, Some(2), "{other:?}");
}

#[test]
fn a_graph_is_formatted_and_says_the_same() {
    let folder = folder();
    let at = folder.path();
    graph(at);
    let text = fs::read_to_string(at.join("graph.ron")).unwrap();
    let (status, _, notes) = said(&run(at, "fmt graph.ron --check"));
    assert!(status == Some(1) && notes.contains("not as `groundup fmt` writes it"), "{notes}");
    assert_eq!(fs::read_to_string(at.join("graph.ron")).unwrap(), text);
    let plan = said(&run(at, "plan graph.ron")).1;
    assert_eq!(said(&run(at, "fmt graph.ron")).0, Some(0));
    assert_eq!(said(&run(at, "fmt graph.ron --check")).0, Some(0));
    assert_eq!(said(&run(at, "plan graph.ron")).1, plan);
    // What comes with the program is in that form or becomes it without another meaning, and twice is once.
    let graphs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs");
    for name in ["seed.ron", "ladder.ron", "tcc.ron", "trojan.ron"] {
        let text = fs::read_to_string(graphs.join(name)).unwrap();
        let once = graphs::format(&text);
        assert_eq!(graphs::read(name, &text).unwrap(), graphs::read(name, &once).unwrap(), "{name}");
        assert_eq!(graphs::format(&once), once, "{name}");
        assert_eq!(text.matches("//").count(), once.matches("//").count(), "{name}");
    }
}

#[test]
fn a_doctor_tries_and_says_what_to_do() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let (status, text, notes) = said(&run(folder.path(), "doctor"));
    assert_eq!(status, Some(0), "{text}{notes}");
    for part in ["works      native    ", "works      host      ", "works      strict    "] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // Three machines, one hash.
    let hashes: Vec<_> = text.lines().filter_map(|line| line.split(" s: ").nth(1)).collect();
    assert!(hashes.len() == 3 && hashes.iter().all(|hash| *hash == hashes[0]), "{text}");
    let mut command = groundup();
    command.arg("doctor").env("PATH", folder.path());
    let (status, text, _) = said(&command.output().unwrap());
    assert_eq!(status, Some(5), "{text}");
    assert!(text.contains("fails      strict") && text.contains("apt-get install qemu-system-x86"), "{text}");
}

/// No package is fetched for it: there is nothing that a lock file could hold.
#[test]
fn a_lock_file_is_checked_without_being_written() {
    let folder = folder();
    let at = folder.path();
    graph(at);
    assert_eq!(said(&run(at, "lock graph.ron --check")).0, Some(0));
    // What no input asks for any more is not to be there.
    let entry = "(files: [Wheel(package: \"six\", version: \"1\", sha256: \"SHA\", size: 1, file: \"six-1-py3-none-any.whl\")])";
    let text = format!("(version: 1, inputs: {{\"gone\": {entry}}})").replace("SHA", &"ab".repeat(32));
    fs::write(at.join("graph.lock.ron"), &text).unwrap();
    let (status, said_text, notes) = said(&run(at, "lock graph.ron --check"));
    assert!(status == Some(1) && said_text.contains("gone: six 1 is gone"), "{said_text}{notes}");
    assert_eq!(fs::read_to_string(at.join("graph.lock.ron")).unwrap(), text);
    let (status, _, notes) = said(&run(at, "lock graph.ron --update busybox"));
    assert!(status == Some(2) && notes.contains("no input of this name is left open"), "{notes}");
}
