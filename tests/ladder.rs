//! From the seed to TinyCC: every rung is built and is what the graph expects, no binary but the seed is in it, its C compiler takes
//! C as gcc does, and the TinyCC at its end makes what TinyCC by other compilers makes. Then on to a shell, make and tools.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{folder, groundup, run};

/// `graphs/NAME.ron`
fn real(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs").join(name).with_extension("ron")
}

#[test]
fn a_seed_leads_to_tinycc_which_makes_what_others_make() {
    let ladder = run(Some(&real("ladder")), &["--machine", "host"]);
    assert_eq!(ladder.status, Some(0), "{}", ladder.stderr);
    let other = folder();
    let (program, result) = (other.path().join("subset"), other.path().join("subset.txt"));
    let gcc = Command::new("gcc")
        .args(["-w", "-fwrapv", "-o"])
        .arg(&program)
        .arg(real("ladder").with_file_name("ladder/subset.c"))
        .status();
    assert!(gcc.unwrap().success());
    assert!(Command::new(&program).arg(&result).status().unwrap().success());
    assert_eq!(
        fs::read_to_string(ladder.out.path().join("out/subset.txt")).unwrap(),
        fs::read_to_string(result).unwrap()
    );
    // The graph expects the hashes that four compilers' binaries lead to.
    let lane = run(Some(&real("tcc")), &["--choose", "cc=ladder", "--machine", "host"]);
    assert_eq!(lane.status, Some(0), "{}", lane.stderr);
    assert_eq!(lane.hash("stage1"), ladder.hash("tinycc"));
    assert_eq!(lane.hash("stage3"), lane.hash("stage2"));
    assert_ne!(lane.hash("stage2"), lane.hash("stage1"));
}

/// On from TinyCC: each output is what the graph expects, and what was made without tools is what the tools make.
#[test]
fn it_goes_on_to_a_shell_and_make_which_build_a_program() {
    let userland = run(Some(&real("userland")), &["--machine", "host"]);
    assert_eq!(userland.status, Some(0), "{}", userland.stderr);
    assert_eq!(userland.hash("tinycc-2"), userland.hash("tinycc-1"));
    assert_eq!(userland.hash("dash-again"), userland.hash("dash"));
    let out = userland.out.path().join("out");
    assert_eq!(fs::read_to_string(out.join("hello-said")).unwrap(), "Hello, world!\nFrom 256 bytes.\n");
    // And it runs outside too.
    let said = Command::new(out.join("hello")).output().unwrap();
    assert_eq!(said.stdout, b"Hello, world!\n");
}

/// The names of what is trusted as it is, without the machine's own parts.
fn seeds(graph: &Path, arguments: &[&str]) -> Vec<String> {
    let output = groundup().args(["tcb", "--json"]).arg(graph).args(arguments).output().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["executableSources"], serde_json::json!([]));
    let about =
        |entry: &&serde_json::Value| entry["annotations"]["about"].as_str().unwrap().starts_with("seed");
    let trusted = value["trusted"].as_array().unwrap().iter();
    trusted.filter(about).map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_binary_is_in_it_but_the_seed() {
    assert_eq!(seeds(&real("ladder"), &[]), ["hex0-256"]);
    assert_eq!(seeds(&real("ladder"), &["--choose", "seed=hex0-i386"]), ["hex0-i386"]);
    assert_eq!(seeds(&real("userland"), &[]), ["hex0-256"]);
    // The twin: another lane has more, and the lane of the ladder has the C library that all lanes share.
    assert_eq!(seeds(&real("tcc"), &["--choose", "cc=gcc"]), ["debian-gcc", "musl"]);
    assert_eq!(seeds(&real("tcc"), &["--choose", "cc=ladder"]), ["hex0", "musl"]);
}

#[test]
fn three_seeds_that_share_no_code_lead_to_the_same_bytes() {
    let output = groundup()
        .args(["ddc", "--json", "--over", "seed", "--machine", "host"])
        .arg(real("ladder"))
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["lanes"].as_array().unwrap().len(), 3, "{value}");
}

/// A seed refuses what it does not take: with a message, another status than 0, and no output.
#[test]
fn a_small_seed_refuses_what_is_not_hex() {
    let ladder = run(Some(&real("ladder")), &["--machine", "host"]);
    let out = ladder.out.path().join("out");
    let folder = folder();
    let (input, output) = (folder.path().join("input"), folder.path().join("output"));
    let start = |seed: &str, text: &str| {
        fs::write(&input, text).unwrap();
        let run = Command::new(out.join(seed)).arg(&input).arg(&output).output().unwrap();
        (run.status.success(), run.stderr.is_empty())
    };
    assert!(fs::metadata(out.join("hex0-256-again")).unwrap().len() <= 256);
    for seed in ["hex0-256-again", "hex0-i386-again"] {
        for bad in ["g", "0", "00 0", "00 0 0", "0 # 1\n0", "AB", "0:", "0/", "0`", "0g", "00 x"] {
            assert_eq!(start(seed, bad), (false, false), "{seed}: {bad}");
            assert!(!output.exists(), "{seed}: {bad}");
        }
        assert_eq!(start(seed, "68 69\t0a # hi\n# and no more"), (true, true), "{seed}");
        assert_eq!(fs::read(&output).unwrap(), b"hi\n");
        fs::remove_file(&output).unwrap();
        // Larger than the room there is.
        assert_eq!(start(seed, &"00".repeat(1 << 20)), (false, false), "{seed}");
        assert!(!output.exists());
    }
}
