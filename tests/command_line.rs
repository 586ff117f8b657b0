//! What a program that runs `groundup` relies on: JSON alone on standard output, exit statuses, an end when it is asked to end,
//! completions, manual pages, and a `--help` that is true.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{folder, groundup, machines, need, send};

/// Runs it and reads its standard output as one JSON value.
fn json(arguments: &[&str], folder: &Path) -> (Option<i32>, Value, String) {
    let output = groundup().args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{arguments:?}: {error}: {}\n{said}", String::from_utf8_lossy(&output.stdout))
    });
    (output.status.code(), value, said)
}

#[test]
fn json_stands_alone_on_standard_output() {
    let folder = folder();
    let (status, value, _) = json(&["check", "--json"], folder.path());
    assert_eq!((status, &value["problems"]), (Some(0), &serde_json::json!([])));
    let (status, value, _) = json(&["image", "-o", "image", "--json"], folder.path());
    assert_eq!(status, Some(0));
    assert_eq!(value["image"], builder::hash(&fs::read(folder.path().join("image")).unwrap()));
    need("qemu-system-x86_64", "qemu-system-x86");
    let (status, value, _) = json(&["tcb", "--json"], folder.path());
    assert_eq!(status, Some(0));
    assert!(value["trustedBytes"].as_u64() > Some(0), "{value}");
    let (status, value, said) = json(&["run", "--json"], folder.path());
    assert_eq!((status, &value["error"]), (Some(0), &Value::Null));
    assert!(value["outputs"].as_array().unwrap().len() > 1 && said.contains("built   "), "{value}{said}");
}

/// A step that is never built, only planned.
const UNBUILT: &str = "(seeds: {\"a\": (from: [Text(\"x\")], executable: true, \
    sha256: \"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\")},\n\
    derivations: {\"only-here\": (builder: \"/store/a\", inputs: [\"a\"])}, targets: [\"only-here\"])\n";

#[test]
fn a_graph_that_is_not_named_is_the_one_here_or_said_to_be_built_in() {
    let folder = folder();
    let says = |arguments: &[&str]| {
        let output = groundup().args(arguments).current_dir(folder.path()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    for command in ["check", "lock", "plan", "run", "ddc", "probe", "script", "tcb", "show", "image"] {
        let (status, stdout, stderr) = says(&[command, ""]);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{command}: {stderr}");
        assert!(stderr.contains("the name of the graph is empty"), "{command}: {stderr}");
    }
    assert_eq!(says(&["verify", "record", "--keys", "keys", "--graph", ""]).0, Some(2));

    let built_in = "warning: no GRAPH is named, and there is no graph.ron in this folder";
    let (status, stdout, stderr) = says(&["check"]);
    assert_eq!(status, Some(0));
    assert!(stdout.starts_with("seed.ron (the seed graph that is built into groundup): good"), "{stdout}");
    assert!(stderr.contains(built_in), "{stderr}");
    for arguments in [&["plan"][..], &["script"], &["lock"], &["image", "-o", "x"]] {
        assert!(says(arguments).2.contains(built_in), "{arguments:?}");
    }
    let (_, value, _) = json(&["image", "-o", "x", "--json"], folder.path());
    assert!(value["graph"].as_str().unwrap().contains("built into groundup"), "{value}");

    fs::write(folder.path().join("graph.ron"), UNBUILT).unwrap();
    let (status, stdout, stderr) = says(&["check"]);
    assert_eq!((status, stdout.as_str()), (Some(0), "graph.ron: good, 1 step\n"), "{stderr}");
    assert!(stderr.contains("no GRAPH is named: graph.ron in this folder is taken"), "{stderr}");
    assert!(says(&["plan"]).1.contains("\nstep only-here\n"));
    assert!(says(&["script"]).1.contains("only-here"));
    let (_, value, _) = json(&["image", "-o", "x", "--json"], folder.path());
    assert_eq!(value["graph"], "graph.ron");
}

#[test]
fn options_that_would_change_nothing_are_refused() {
    let folder = folder();
    fs::write(folder.path().join("graph.ron"), UNBUILT).unwrap();
    let graph = "graph.ron";
    for (arguments, option) in [
        (&["run", graph, "--cpus", "2"][..], "--cpus"),
        (&["run", graph, "--cpus", "2", "--machine", "host"], "--cpus"),
        (&["run", graph, "--machine", "host", "--qemu", "/usr/bin/qemu-system-x86_64"], "--qemu"),
        (&["run", graph, "--machine", "host", "--kernel", "minimal"], "--kernel"),
        (&["run", graph, "--export", "64"], "--out"),
        (&["run", graph, "--store", "."], "--store"),
        (&["check", graph, "--inputs", "."], "--inputs"),
        (&["plan", graph, "--sh", "/bin/sh"], "--sh"),
        (&["tcb", graph, "--stop-at", "x"], "--stop-at"),
        (&["image", graph, "-o", "x", "--space", "7"], "--space"),
        (&["probe", graph, "--machine", "host", "--qemu", "x"], "--qemu"),
        (&["probe", graph, "--machine", "host", "--other-kernel", "x"], "--other-kernel"),
        (&["probe", graph, "--keys", "x"], "--others"),
        (&["verify", "x", "--keys", "/dev/null", "--choose", "a=b"], "--choose"),
    ] {
        let output = groundup().args(arguments).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(option), "{arguments:?}: {said}");
    }
}

/// Names and texts of strangers, wherever they are printed.
#[test]
fn no_terminal_takes_orders_from_what_strangers_wrote() {
    let folder = folder();
    let orders = ['\u{1b}', '\u{202e}', '\u{9b}', '\u{200b}'];
    let name = "x\u{1b}[2J\u{202e}\u{9b}\u{200b}y";
    let at = |ending: &str| folder.path().join(format!("{name}{ending}"));
    let quiet = |arguments: &[&std::ffi::OsStr]| {
        let output = groundup().args(arguments).current_dir(folder.path()).output().unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains(orders), "{arguments:?}: {text:?}");
        }
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    fs::write(at(".ron"), UNBUILT.replace("only-here", name)).unwrap();
    let graph = at(".ron");
    for more in [&["check"][..], &["check", "--json"], &["plan"], &["tcb", "--json"]] {
        let arguments: Vec<_> = more.iter().map(|word| word.as_ref()).chain([graph.as_os_str()]).collect();
        assert!(quiet(&arguments).contains("202e"), "{more:?}");
    }
    fs::write(at(".list"), format!("{}  {name}\n", "1".repeat(64))).unwrap();
    fs::write(at(".other"), format!("{}  {name}\n", "2".repeat(64))).unwrap();
    for more in [None, Some("--json".as_ref())] {
        let (list, other) = (at(".list"), at(".other"));
        let arguments = ["compare".as_ref(), list.as_os_str(), other.as_os_str()];
        assert!(quiet(&arguments.into_iter().chain(more).collect::<Vec<_>>()).contains("202e"));
    }
    let record = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1", "subject": [],
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:groundup:plan:1",
                "externalParameters": { "choices": {}, "targets": [], "graph": {
                    "name": format!("{name}.ron"), "content": "KA==", "mediaType": "text/plain",
                    "digest": { "sha256": builder::hash(b"(") },
                } },
                "internalParameters": { "machine": "host", "arguments": [], "carriedOver": [] },
                "resolvedDependencies": [],
            },
            "runDetails": { "builder": { "id": "", "version": {}, "builderDependencies": [] }, "byproducts": [] },
        },
    });
    fs::write(folder.path().join("record"), record.to_string()).unwrap();
    assert!(quiet(&["run", "--from", "record"].map(AsRef::as_ref)).contains("202e"));
}

#[test]
fn json_tells_failures_too() {
    let folder = folder();
    fs::write(folder.path().join("bad.ron"), "(derivations: {}, targets: [\"a\"])\n").unwrap();
    let (status, value, said) = json(&["check", "bad.ron", "--json"], folder.path());
    assert_eq!((status, &value["problems"][0]["line"]), (Some(2), &Value::from(1)));
    assert!(said.contains("bad.ron:1:"), "{said}");
    for arguments in [
        &["check", "none.ron", "--json"][..],
        &["run", "bad.ron", "--json"],
        &["image", "bad.ron", "-o", "x", "--json"],
        &["image", "-o", "none/x", "--json"],
        &["tcb", "bad.ron", "--json"],
        &["run", "--json", "--kernel", "none"],
    ] {
        let (status, value, said) = json(arguments, folder.path());
        assert_eq!((status, value["status"].as_i64()), (Some(2), Some(2)), "{value}");
        assert!(!value["problems"].as_array().unwrap().is_empty() && said.contains("error: "), "{value}");
    }
    let (status, value, _) = json(&["tcb", "--json", "--qemu", "/none"], folder.path());
    assert_eq!((status, value["status"].as_i64()), (Some(5), Some(5)), "{value}");
}

/// A graph of one step: a static program of two bytes that jumps to itself.
fn endless() -> String {
    let header = "7f454c46 02010100 0000000000000000 0200 3e00 01000000 7800400000000000 4000000000000000 \
        0000000000000000 00000000 4000 3800 0100 0000 0000 0000 01000000 05000000 0000000000000000 \
        0000400000000000 0000400000000000 7a00000000000000 7a00000000000000 0010000000000000 ebfe";
    let sha256 = builder::hash(&graphs::hex::decode(header).unwrap());
    format!(
        "(seeds: {{\"spin\": (from: [Hex(\"{header}\")], sha256: \"{sha256}\", executable: true)}},\n\
         derivations: {{\"endless\": (builder: \"/store/spin\", inputs: [\"spin\"])}}, targets: [\"endless\"])\n"
    )
}

#[test]
fn ctrl_c_ends_the_machine_and_leaves_the_record() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("endless.ron"), endless()).unwrap();
    let kernel = groundup().arg("kernel").output().unwrap();
    let kernel = String::from_utf8(kernel.stdout).unwrap();
    let kernel = kernel.trim().split_once("  ").unwrap().1;
    for signal in ["INT", "TERM"] {
        let mut command = groundup();
        command.args([
            "run",
            "endless.ron",
            "--cache",
            "cache",
            "--record",
            "record",
            "--console",
            "console",
            "--json",
        ]);
        command.args(["--kernel", kernel]).current_dir(folder.path());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while !fs::read_to_string(at("console")).is_ok_and(|text| text.contains("@ step endless")) {
            assert!(begun.elapsed() < Duration::from_secs(120), "the step never began");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(machines(folder.path()).len(), 1);
        send(signal, &child);
        let asked = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("error: cancelled by a signal"), "{said}");
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(value["error"], "cancelled by a signal");
        assert!(fs::read_to_string(at("record")).unwrap().contains("cancelled by a signal"));
        assert_eq!(machines(folder.path()), [""; 0]);
        assert_eq!(fs::read_dir(at("cache/tmp")).unwrap().count(), 0);
        fs::remove_file(at("record")).unwrap();
        fs::remove_file(at("console")).unwrap();
    }
}

/// Two lanes that never end.
#[test]
fn an_interrupted_ddc_gives_no_verdict() {
    let folder = folder();
    let seed = endless();
    let seed = &seed[seed.find("(from:").unwrap()..seed.find("},").unwrap()];
    let graph = format!(
        "(seeds: {{\"spin\": {seed}, \"spun\": {seed}}},\n\
         choices: {{\"c\": (default: \"one\", of: {{\"one\": (inputs: [\"spin\"], builder: \"/store/spin\"),\n\
             \"two\": (inputs: [\"spun\"], builder: \"/store/spun\")}})}},\n\
         derivations: {{\"endless\": (builder: \"c\", inputs: [\"c\"])}}, targets: [\"endless\"])\n"
    );
    fs::write(folder.path().join("endless.ron"), graph).unwrap();
    for more in [None, Some("--json")] {
        let mut command = groundup();
        command.args(["ddc", "endless.ron", "--over", "c", "--machine", "host", "--jobs", "2"]).args(more);
        let mut child =
            command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut begun = 0;
        for line in std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap())) {
            begun += usize::from(line.unwrap().contains("step 1/1: endless"));
            if begun == 2 {
                break;
            }
        }
        send("INT", &child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8(output.stdout).unwrap();
        if more.is_none() {
            assert!(said.starts_with("INTERRUPTED; incomplete: one, two\n"), "{said}");
            assert!(said.contains("inconclusive") && !said.contains("agrees"), "{said}");
            assert!(said.ends_with("Lanes that are incomplete: one, two.\n"), "{said}");
            continue;
        }
        let value: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&value["interrupted"], &value["agree"]), (&Value::from(true), &Value::from(false)));
        assert_eq!(value["incomplete"], serde_json::json!(["one", "two"]));
        assert_eq!(value["outputs"][0]["verdict"], "inconclusive");
    }
}

#[test]
fn completions_and_manual_pages_are_made() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = groundup().args(["completions", shell]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("keep-going"), "{shell}: {text}");
    }
    let folder = folder();
    assert!(groundup().arg("man").arg(folder.path()).status().unwrap().success());
    let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(page("groundup.1").contains("Exit status"));
    for command in ["check", "lock", "plan", "image", "run", "ddc", "probe", "tcb", "kernel"] {
        assert!(page(&format!("groundup-{command}.1")).contains(".TH groundup"), "{command}");
    }
}

#[test]
fn without_a_home_the_cache_is_here() {
    let folder = folder();
    let mut command = groundup();
    command.arg("plan").current_dir(folder.path()).env_remove("HOME").env_remove("XDG_CACHE_HOME");
    assert!(command.output().unwrap().status.success());
    assert!(folder.path().join(".groundup-cache/files").is_dir());
}

#[test]
fn help_names_statuses_and_environment() {
    let output = groundup().arg("--help").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for word in
        ["0  as asked", "3  the machine failed", "XDG_CACHE_HOME", "NO_PROXY", "SSL_CERT_FILE", "TMPDIR"]
    {
        assert!(text.contains(word), "{text}");
    }
}
