//! Derivations of Nix: built by Nix itself in its sandbox, and by us, in the same run.
#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]

use super::{groundup, need};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with busybox in it, which is all that the builders here are.
pub fn tools(folder: &Path) -> PathBuf {
    let tools = folder.join("box");
    fs::create_dir_all(tools.join("bin")).unwrap();
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    let busybox = busybox.expect("busybox is needed: apt-get install busybox-static");
    fs::copy(busybox, tools.join("bin/busybox")).unwrap();
    fs::set_permissions(tools.join("bin/busybox"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("busybox", tools.join("bin/sh")).unwrap();
    tools
}

pub fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn nix(program: &str, arguments: &[&str]) -> Output {
    need(program, "nix-bin");
    let sandbox = ["--option", "sandbox", "true", "--option", "sandbox-fallback", "false", "--cores", "1"];
    // Nix would take the machine's own configuration for that of its store, shell included.
    let sandbox = if program == "nix-build" || program == "nix-store" { &sandbox[..] } else { &[] };
    let mut command = Command::new(program);
    command.args(arguments).args(sandbox).args(["--option", "sandbox-paths", ""]);
    command.output().unwrap()
}

/// The derivations of an expression, by attribute.
pub fn instantiate(expression: &Path, tools: &Path) -> BTreeMap<String, String> {
    let tools = tools.to_str().unwrap();
    let arguments = ["--eval", "--read-write-mode", "--strict", "--json", "--arg", "box", tools, "-E"];
    let of = format!("a: builtins.mapAttrs (_: d: d.drvPath) (import {} a)", expression.display());
    let names = format!("{{ box }}: ({of}) {{ inherit box; }}");
    let value: BTreeMap<String, String> =
        serde_json::from_str(&text(&nix("nix-instantiate", &[&arguments[..], &[&names]].concat()))).unwrap();
    // Evaluated only, they are in no store yet.
    text(&nix("nix-instantiate", &["--arg", "box", tools, expression.to_str().unwrap()]));
    value
}

/// NAR hash and references of each path, as Nix has them.
pub fn of_nix(paths: &[&str]) -> BTreeMap<String, (String, Vec<String>)> {
    let one = |path: &&str| {
        let hash = text(&nix("nix-store", &["--query", "--hash", path])).trim().to_owned();
        let references = text(&nix("nix-store", &["--query", "--references", path]));
        let mut references: Vec<_> = references.lines().map(str::to_owned).collect();
        references.sort();
        ((*path).to_owned(), (hash, references))
    };
    paths.iter().map(one).collect()
}

/// The same of a record of ours.
pub fn of_record(record: &Path) -> BTreeMap<String, (String, Vec<String>)> {
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    let one = |subject: &Value| {
        let of = |key: &str| subject["annotations"][key].as_str().unwrap().to_owned();
        let references = subject["annotations"]["references"].as_array().unwrap().iter();
        let references = references.map(|path| path.as_str().unwrap().to_owned()).collect();
        (of("storePath"), (of("narHash"), references))
    };
    record["subject"].as_array().unwrap().iter().map(one).collect()
}

/// Builds a derivation with Nix and with us, and compares all outputs that either made.
pub fn both(derivation: &str, machine: &str, folder: &Path) {
    let built = nix("nix-store", &["--realise", derivation]);
    assert!(built.status.success(), "nix: {derivation}: {}", String::from_utf8_lossy(&built.stderr));
    let (record, out) = (folder.join("record.json"), folder.join("out"));
    let ours = groundup()
        .args(["run", derivation, "--machine", machine, "--record", record.to_str().unwrap()])
        .args(["--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ours.stderr);
    assert!(ours.status.success(), "{derivation}: {said}");
    let ours = of_record(&record);
    let paths: Vec<&str> = ours.keys().map(String::as_str).collect();
    assert!(!paths.is_empty());
    assert_eq!(ours, of_nix(&paths), "{derivation}");
}

/// One derivation that needs all others, so that one run builds all.
pub fn all(folder: &Path, text: &str) -> (String, BTreeMap<String, String>) {
    let (expression, tools) = (folder.join("it.nix"), tools(folder));
    fs::write(&expression, text).unwrap();
    let derivations = instantiate(&expression, &tools);
    let all = folder.join("all.nix");
    fs::write(
        &all,
        format!(
            "{{ box }}: let d = import {} {{ inherit box; }}; in {{ all = derivation {{ name = \"all\"; \
             system = \"x86_64-linux\"; builder = \"${{builtins.path {{ path = box; name = \"box\"; }}}}/bin/sh\"; \
             args = [ \"-c\" \"echo $these > $out\" ]; these = builtins.attrValues d; }}; }}",
            expression.display()
        ),
    )
    .unwrap();
    let one = instantiate(&all, &tools);
    (one["all"].clone(), derivations)
}
