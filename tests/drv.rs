//! Derivations of Nix: built by Nix itself in its sandbox, and by us, in the same run; the NARs must have the same hashes and the
//! outputs the same references.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use support::nix::{all, both, instantiate, nix, text, tools};
use support::{folder, groundup, need};

const FEATURES: &str = include_str!("derivations/features.nix");

#[test]
fn every_feature_gives_the_same_nars_on_the_host() {
    let folder = folder();
    let (all, derivations) = all(folder.path(), FEATURES);
    assert!(derivations.len() > 20);
    both(&all, "host", folder.path());
}

#[test]
fn every_feature_gives_the_same_nars_on_the_strict_machine() {
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let (all, _) = all(folder.path(), FEATURES);
    both(&all, "strict", folder.path());
}

#[test]
fn a_long_chain_and_a_wide_fan() {
    let folder = folder();
    let text = r#"{ box }: let
      bin = builtins.path { path = box; name = "box"; };
      sh = name: script: derivation { inherit name; system = "x86_64-linux"; builder = "${bin}/bin/sh"; args = [ "-c" script ]; };
      link = n: if n == 0 then sh "link" "echo 0 > $out" else sh "link" "read x < ${link (n - 1)}; echo $((x + 1)) > $out";
      leaf = n: sh "leaf-${toString n}" "echo ${toString n} > $out";
    in {
      chain = link 300;
      fan = sh "fan" "${bin}/bin/busybox cat ${toString (builtins.genList leaf 200)} > $out";
    }"#;
    let (all, _) = all(folder.path(), text);
    both(&all, "host", folder.path());
}

#[test]
fn what_is_exported_is_a_binary_cache() {
    let folder = folder();
    let expression = folder.path().join("it.nix");
    let name = format!("exported-{}", std::process::id());
    fs::write(&expression, format!(
        "{{ box }}: {{ it = derivation {{ name = \"{name}\"; system = \"x86_64-linux\"; \
         builder = \"${{builtins.path {{ path = box; name = \"box\"; }}}}/bin/sh\"; args = [ \"-c\" \"echo $out $box > $out\" ]; box = builtins.path {{ path = box; name = \"box\"; }}; }}; }}"
    )).unwrap();
    let derivation = &instantiate(&expression, &tools(folder.path()))["it"];
    let out = folder.path().join("out");
    let ours = groundup().args(["run", derivation, "--machine", "host", "--out"]).arg(&out).output().unwrap();
    assert!(ours.status.success(), "{}", String::from_utf8_lossy(&ours.stderr));
    let path = text(&nix("nix-store", &["--query", "--outputs", derivation])).trim().to_owned();
    assert!(!Path::new(&path).exists());
    let features = ["--extra-experimental-features", "nix-command", "copy", "--no-check-sigs", "--from"];
    let from = format!("file://{}", out.display());
    text(&nix("nix", &[&features[..], &[&from, &path]].concat()));
    assert!(fs::read_to_string(&path).unwrap().starts_with(&path));
    // What the output refers to and was given stands beside it, so that a store which has nothing takes it too.
    let to = format!("file://{}", folder.path().join("other").display());
    text(&nix("nix", &[&features[..], &[&from, "--to", &to, &path]].concat()));
    text(&nix("nix-store", &["--verify-path", &path]));
    // What Nix has been given is what it would have built.
    let again = nix("nix-store", &["--realise", "--check", derivation]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn a_tampered_daemon_is_caught() {
    let folder = folder();
    let (expression, tools) = (folder.path().join("it.nix"), tools(folder.path()));
    fs::write(&expression, r#"{ box }: { it = derivation { name = "tampered"; system = "x86_64-linux";
        builder = "${builtins.path { path = box; name = "box"; }}/bin/sh";
        args = [ "-c" "b=${builtins.path { path = box; name = "box"; }}/bin/busybox; $b mkdir $out; cd $out; echo one > a; echo two > b" ]; }; }"#).unwrap();
    let derivation = &instantiate(&expression, &tools)["it"];
    let root = folder.path().join("root");
    text(&nix("nix-store", &["--realise", derivation]));
    let path = text(&nix("nix-store", &["--query", "--outputs", derivation])).trim().to_owned();
    // A store of its own, of which the daemon of this machine knows nothing, where a byte is another.
    let copy = root.join(&path[1..]);
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    assert!(Command::new("cp").args(["-a", &path]).arg(&copy).status().unwrap().success());
    fs::set_permissions(&copy, PermissionsExt::from_mode(0o755)).unwrap();
    let file = copy.join("b");
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let out = folder.path().join("out");
    let record = folder.path().join("record.json");
    let ours = groundup()
        .args(["run", derivation, "--machine", "host", "--out"])
        .arg(&out)
        .arg("--record")
        .arg(&record)
        .output();
    assert!(ours.unwrap().status.success());
    let says = |bytes: &str| {
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(0o444)).unwrap();
        let hash = text(&nix("nix-hash", &["--type", "sha256", "--base32", copy.to_str().unwrap()]));
        let dump = Command::new("nix-store").arg("--dump").arg(&copy).output().unwrap().stdout;
        let cache = folder.path().join(format!("cache-{}", bytes.trim()));
        fs::create_dir_all(cache.join("nar")).unwrap();
        fs::write(cache.join("nar/x.nar"), &dump).unwrap();
        let name = path.rsplit('/').next().unwrap();
        let info = format!(
            "StorePath: {path}\nURL: nar/x.nar\nCompression: none\nNarHash: sha256:{}\nNarSize: {}\nReferences: \n",
            hash.trim(),
            dump.len()
        );
        let narinfo = cache.join(format!("{}.narinfo", &name[..32]));
        fs::write(&narinfo, info).unwrap();
        let named = |label: &str, path: &Path| format!("{label}={}", path.display());
        let records = [named("ours", &record), named("nix", &narinfo)];
        let outputs =
            ["--outputs".to_owned(), named("ours", &out), "--outputs".to_owned(), named("nix", &cache)];
        groundup().arg("compare").args(records).args(outputs).output().unwrap()
    };
    let same = says("two\n");
    assert_eq!(same.status.code(), Some(0), "{}", String::from_utf8_lossy(&same.stdout));
    let other = says("twp\n");
    let said = String::from_utf8_lossy(&other.stdout).into_owned();
    assert_eq!(other.status.code(), Some(1), "{said}");
    // The output, the file in it, and the byte.
    assert!(said.contains("tampered") && said.contains("differs"), "{said}");
    assert!(said.lines().any(|line| line.contains('b') && line.contains("byte 2")), "{said}");
}
