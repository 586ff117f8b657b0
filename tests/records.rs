//! The record is enough to build again, it has the shape that in-toto and SLSA publish, and a build that failed is recorded,
//! signed and compared like any other.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::{Map, Value};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{groundup, need};

/// A graph of two steps: a file beside the graph, assembled by the seed graph's assembler, and what comes of that.
fn graph(folder: &Path, expect: &str) {
    let seed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/seed.ron")).unwrap();
    let (seed, _) = graphs::load("seed.ron", &seed).unwrap();
    let hex0 = &seed.seeds["hex0"];
    let graphs::Place::Hex(text) = &hex0.from[0] else { panic!("the seed is in hex") };
    fs::write(folder.join("hex0"), graphs::hex::decode(text).unwrap()).unwrap();
    fs::write(folder.join("letters.hex"), "68 65 6c 6c 6f 0a ; hello\n").unwrap();
    let sha256 = builder::hash(&fs::read(folder.join("letters.hex")).unwrap());
    let text = format!(
        "(seeds: {{\"hex0\": (from: [File(\"hex0\")], sha256: \"{}\", executable: true)}},\n\
         sources: {{\"letters\": (from: [File(\"letters.hex\")], sha256: \"{sha256}\")}},\n\
         derivations: {{\n\
             \"hello\": (builder: \"/store/hex0\", args: [\"/store/letters\", \"/store/hello\"],\n\
                 inputs: [\"hex0\", \"letters\"]{expect}),\n\
         }}, targets: [\"hello\"])\n",
        builder::hash(&fs::read(folder.join("hex0")).unwrap())
    );
    fs::write(folder.join("hello.ron"), text).unwrap();
}

/// Debian's kernel where every user can read it.
fn kernel(folder: &Path) -> PathBuf {
    need("qemu-system-x86_64", "qemu-system-x86");
    let output = groundup().arg("kernel").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let place = folder.join("kernel");
    fs::copy(said.trim().split_once("  ").unwrap().1, &place).unwrap();
    fs::set_permissions(&place, Permissions::from_mode(0o644)).unwrap();
    place
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn value(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn from_record_and_sources_alone_another_user_builds_the_same() {
    let temporary = tempfile::tempdir().unwrap();
    fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).unwrap();
    let (here, there) = (temporary.path().join("here"), temporary.path().join("over there/deeper"));
    fs::create_dir_all(&here).unwrap();
    fs::create_dir_all(&there).unwrap();
    fs::set_permissions(&there, Permissions::from_mode(0o777)).unwrap();
    let kernel = kernel(temporary.path());
    graph(&here, "");
    let mut first = groundup();
    first.args(["run", "hello.ron", "--record", "record.json", "--cache", "cache", "--kernel"]).arg(&kernel);
    let (status, outputs, said) = run(first.current_dir(&here));
    assert_eq!(status, Some(0), "{said}");
    check_statement(&value(&here.join("record.json")));

    // The record and the sources are taken along, and nothing else.
    for name in ["record.json", "hex0", "letters.hex"] {
        fs::copy(here.join(name), there.join(name)).unwrap();
    }
    let program = temporary.path().join("groundup");
    fs::copy(groundup().get_program(), &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let again = |arguments: &[&str]| {
        let mut command = match rustix::process::geteuid().is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
                command
            }
            false => Command::new(&program),
        };
        command.args(["run", "--from", "record.json", "--kernel"]).arg(&kernel).args(arguments);
        command.current_dir(&there).env("HOME", &there).env("TZ", "Asia/Tokyo").env("LC_ALL", "tr_TR.UTF-8");
        run(&mut command)
    };
    let (status, second, said) = again(&["--record", "again.json"]);
    assert_eq!((status, &second), (Some(0), &outputs), "{said}");
    assert!(said.contains("as the record says: 1 output identical, the same image"), "{said}");
    let bytes = |folder: &Path, name: &str| fs::read(folder.join(name)).unwrap();
    assert!(bytes(&here, "record.json") == bytes(&there, "again.json"), "the records differ");

    // Sources elsewhere are found by --graph-dir.
    fs::create_dir(there.join("sources")).unwrap();
    fs::rename(there.join("letters.hex"), there.join("sources/letters.hex")).unwrap();
    fs::rename(there.join("hex0"), there.join("sources/hex0")).unwrap();
    let (status, _, said) = again(&["--graph-dir", "sources", "--cache", "other"]);
    assert_eq!(status, Some(0), "{said}");
    // What can no longer be had is said; so is what is not what it was.
    let (status, _, said) = again(&["--cache", "third"]);
    assert!(status == Some(2) && said.contains("hex0") && said.contains("letters"), "{said}");
    fs::write(there.join("sources/letters.hex"), "68\n").unwrap();
    let (status, _, said) = again(&["--graph-dir", "sources", "--cache", "fourth"]);
    assert!(status == Some(2) && said.contains("letters") && said.contains("sha256"), "{said}");
    // A record that was changed does not pass for the one it was.
    let text = fs::read_to_string(there.join("record.json")).unwrap();
    let hash = outputs.split_whitespace().next().unwrap();
    fs::write(there.join("record.json"), text.replace(hash, &"0".repeat(64))).unwrap();
    fs::copy(here.join("letters.hex"), there.join("sources/letters.hex")).unwrap();
    let (status, _, said) = again(&["--graph-dir", "sources"]);
    assert!(status == Some(1) && said.contains("not as the record says: hello"), "{said}");
    let plan = value(&there.join("record.json"))["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]["sha256"].as_str().unwrap().to_owned();
    fs::write(there.join("record.json"), text.replace(&plan, &"0".repeat(64))).unwrap();
    let (status, _, said) = again(&["--graph-dir", "sources"]);
    assert!(status == Some(1) && said.contains("and not the record's 0000"), "{said}");
    let cut = text.replacen("\"content\": \"", "\"content\": \"AAAA", 1);
    fs::write(there.join("record.json"), cut).unwrap();
    let (status, _, said) = again(&["--graph-dir", "sources"]);
    assert!(status == Some(2) && said.contains("does not have the hash that it should have"), "{said}");
}

#[test]
fn a_mismatch_is_recorded_signed_and_compared() {
    let folder = support::folder();
    let at = folder.path();
    let kernel = kernel(at);
    let lane = |name: &str, expect: &str| {
        graph(at, expect);
        let mut command = groundup();
        command.args(["run", "hello.ron", "--cache", "cache", "--record", name, "--kernel"]).arg(&kernel);
        run(command.current_dir(at))
    };
    assert_eq!(lane("good.json", "").0, Some(0));
    let wrong = format!(", expect: {{\"out\": \"{}\"}}", "0".repeat(64));
    let (status, _, said) = lane("bad.json", &wrong);
    assert!(status == Some(4) && said.contains("expected 0000"), "{said}");
    check_statement(&value(&at.join("bad.json")));
    let gu = |arguments: &[&str]| run(groundup().args(arguments).current_dir(at));
    assert_eq!(gu(&["key", "new", "key", "--comment", "alice"]).0, Some(0));
    assert_eq!(gu(&["sign", "bad.json", "--key", "key"]).0, Some(0));
    let (status, said, _) = gu(&["verify", "bad.dsse.json", "--keys", "key.pub", "--json"]);
    assert!(status == Some(0) && said.contains("failed: output hello: expected 0000"), "{said}");
    // What it made all the same is what the other made.
    let (status, said, _) = gu(&["compare", "good.json", "bad.dsse.json"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("1 (100.0%) were identical") && said.contains("hello failed: output hello"),
        "{said}"
    );
    assert!(said.contains("2 different plans"), "{said}");
}

/// The fields of an object: those that are allowed, and of them those that must be there.
fn fields<'a>(place: &str, value: &'a Value, required: &[&str], optional: &[&str]) -> &'a Map<String, Value> {
    let object = value.as_object().unwrap_or_else(|| panic!("{place} is no object: {value}"));
    for name in required {
        assert!(object.contains_key(*name), "{place} has no {name}");
    }
    for name in object.keys() {
        assert!(required.contains(&name.as_str()) || optional.contains(&name.as_str()), "{place} has {name}");
    }
    object
}

/// in-toto's `spec/v1/resource_descriptor.md`: at least one of uri, digest and content.
fn descriptor(place: &str, value: &Value, needs_digest: bool) {
    let all = ["name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"];
    let object = fields(place, value, &[], &all);
    assert!(["uri", "digest", "content"].iter().any(|name| object.contains_key(*name)), "{place}");
    for (name, digest) in object.get("digest").map(|set| set.as_object().unwrap()).into_iter().flatten() {
        let hex = digest.as_str().unwrap();
        assert!(
            name == "sha256" && hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{place}"
        );
    }
    assert!(!needs_digest || object.contains_key("digest"), "{place}");
    for name in ["name", "uri", "content", "downloadLocation", "mediaType"] {
        assert!(object.get(name).is_none_or(Value::is_string), "{place}.{name}");
    }
    assert!(object.get("annotations").is_none_or(Value::is_object), "{place}.annotations");
}

fn descriptors(place: &str, value: &Value, needs_digest: bool) {
    for (number, value) in value.as_array().unwrap().iter().enumerate() {
        descriptor(&format!("{place}[{number}]"), value, needs_digest);
    }
}

/// in-toto's `spec/v1/statement.md` and SLSA's `provenance/v1`, by their lists of fields.
fn check_statement(statement: &Value) {
    fields("statement", statement, &["_type", "subject", "predicateType", "predicate"], &[]);
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    descriptors("subject", &statement["subject"], true);
    let predicate = &statement["predicate"];
    fields("predicate", predicate, &["buildDefinition", "runDetails"], &[]);
    let definition = &predicate["buildDefinition"];
    let optional = ["internalParameters", "resolvedDependencies"];
    fields("buildDefinition", definition, &["buildType", "externalParameters"], &optional);
    assert!(definition["buildType"].as_str().is_some_and(|kind| kind.contains(':')), "a type is a URI");
    assert!(definition["externalParameters"].is_object() && definition["internalParameters"].is_object());
    descriptor("graph", &definition["externalParameters"]["graph"], true);
    descriptors("resolvedDependencies", &definition["resolvedDependencies"], false);
    let details = &predicate["runDetails"];
    fields("runDetails", details, &["builder"], &["metadata", "byproducts"]);
    let builder = fields("builder", &details["builder"], &["id"], &["builderDependencies", "version"]);
    assert!(builder["id"].as_str().is_some_and(|id| id.contains(':')), "an id is a URI");
    descriptors("builderDependencies", &builder["builderDependencies"], false);
    for (name, version) in builder["version"].as_object().unwrap() {
        assert!(version.is_string(), "version {name}");
    }
    descriptors("byproducts", &details["byproducts"], false);
}

#[test]
#[should_panic(expected = "subject[0]")]
fn the_check_of_the_shape_can_fail() {
    check_statement(&serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1",
        "subject": [{ "name": "a" }], "predicate": {},
    }));
}
