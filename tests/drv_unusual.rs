//! Rare and refused derivations, against Nix in the same run; and derivations built by `auto`, resumed, and in stages.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::nix::{all, both, instantiate, nix, of_nix, of_record, tools};
use support::{folder, groundup, need};

const UNUSUAL: &str = include_str!("derivations/unusual.nix");
const REFUSED: &str = include_str!("derivations/refused.nix");

#[test]
fn unusual_ones_give_the_same_nars_on_the_host() {
    let folder = folder();
    let (all, derivations) = all(folder.path(), UNUSUAL);
    assert!(derivations.len() > 30);
    both(&all, "host", folder.path());
}

#[test]
fn unusual_ones_give_the_same_nars_on_the_strict_machine() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let (all, _) = all(folder.path(), UNUSUAL);
    both(&all, "strict", folder.path());
}

#[test]
fn what_nix_refuses_is_refused() {
    let folder = folder();
    let (expression, tools) = (folder.path().join("it.nix"), tools(folder.path()));
    fs::write(&expression, REFUSED).unwrap();
    let derivations = instantiate(&expression, &tools);
    assert!(derivations.len() > 30);
    for (name, derivation) in &derivations {
        let theirs = nix("nix-store", &["--realise", derivation, "--option", "substitute", "false"]);
        assert!(!theirs.status.success(), "Nix builds {name}");
        let ours = groundup().args(["run", derivation, "--machine", "host"]).output().unwrap();
        let said = String::from_utf8_lossy(&ours.stderr);
        assert!(matches!(ours.status.code(), Some(2 | 4)) && said.contains("error: "), "{name}: {said}");
        // What is refused is no result; what it needs is one.
        let printed = String::from_utf8_lossy(&ours.stdout);
        assert!(printed.lines().all(|line| line.ends_with("-dep")), "{name}: {printed}");
    }
}

/// A derivation that fails, since there is no `/bin/sh`, and one that it needs.
const TWO: &str = r#"{ box }: let
  bin = builtins.path { path = box; name = "box"; };
  sh = name: script: derivation { inherit name; system = "x86_64-linux"; builder = "${bin}/bin/sh"; args = [ "-c" script ]; outputs = [ "out" "dev" ]; };
  one = sh "one-SEED" "echo ${bin} > $out; echo $out > $dev";
in { two = sh "two-SEED" "${bin}/bin/busybox cat ${one.dev} > $out; /bin/sh && echo two > $dev"; }"#;

fn run(derivation: &str, folder: &Path, more: &[&str]) -> Output {
    let (out, record) = (folder.join("out"), folder.join("record.json"));
    let mut command = groundup();
    command.args(["run", derivation]).args(more).arg("--out").arg(out).arg("--record").arg(record);
    command.output().unwrap()
}

fn outcomes(record: &Path) -> Vec<String> {
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    let parts = record.pointer("/predicate/runDetails/byproducts").unwrap().as_array().unwrap();
    let steps = parts.iter().find_map(|part| part.pointer("/annotations/steps")?.as_array()).unwrap();
    steps.iter().map(|step| step["outcome"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_failed_run_is_resumed() {
    let folder = folder();
    let (expression, tools) = (folder.path().join("it.nix"), tools(folder.path()));
    fs::write(&expression, TWO.replace("SEED", &std::process::id().to_string())).unwrap();
    let derivation = &instantiate(&expression, &tools)["two"];
    let record = folder.path().join("record.json");
    let first = run(derivation, folder.path(), &["--machine", "host"]);
    assert_eq!(first.status.code(), Some(4), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(outcomes(&record), ["built", "failed"]);
    let again = run(derivation, folder.path(), &["--machine", "host", "--resume"]);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.code() == Some(4) && said.contains("2 outputs taken as they are"), "{said}");
    assert_eq!(outcomes(&record), ["given", "failed"]);
    // What was left is no longer what is recorded, and so it is built again.
    for nar in fs::read_dir(folder.path().join("out/nar")).unwrap() {
        fs::write(nar.unwrap().path(), "other").unwrap();
    }
    let again = run(derivation, folder.path(), &["--machine", "host", "--resume"]);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("built again: ") && said.contains("0 outputs taken"), "{said}");
    assert_eq!(outcomes(&record), ["built", "failed"]);
}

#[test]
fn a_closure_comes_from_standard_input_and_an_archive() {
    let folder = folder();
    let (expression, tools) = (folder.path().join("it.nix"), tools(folder.path()));
    let text = r#"{ box }: let
      bin = builtins.path { path = box; name = "box"; };
      sh = name: script: derivation { inherit name; system = "x86_64-linux"; builder = "${bin}/bin/sh"; args = [ "-c" script ]; };
      # The file of a derivation that is in the archive alone.
    in { it = sh "it" "${bin}/bin/busybox cat ${(sh "needed" "echo > $out").drvPath} > $out"; }"#;
    fs::write(&expression, text).unwrap();
    let derivation = &instantiate(&expression, &tools)["it"];
    let at = folder.path().join("drvs");
    fs::create_dir_all(&at).unwrap();
    let needed = support::nix::text(&nix("nix-store", &["--query", "--requisites", derivation]));
    for path in needed.lines() {
        let name = Path::new(path).file_name().unwrap();
        let to = if path.ends_with(".drv") { at.join(name) } else { folder.path().join("given").join(name) };
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        assert!(Command::new("cp").arg("-a").arg(path).arg(to).status().unwrap().success());
    }
    let archive = folder.path().join("drvs.tar.gz");
    assert!(
        Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&at).arg(".").status().unwrap().success()
    );
    let mut command = groundup();
    command.args(["run", "-", "--machine", "host", "--store"]).arg(&archive);
    command.arg("--inputs").arg(folder.path().join("given")).current_dir(folder.path());
    let ours = command.stdin(fs::File::open(derivation).unwrap()).output().unwrap();
    assert!(ours.status.success(), "{}", String::from_utf8_lossy(&ours.stderr));
    let theirs = support::nix::text(&nix("nix-store", &["--realise", derivation]));
    let hash = support::nix_hash(Path::new(theirs.trim()));
    assert!(String::from_utf8_lossy(&ours.stdout).contains(&hash), "{hash}");
}

#[test]
fn a_packed_nar_is_fetched_and_unpacked() {
    let folder = folder();
    let (expression, tools) = (folder.path().join("it.nix"), tools(folder.path()));
    let (nar, hash) = (folder.path().join("box.nar.xz"), support::nix_hash(&tools));
    let pack = format!("nix-store --dump {} | xz > {}", tools.display(), nar.display());
    assert!(Command::new("sh").args(["-c", &pack]).status().unwrap().success());
    let text = r#"{ box }: let fetched = derivation { name = "fetched-SEED"; system = "builtin"; builder = "builtin:fetchurl"; url = "file://NAR";
        unpack = true; outputHash = "HASH"; outputHashAlgo = "sha256"; outputHashMode = "recursive"; };
      in { it = derivation { name = "it"; system = "x86_64-linux"; builder = "${fetched}/bin/sh"; args = [ "-c" "echo > $out" ]; }; inherit fetched; }"#;
    let text = text.replace("NAR", nar.to_str().unwrap()).replace("HASH", &hash);
    fs::write(&expression, text.replace("SEED", &std::process::id().to_string())).unwrap();
    let derivations = instantiate(&expression, &tools);
    for (name, steps) in [("it", "1 step, 1 input"), ("fetched", "0 steps, 1 input")] {
        let run = groundup().args(["run", &derivations[name], "--machine", "host"]).output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success() && said.contains(steps), "{said}");
        assert_eq!(said.contains("nothing to build"), name == "fetched", "{said}");
    }
}

#[test]
fn auto_builds_derivations_stage_after_stage() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let (expression, tools) = (folder.path().join("it.nix"), tools(folder.path()));
    let text = r#"{ box }: let
      bin = builtins.path { path = box; name = "box"; };
      sh = name: script: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "${bin}/bin/sh"; args = [ "-c" script ]; } // more);
      b = "${bin}/bin/busybox";
      same = sh "same" "echo ${bin} > $out" { };
      # What a run on the host can't make twice.
      random = sh "random" "${b} head -c 16 /dev/urandom | ${b} md5sum > $out; echo ${same} >> $out" { };
      graph = sh "graph" "${b} cp g $out" { exportReferencesGraph = [ "g" same ]; };
    in { all = sh "all" "${b} cat ${graph} > $out; echo ${random} >> $out" { }; graph = graph; }"#;
    fs::write(&expression, text).unwrap();
    let derivations = instantiate(&expression, &tools);
    let auto = run(&derivations["all"], folder.path(), &["--machine", "auto"]);
    assert!(auto.status.success(), "{}", String::from_utf8_lossy(&auto.stderr));
    let ours = of_record(&folder.path().join("record.json"));
    assert_eq!(ours.len(), 4, "{ours:?}");
    assert!(nix("nix-store", &["--realise", &derivations["graph"]]).status.success());
    let paths: Vec<&str> = ours
        .keys()
        .map(String::as_str)
        .filter(|path| path.ends_with("-graph") || path.ends_with("-same"))
        .collect();
    let theirs = of_nix(&paths);
    assert_eq!(theirs.len(), 2);
    assert!(theirs.iter().all(|(path, theirs)| &ours[path] == theirs), "{ours:?} {theirs:?}");
}
