//! `groundup compare` over records of every form: who agrees, how many must, where outputs differ, and what is no record.
//! Nothing here boots a machine; oracles are Nix, gcc, readelf and diffoscope.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{folder, groundup, need, nix_hash};

struct Said {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

fn compare(folder: &Path, arguments: &[&str]) -> Said {
    let output = groundup().arg("compare").args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn json_of(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let said = compare(folder, &[arguments, &["--json"]].concat());
    let value = serde_json::from_str(&said.stdout);
    (said.status, value.unwrap_or_else(|error| panic!("{error}: {}\n{}", said.stdout, said.stderr)))
}

/// A record as `run` writes it, with only what is compared.
fn record(plan: &str, outputs: &[(&str, &str)]) -> Value {
    let subject: Vec<_> = outputs
        .iter()
        .map(|(name, digit)| {
            json!({ "name": name, "digest": { "sha256": digit.repeat(64) }, "mediaType": "application/x-nix-nar" })
        })
        .collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:groundup:plan:1",
                "resolvedDependencies": [
                    { "name": "plan", "digest": { "sha256": plan.repeat(64) } },
                    { "name": "cc", "digest": { "sha256": plan.repeat(64) } },
                ],
            },
            "runDetails": { "byproducts": [] },
        },
    })
}

fn write(folder: &Path, name: &str, value: &Value) {
    fs::write(folder.join(name), value.to_string()).unwrap();
}

#[test]
fn three_records_agreements_disagreements_gaps_and_plans() {
    let folder = folder();
    let at = folder.path();
    write(at, "a.json", &record("1", &[("same", "a"), ("two", "b"), ("three", "c")]));
    write(at, "b.json", &record("1", &[("same", "a"), ("two", "b"), ("three", "d")]));
    let mut failed = record("2", &[("same", "a"), ("two", "e")]);
    failed["predicate"]["runDetails"]["byproducts"] = json!([{ "name": "report", "annotations": { "steps": [
        { "name": "same", "outcome": "built" }, { "name": "three", "outcome": "failed", "reason": "exit status 1" },
    ] } }]);
    write(at, "c.json", &failed);

    let (status, value) = json_of(at, &["a.json", "b.json", "c.json"]);
    assert_eq!(status, Some(1));
    let verdicts: Vec<_> =
        value["outputs"].as_array().unwrap().iter().map(|output| &output["verdict"]).collect();
    assert_eq!(verdicts, ["identical", "differs", "differs"]);
    let groups = |output: usize| -> Vec<&Value> {
        value["outputs"][output]["groups"].as_array().unwrap().iter().map(|group| &group["parties"]).collect()
    };
    assert_eq!(groups(0), [&json!(["a.json", "b.json", "c.json"])]);
    assert_eq!(value["outputs"][1]["name"], "three");
    assert_eq!(groups(1), [&json!(["a.json"]), &json!(["b.json"])]);
    assert_eq!(groups(2), [&json!(["a.json", "b.json"]), &json!(["c.json"])]);
    assert_eq!(
        value["outputs"][1]["missing"],
        json!([{ "party": "c.json", "reason": "failed: exit status 1" }])
    );
    assert_eq!(value["counts"], json!({ "outputs": 3, "identical": 1, "differs": 2, "inconclusive": 0 }));
    assert_eq!(value["plans"].as_array().unwrap().len(), 2);
    assert_eq!(value["toldApart"][0]["name"], "cc");

    let said = compare(at, &["a.json", "b.json", "c.json", "--require", "2"]);
    assert_eq!(said.status, Some(1));
    for line in [
        "3 outputs compared:",
        "  - 1 (33.3%) were identical",
        "  - 2 (66.7%) differed",
        "  - 0 (0.0%) were inconclusive",
        "agreed on by 2 of 3: 2 (66.7%)",
        "2 different plans:",
        "  c.json: failed: exit status 1",
    ] {
        assert!(said.stdout.lines().any(|told| told == line), "{line}\n{}", said.stdout);
    }
    assert!(said.stderr.contains("1 of 3 outputs: not agreed on by 2 of 3; 2 differ"), "{}", said.stderr);

    let asked =
        |more: &[&str]| compare(at, &[&["a.json", "b.json", "c.json"], more].concat()).status.unwrap();
    assert_eq!(asked(&["--output", "same"]), 0);
    assert_eq!(asked(&["--output", "same", "--output", "two"]), 1);
    assert_eq!(asked(&["--output", "same", "--output", "two", "--require", "2"]), 0);
    assert_eq!(asked(&["--output", "none"]), 2);
    assert_eq!(asked(&["--require", "4"]), 2);
    // Two files under one label are one party, and so are not two of two.
    assert_eq!(compare(at, &["x=a.json", "x=b.json"]).status, Some(2));
    assert_eq!(compare(at, &["x=a.json", "x=b.json", "y=a.json", "--output", "three"]).status, Some(1));
}

#[test]
fn fifty_records_add_up() {
    let folder = folder();
    let names: Vec<_> = (0..50).map(|number| format!("{number:02}.json")).collect();
    for (number, name) in names.iter().enumerate() {
        let digits = ["0", "1", "2", "3", "4", "5", "6"];
        let mut outputs = vec![("all", "a"), ("sevenths", digits[number % 7])];
        if number % 2 == 0 {
            outputs.push(("half", "b"));
        }
        if number == 49 {
            outputs.push(("one", "c"));
        }
        write(folder.path(), name, &record(digits[number % 2], &outputs));
    }
    let arguments: Vec<_> = names.iter().map(String::as_str).chain(["--require", "25"]).collect();
    let (status, value) = json_of(folder.path(), &arguments);
    assert_eq!(status, Some(1));
    assert_eq!(value["counts"], json!({ "outputs": 4, "identical": 2, "differs": 1, "inconclusive": 1 }));
    assert_eq!((value["met"].as_u64(), value["require"].as_u64()), (Some(2), Some(25)));
    let length = |value: &Value| value.as_array().unwrap().len();
    for output in value["outputs"].as_array().unwrap() {
        let agreeing: usize =
            output["groups"].as_array().unwrap().iter().map(|group| length(&group["parties"])).sum();
        assert_eq!(agreeing + length(&output["missing"]), 50, "{}", output["name"]);
    }
    // 50 = 7 * 7 + 1
    let groups = value["outputs"][3]["groups"].as_array().unwrap();
    let sizes: Vec<_> = groups.iter().map(|group| length(&group["parties"])).collect();
    assert_eq!(sizes, [8, 7, 7, 7, 7, 7, 7]);
    let plans: Vec<_> =
        value["plans"].as_array().unwrap().iter().map(|plan| length(&plan["parties"])).collect();
    assert_eq!(plans, [25, 25]);
}

/// A store path told in every form that Nix has, by Nix, and in Guix's and ours.
#[test]
fn records_of_nix_guix_and_sha256sum_are_read() {
    need("nix-store", "nix-bin");
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("hello"), "hello\n").unwrap();
    let nix = |arguments: &[&str]| {
        let mut command = Command::new("nix-store");
        command.args(arguments).current_dir(at).env("NIX_REMOTE", at.join("root")).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let hash = |kind: &str| {
        let mut command = Command::new("nix");
        command.args(["--extra-experimental-features", "nix-command", "hash", "path", kind, "hello"]);
        let output = command.current_dir(at).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let path = nix(&["--add", "hello"]);
    let (nar, size) = (nix_hash(&at.join("hello")), 120);
    let (base32, sri) = (hash("--base32"), hash("--sri"));
    let base = path.rsplit('/').next().unwrap();

    let narinfo = format!(
        "StorePath: {path}\nURL: nar/x.nar.xz\nCompression: xz\nNarHash: sha256:{base32}\nNarSize: {size}\n\
         References: \nDeriver: x.drv\nSig: cache-1:AAAA\n"
    );
    fs::write(at.join("nix.narinfo"), narinfo).unwrap();
    let guix = format!(
        "StorePath: {path}\nNarHash: sha256:{base32}\nNarSize: {size}\nReferences: \nSystem: x86_64-linux\n\
         URL: nar/gzip/x\nCompression: gzip\nFileSize: 1\nURL: nar/lzip/x\nCompression: lzip\nFileSize: 2\n\
         Signature: 1;example.org;KHNpZ25hdHVyZSk=\n"
    );
    fs::write(at.join("guix.narinfo"), guix).unwrap();
    write(
        at,
        "list.json",
        &json!([{ "path": path, "narHash": format!("sha256:{base32}"), "narSize": size }]),
    );
    write(at, "map.json", &json!({ &path: { "narHash": sri, "narSize": size }, "/nix/store/gone": null }));
    write(
        at,
        "info.json",
        &json!({ "version": 2, "storeDir": "/nix/store", "info": { base: { "narHash": sri } } }),
    );
    let structured = json!({ "algorithm": "sha256", "format": "base16", "hash": nar });
    write(
        at,
        "three.json",
        &json!({ "version": 3, "storeDir": "/nix/store", "info": { base: { "narHash": structured } } }),
    );
    let mut ours = record("1", &[]);
    ours["subject"] = json!([{
        "name": "hello", "digest": { "sha256": nar }, "mediaType": "application/x-nix-nar",
        "annotations": { "storePath": path },
    }]);
    write(at, "ours.json", &ours);
    let forms =
        ["nix.narinfo", "guix.narinfo", "list.json", "map.json", "info.json", "three.json", "ours.json"];
    let (status, value) = json_of(at, &forms);
    assert_eq!((status, &value["counts"]["identical"]), (Some(0), &json!(1)), "{value:#}");
    assert_eq!(value["outputs"][0]["name"], path);
    for (name, status) in [(path.as_str(), 0), (base, 0), ("hello", 2), ("/nix/store", 2)] {
        assert_eq!(
            compare(at, &["nix.narinfo", "ours.json", "--output", name]).status,
            Some(status),
            "{name}"
        );
    }

    // A list of files says nothing of NARs; with the output at hand it can be told that both are of the same.
    let sums = Command::new("sha256sum").arg("hello").current_dir(at).output().unwrap().stdout;
    fs::write(at.join("sums"), sums).unwrap();
    write(at, "short.json", &record("1", &[]));
    ours["subject"][0]["annotations"] = json!({});
    write(at, "short.json", &ours);
    let (status, value) = json_of(at, &["sums", "short.json"]);
    assert_eq!((status, &value["outputs"][0]["verdict"]), (Some(1), &json!("inconclusive")));
    fs::create_dir(at.join("out")).unwrap();
    fs::rename(at.join("hello"), at.join("out/hello")).unwrap();
    let (status, value) = json_of(at, &["sums", "short.json", "--outputs", "short.json=out"]);
    assert_eq!((status, &value["outputs"][0]["verdict"]), (Some(0), &json!("identical")), "{value:#}");
    // What is at hand must be what the record tells of.
    fs::write(at.join("out/hello"), "hellO\n").unwrap();
    let said = compare(at, &["sums", "short.json", "--outputs", "short.json=out"]);
    assert_eq!(said.status, Some(2));
    assert!(said.stderr.contains("this is not the output \"hello\""), "{}", said.stderr);
}

#[test]
fn garbage_is_refused_with_its_place() {
    let folder = folder();
    let at = folder.path();
    write(at, "good.json", &record("1", &[("a", "1")]));
    let twice = record("1", &[("a", "1"), ("a", "2")]);
    let mut no_hash = record("1", &[("a", "1")]);
    no_hash["subject"][0]["digest"]["sha256"] = json!("11");
    let cases: &[(&[u8], &str)] = &[
        (b"", "line 1: the file is empty"),
        (b"\xff\xfe", "byte 0: this is not UTF-8"),
        (b"{", "line 1, column 1: EOF"),
        (b"{\"a\": [1,\n2", "line 2, column 1: EOF"),
        (b"{}", "line 1: expected an in-toto statement"),
        (b"[{\"narHash\": \"x\"}]", "[0]: it has no path"),
        (
            b"{\"/nix/store/a\": {\"narHash\": \"sha256:x\"}}",
            "/nix/store/a.narHash: \"sha256:x\" is no sha256",
        ),
        (b"{\"_type\": \"x\"}", "_type: \"x\" is no statement of in-toto"),
        (b"{\"_type\": \"https://in-toto.io/Statement/v1\"}", "subject: the statement names no output"),
        (b"{\"/nix/store/a\": 1, \"/nix/store/a\": 2}", "line 1, column 34: the key \"/nix/store/a\" comes twice"),
        (
            b"{\"_type\": \"https://in-toto.io/Statement/v1\", \"subject\": [{\"digest\": {\"sha256\": \"1\", \"sha256\": \"2\"}}]}",
            "the key \"sha256\" comes twice",
        ),
        (b"{\"payloadType\": 1}", "line 1, column 17: invalid type"),
        (b"StorePath: x\n", "StorePath: \"x\" is no store path"),
        (b"StorePath: /gnu/store/00000000000000000000000000000000-x\n", "there is no NarHash"),
        (b"hello world\n", "line 1: expected `HASH  NAME`"),
        (b"\x7fELF", "line 1: expected `HASH  NAME`"),
    ];
    for (bytes, says) in cases {
        fs::write(at.join("bad"), bytes).unwrap();
        let said = compare(at, &["good.json", "bad"]);
        assert_eq!(said.status, Some(2), "{says}");
        assert!(
            said.stderr.contains(&format!("bad: {says}")) || said.stderr.contains(says),
            "{}\n{says}",
            said.stderr
        );
    }
    write(at, "twice", &twice);
    write(at, "no-hash", &no_hash);
    let said = compare(at, &["good.json", "twice", "no-hash", "none"]);
    assert_eq!(said.status, Some(2));
    for says in
        ["subject[1]: \"a\" comes twice", "subject[0].digest: \"11\" is no sha256", "none: No such file"]
    {
        assert!(said.stderr.contains(says), "{}\n{says}", said.stderr);
    }
    assert_eq!(compare(at, &["good.json"]).status, Some(2));
    // One file is one party's, however it is spelled; and nobody is no number of parties.
    for more in ["good.json", "./good.json", "../good.json"] {
        let path = if more.starts_with("..") {
            at.join("good.json").to_str().unwrap().to_owned()
        } else {
            more.into()
        };
        assert_eq!(compare(at, &["good.json", &path]).status, Some(2), "{path}");
    }
    assert_eq!(compare(at, &["good.json", "x=good.json", "--require", "0"]).status, Some(2));
    // A name that would give orders to a terminal is shown as what it is.
    write(at, "escape.json", &record("1", &[("a\u{1b}[2Jb", "1")]));
    assert!(compare(at, &["good.json", "escape.json"]).stdout.contains("a\\u{1b}[2Jb"));
}

/// What `run` prints and the record of the same run, in the form of today and of before.
#[test]
fn a_list_of_ours_is_held_against_a_record_of_ours() {
    let folder = folder();
    let at = folder.path();
    write(at, "record", &record("1", &[("a", "1"), ("b", "2")]));
    let lines = |a: &str, b: &str| format!("{}  a\n{}  b\n", a.repeat(64), b.repeat(64));
    let marked =
        |a: &str, b: &str| lines(a, b).lines().map(|line| format!("nar-sha256:{line}\n")).collect::<String>();
    let header = |a: &str, b: &str| format!("# nar-sha256\n{}", lines(a, b));
    for (text, verdicts) in [
        (lines("1", "2"), ["identical", "identical"]),
        (header("1", "2"), ["identical", "identical"]),
        (marked("1", "2"), ["identical", "identical"]),
        (header("1", "3"), ["identical", "differs"]),
        (marked("1", "3"), ["identical", "differs"]),
        // One that is a NAR's says that all are.
        (lines("1", "3"), ["identical", "differs"]),
        // This one may be of files.
        (lines("4", "3"), ["inconclusive", "inconclusive"]),
    ] {
        fs::write(at.join("list"), &text).unwrap();
        let (status, value) = json_of(at, &["record", "list"]);
        let found: Vec<_> =
            value["outputs"].as_array().unwrap().iter().map(|output| &output["verdict"]).collect();
        assert_eq!(found, verdicts, "{text}");
        assert_eq!(status, Some(i32::from(verdicts != ["identical", "identical"])));
    }
}

#[test]
fn only_who_says_that_they_built_it_counts() {
    let folder = folder();
    let at = folder.path();
    write(at, "mine", &record("1", &[("a", "1")]));
    let with = |kind: &str, predicate: Value| {
        let mut statement = record("1", &[("a", "1")]);
        statement["predicateType"] = json!(kind);
        statement["predicate"] = predicate;
        write(at, "other", &statement);
        compare(at, &["mine", "other"])
    };
    for kind in ["https://slsa.dev/provenance/v0.2", "https://in-toto.io/attestation/link/v0.3"] {
        assert_eq!(with(kind, json!({})).status, Some(0), "{kind}");
    }
    let ours = record("1", &[])["predicate"].clone();
    for (kind, predicate, says) in [
        ("https://slsa.dev/verification_summary/v1", json!({ "verificationResult": "FAILED" }), "FAILED"),
        ("https://slsa.dev/verification_summary/v1", json!({ "verificationResult": "PASSED" }), "PASSED"),
        ("https://example.org/i-did-not-build-this", json!({}), "i-did-not-build-this"),
        ("https://example.org/i-did-not-build-this", ours, "i-did-not-build-this"),
        ("https://spdx.dev/Document", json!({}), "claims no build"),
        ("", json!({}), "it has no predicateType"),
    ] {
        let said = with(kind, predicate);
        assert!(said.status == Some(2) && said.stderr.contains(says), "{kind}: {}", said.stderr);
        assert_eq!(said.stdout, "");
    }
}

/// Upstream's list of files, as stage0-posix has it, against an output that was built.
#[test]
fn lists_of_files_are_held_against_files_inside_outputs() {
    need("nix-store", "nix-bin");
    let folder = folder();
    let at = folder.path();
    let tree = at.join("out/stage0");
    fs::create_dir_all(tree.join("amd64/bin")).unwrap();
    for (name, text) in [("hex0", "0"), ("hex1", "1"), ("more", "more")] {
        fs::write(tree.join("amd64/bin").join(name), text).unwrap();
    }
    std::os::unix::fs::symlink("bin", tree.join("amd64/link")).unwrap();
    let mut mine = record("1", &[("other", "1")]);
    let subject = json!({
        "name": "stage0", "digest": { "sha256": nix_hash(&tree) }, "mediaType": "application/x-nix-nar",
    });
    mine["subject"].as_array_mut().unwrap().push(subject);
    write(at, "mine", &mine);
    let hash = |text: &str| builder::hash(text.as_bytes());
    let list = |name: &str, lines: &[(&str, &str)]| {
        let text: String = lines.iter().map(|(text, path)| format!("{}  {path}\n", hash(text))).collect();
        fs::write(at.join(name), text).unwrap();
    };
    let good = [("0", "amd64/bin/hex0"), ("1", "./amd64/bin/hex1")];
    list("good", &good);
    let with =
        |list: &str, files: &str| json_of(at, &["mine", list, "--outputs", "mine=out", "--files", files]);
    let (status, value) = with("good", "stage0");
    assert_eq!(
        (status, &value["counts"]["identical"], &value["notCompared"]),
        (Some(0), &json!(2), &json!(2)),
        "{value:#}"
    );
    assert_eq!(value["outputs"][0]["name"], "stage0/amd64/bin/hex0");
    list("below", &[("0", "hex0")]);
    assert_eq!(with("below", "stage0/amd64/bin").0, Some(0));
    for (name, lines, counts) in [
        ("another", [good[0], ("2", "amd64/bin/hex1")], ["identical", "differs"]),
        ("missing", [good[0], ("2", "amd64/bin/hex2")], ["identical", "inconclusive"]),
        ("through a link", [good[0], ("1", "amd64/link/hex1")], ["identical", "inconclusive"]),
        ("leads out", [("0", "../../mine"), good[0]], ["inconclusive", "identical"]),
    ] {
        list("list", &lines);
        let (status, value) = with("list", "stage0");
        let mut found: Vec<_> =
            value["outputs"].as_array().unwrap().iter().map(|output| &output["verdict"]).collect();
        let mut counts = counts;
        found.sort_by_key(|verdict| verdict.to_string());
        counts.sort_unstable();
        assert_eq!((status, &found[..]), (Some(1), &counts.map(Value::from).each_ref()[..]), "{name}");
    }
    assert_eq!(compare(at, &["mine", "good", "--outputs", "mine=out", "--files", "none"]).status, Some(2));
    assert_eq!(compare(at, &["mine", "good", "--files", "stage0"]).status, Some(2));
    write(at, "hers", &mine);
    let three = ["mine", "hers", "good", "--outputs", "mine=out", "--files", "stage0"];
    // The other outputs of both records still count.
    assert_eq!(json_of(at, &three).1["counts"]["identical"], 4);
}

#[test]
fn the_other_paths_of_a_store_are_no_mismatch() {
    let folder = folder();
    let at = folder.path();
    let path = |number: usize| format!("/nix/store/{}-{number}", "0".repeat(32));
    let info = |number: usize| json!({ "narHash": format!("sha256:{}", "1".repeat(64)), "narSize": 1, "number": number });
    let store = |from: usize, to: usize| {
        Value::Object((from..to).map(|number| (path(number), info(number))).collect())
    };
    write(at, "store", &store(0, 119));
    let mut mine = record("1", &[("a", "1")]);
    mine["subject"][0]["annotations"] = json!({ "storePath": path(7) });
    write(at, "mine", &mine);
    let (status, value) = json_of(at, &["mine", "store"]);
    assert_eq!(
        (status, &value["counts"]["outputs"], &value["notCompared"]),
        (Some(0), &json!(1), &json!(118)),
        "{value:#}"
    );
    assert!(
        compare(at, &["mine", "store"])
            .stdout
            .contains("not compared: 118 outputs that only one party can have")
    );
    // What a store does not have and a record tells of still counts, and so does what is asked for.
    mine["subject"][0]["annotations"] = json!({ "storePath": path(500) });
    write(at, "mine", &mine);
    let (status, value) = json_of(at, &["mine", "store"]);
    assert_eq!((status, &value["counts"]["inconclusive"]), (Some(1), &json!(1)), "{value:#}");
    assert_eq!(compare(at, &["mine", "store", "--output", &path(3)]).status, Some(1));
    // Two stores with nothing in common show nothing, which is not that they agree.
    write(at, "far", &store(200, 202));
    assert_eq!(compare(at, &["store", "far"]).status, Some(1));
    write(at, "near", &store(118, 121));
    assert_eq!(json_of(at, &["store", "near"]).1["notCompared"], 120);
}

/// Two libraries, of which one function of one member differs; gcc, ar and readelf say where that is.
#[test]
fn a_difference_is_located_down_to_the_symbol() {
    need("gcc", "gcc");
    let folder = folder();
    let at = folder.path();
    let common = "int before(int x) { return x * 3; }\n";
    for (name, number) in [("one", 41), ("other", 42)] {
        let out = at.join(name).join("lib");
        fs::create_dir_all(&out).unwrap();
        fs::write(at.join("first.c"), common).unwrap();
        let second = format!("int calm(void) {{ return 7; }}\nint answer(void) {{ return {number}; }}\n");
        fs::write(at.join("second.c"), second).unwrap();
        let script =
            "gcc -c -O1 first.c second.c && ar Drc \"$1/libx.a\" first.o second.o && cp second.o \"$1\"";
        let status =
            Command::new("sh").args(["-c", script, "sh"]).arg(&out).current_dir(at).status().unwrap();
        assert!(status.success());
        let mut record = record("1", &[]);
        record["subject"] = json!([{
            "name": "lib", "digest": { "sha256": nix_hash(&out) }, "mediaType": "application/x-nix-nar",
        }]);
        write(at, &format!("{name}.json"), &record);
    }
    let arguments = ["one.json", "other.json", "--outputs", "one.json=one", "--outputs", "other.json=other"];
    let (status, value) = json_of(at, &arguments);
    assert_eq!(status, Some(1));
    let differences = value["outputs"][0]["located"][0]["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 2, "{value:#}");
    let (archive, object) = (&differences[0]["parts"][0], &differences[1]["parts"][0]);
    assert_eq!(differences[0]["path"], "libx.a");
    assert_eq!(archive["at"][0], "member second.o");
    assert_eq!(archive["at"][1], "section .text");
    assert!(archive["at"][2].as_str().unwrap().starts_with("answer+"), "{archive}");
    assert_eq!(object["at"][0], "section .text");
    // The offset is that of the byte in the file.
    for (difference, file) in [(archive, "libx.a"), (object, "second.o")] {
        let first = difference["first"].as_u64().unwrap() as usize;
        let read = |name: &str| fs::read(at.join(name).join("lib").join(file)).unwrap();
        let (one, other) = (read("one"), read("other"));
        assert_eq!((one[first], other[first]), (41, 42), "{file}");
        assert_eq!(one[..first], other[..first]);
    }
    let said = compare(at, &arguments);
    assert!(said.stdout.contains("member second.o, section .text, answer+"), "{}", said.stdout);

    // The same from NARs.
    for name in ["one", "other"] {
        let script = format!("nix-store --dump {name}/lib > {name}/lib.nar && rm -r {name}/lib");
        assert!(Command::new("sh").args(["-c", &script]).current_dir(at).status().unwrap().success());
    }
    assert_eq!(json_of(at, &arguments), (Some(1), value));

    need("diffoscope", "diffoscope-minimal");
    let (_, value) = json_of(at, &[&arguments[..], &["--diffoscope", "pages"]].concat());
    let page = value["outputs"][0]["located"][0]["diffoscope"].as_str().unwrap();
    assert!(fs::read_to_string(at.join(page)).unwrap().contains("second.o"));
}
