//! That every command prints, with `--json`, one value of the documented form: `docs/json.schema.json` holds for all of them.
//! Python's `jsonschema` is the judge.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::{folder, groundup, need};

/// Reads JSON values, one a line, and says which do not fit the schema.
const VALIDATE: &str = "
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
judge = jsonschema.Draft202012Validator(schema)
for number, line in enumerate(open(sys.argv[2])):
    for error in judge.iter_errors(json.loads(line)):
        print(number, list(error.absolute_path), error.message[:300])
";

fn schema() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/json.schema.json")
}

/// What the judge objects to.
fn objections(values: &[Value], folder: &Path) -> String {
    let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
    fs::write(folder.join("values"), lines).unwrap();
    let mut command = Command::new("python3");
    let output = command.args(["-c", VALIDATE]).arg(schema()).arg(folder.join("values")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "apt-get install python3-jsonschema\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

fn value(output: &Output) -> Value {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let value: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}\n{stdout}\n{stderr}"));
    assert_eq!(value["status"].as_i64(), output.status.code().map(i64::from), "{value:#}\n{stderr}");
    value
}

/// A graph with a step that is good, one that fails, and a choice.
fn write_graphs(folder: &Path) {
    fs::copy(support::busybox(), folder.join("busybox")).unwrap();
    let sha256 = builder::hash(&fs::read(folder.join("busybox")).unwrap());
    let seed = format!(
        "seeds: {{\"busybox\": (from: [File(\"busybox\")], sha256: \"{sha256}\", executable: true)}}"
    );
    let way = |name: &str, line: &str| {
        format!(
            "\"{name}\": (inputs: [\"busybox\"], builder: \"/store/busybox\", args: [\"sh\", \"-c\", \"{line}\"])"
        )
    };
    let graph = |one: &str, other: &str| {
        format!(
            "({seed}, choices: {{\"way\": (default: \"one\", of: {{{}, {}}})}},\n\
             derivations: {{\"it\": (builder: \"way\", inputs: [\"way\"])}}, targets: [\"it\"])\n",
            way("one", one),
            way("other", other)
        )
    };
    fs::write(folder.join("good.ron"), graph("echo 1 > $out", "echo 2 > $out")).unwrap();
    fs::write(folder.join("failing.ron"), graph("echo no; exit 3", "echo 2 > $out")).unwrap();
    fs::write(folder.join("bad.ron"), "(derivations: {},\n targets: [\"a\"])\n").unwrap();
    fs::write(folder.join("broken.ron"), "(derivations: {},\n targets: [\"a\")\n").unwrap();
}

/// Each with the exit status that it ends with.
const COMMANDS: &[(&str, i64)] = &[
    ("--version", 0),
    ("nonsense", 2),
    ("run --no-such-option", 2),
    ("init new --template empty", 0),
    ("init new --template empty", 2),
    ("check good.ron", 0),
    ("check bad.ron", 2),
    ("check broken.ron", 2),
    ("check none.ron", 2),
    ("lock good.ron", 0),
    ("plan good.ron", 0),
    ("plan bad.ron", 2),
    ("image good.ron -o image", 0),
    ("image good.ron --usb disk", 0),
    ("run good.ron --machine host --record one.json --out out-one", 0),
    ("run good.ron --machine host --choose way=other --record other.json --out out-other", 0),
    ("run failing.ron --machine host --record failed.json", 4),
    ("run good.ron --machine strict --qemu /none", 5),
    ("run bad.ron", 2),
    ("lock good.ron --check", 0),
    ("lock good.ron --update none", 2),
    ("fmt good.ron --check", 1),
    ("fmt good.ron", 0),
    ("fmt bad.ron --check", 1),
    ("fmt broken.ron", 2),
    ("doctor", 0),
    ("log it one.json", 0),
    ("log none one.json", 2),
    ("graph good.ron", 0),
    ("graph good.ron --format html --focus it -o page.html", 0),
    ("graph good.ron --focus none", 2),
    ("diff out-one out-other", 1),
    ("diff out-one out-one", 0),
    ("diff out-one none", 2),
    ("hash out-one", 0),
    ("hash good.ron", 0),
    ("hash none", 2),
    ("ddc good.ron --over way --machine host", 1),
    ("ddc good.ron --over none --machine host", 2),
    ("probe good.ron --machine host --vary date", 0),
    ("compare one.json one.json", 2),
    ("compare a=one.json b=one.json", 0),
    ("compare one.json other.json --outputs one.json=out-one --outputs other.json=out-other", 1),
    ("key new mine", 0),
    ("sign one.json --key mine", 0),
    ("sign none.json --key mine", 2),
    ("verify one.dsse.json --keys mine.pub", 0),
    ("verify other.json --keys mine.pub", 2),
    ("script good.ron", 0),
    ("script good.ron -o script", 0),
    ("verify-image image", 0),
    ("verify-image disk", 0),
    ("tcb good.ron --usb", 0),
    ("tcb good.ron --usb --kernel none", 2),
    ("cache --cache own", 0),
    ("cache --cache own --limit 1", 0),
    ("kernel footing", 0),
    ("completions fish", 0),
    ("man pages", 0),
    ("show good.ron", 2),
];

#[test]
fn every_command_prints_one_value_of_the_documented_form() {
    need("python3", "python3-jsonschema");
    let folder = folder();
    let at = folder.path();
    write_graphs(at);
    let mut values = Vec::new();
    for (words, status) in COMMANDS {
        let mut command = groundup();
        let output = command.args(words.split(' ')).arg("--json").current_dir(at).output().unwrap();
        let value = value(&output);
        assert_eq!(value["status"], *status, "{words}: {value:#}");
        values.push(value);
    }
    values.push(shown(at));
    let objections = objections(&values, at);
    assert!(objections.is_empty(), "{objections}");

    // All that there is was asked for.
    let kinds: BTreeSet<&str> = values.iter().map(|value| value["kind"].as_str().unwrap()).collect();
    let text = fs::read_to_string(schema()).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let described = schema["properties"]["kind"]["enum"].as_array().unwrap();
    assert_eq!(kinds, described.iter().map(|kind| kind.as_str().unwrap()).collect());
    let command = <builder::args::Arguments as clap::CommandFactory>::command();
    for command in command.get_subcommands().map(clap::Command::get_name) {
        assert!(kinds.contains(command), "no test of `groundup {command} --json`");
    }
}

/// A derivation of Nix.
fn shown(folder: &Path) -> Value {
    let expression = "{ box }: { two = derivation { name = \"two\"; system = \"x86_64-linux\"; builder = \"/bin/sh\"; }; }";
    fs::write(folder.join("it.nix"), expression).unwrap();
    let derivation = &support::nix::instantiate(&folder.join("it.nix"), &support::nix::tools(folder))["two"];
    value(&groundup().arg("show").arg(derivation).arg("--json").output().unwrap())
}

/// The twin: what does not fit is seen.
#[test]
fn the_schema_refuses_what_is_not_of_the_form() {
    need("python3", "python3-jsonschema");
    let folder = folder();
    let good = serde_json::json!({ "schema": "groundup/1", "kind": "sign", "status": 0, "path": "x" });
    for (field, value) in [("schema", "groundup/2"), ("kind", "none"), ("status", "0"), ("more", "x")] {
        let mut bad = good.clone();
        assert_eq!(objections(&[bad.clone()], folder.path()), "");
        bad[field] = value.into();
        assert!(!objections(&[bad], folder.path()).is_empty(), "{field}");
    }
}

/// Where a problem is: file, line and column.
#[test]
fn errors_say_where() {
    let folder = folder();
    write_graphs(folder.path());
    for (command, graph, line, column) in
        [("run", "bad.ron", 2, 12), ("check", "bad.ron", 2, 12), ("plan", "broken.ron", 2, 15)]
    {
        let output = groundup().args([command, graph, "--json"]).current_dir(folder.path()).output().unwrap();
        let value = value(&output);
        let problems = value["problems"].as_array().unwrap();
        let here = |problem: &&Value| problem["line"] == line && problem["column"] == column;
        let problem = problems.iter().find(here).unwrap_or_else(|| panic!("{value:#}"));
        assert_eq!(problem["file"], graph);
    }
}
