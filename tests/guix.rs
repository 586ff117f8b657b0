//! Derivations as Guix makes them, written here: a static busybox that is given is all that builds them, and a file is downloaded
//! by way of a list of mirrors. What a builder sees is held against what guix-daemon 1.5.0 shows.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

#[path = "support/server.rs"]
mod server;
mod support;

use formats::store_path;
use graphs::drv::{Algorithm, Derivation, Fixed, Output, modulo, write};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use support::nix::{of_record, tools};
use support::{folder, groundup, nix_hash};

const STORE: &str = "/gnu/store";

/// A store in a folder, and what each derivation in it is known by.
struct Store<'a> {
    folder: &'a Path,
    hashes: BTreeMap<String, String>,
}

impl Store<'_> {
    /// Puts a file or a folder where its content says.
    fn source(&self, from: &Path, name: &str) -> String {
        let path = store_path::make("source", nix_hash(from).parse().unwrap(), STORE, name);
        fs::rename(from, self.folder.join(store_path::base(&path))).unwrap();
        path
    }

    /// Adds a derivation of one output, `out`; returns its path and that of the output.
    fn add(&mut self, name: &str, mut derivation: Derivation) -> (String, String) {
        let needed: Vec<&str> = derivation.inputs.keys().map(|input| self.hashes[input].as_str()).collect();
        let out = modulo::paths(&derivation, &needed, STORE, name)["out"].clone();
        derivation.env.insert("out".into(), out.clone());
        derivation.outputs.get_mut("out").unwrap().path.clone_from(&out);
        let (text, hash) = (write(&derivation), modulo::hash(&derivation, &needed));
        let own = modulo::own_path(text.as_bytes(), &derivation, STORE, name);
        fs::write(self.folder.join(store_path::base(&own)), text).unwrap();
        self.hashes.insert(own.clone(), hash);
        (own, out)
    }
}

fn derivation(builder: &str, args: &[&str], env: &[(&str, &str)], fixed: Option<Fixed>) -> Derivation {
    Derivation {
        outputs: [("out".to_owned(), Output { path: String::new(), fixed })].into(),
        inputs: BTreeMap::new(),
        sources: BTreeSet::new(),
        platform: "x86_64-linux".into(),
        builder: builder.into(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        env: env
            .iter()
            .chain(&[("out", "")])
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// What the second derivation writes down, but for paths that depend on the content. `@` is its build directory, and `SHLVL` is busybox's own.
const SEEN: &str = "\
HOME=/homeless-shelter
NIX_BUILD_CORES=1
NIX_BUILD_TOP=@
NIX_STORE=/gnu/store
PATH=/path-not-set
PWD=@
SHLVL=1
TEMP=@
TEMPDIR=@
TMP=@
TMPDIR=@
own=mine
nixbld:x:30001:30000:Nix build user:/:/noshell
nobody:x:65534:65534:Nobody:/:/noshell
nixbld:!:30000:
127.0.0.1 localhost
::1 localhost
30001 30000
localhost
(none)
@
700 30001 30000
555 0 30000
1
no terminal
dev
etc
gnu
proc
tmp
sh
one
two
";

#[test]
fn a_closure_of_three() {
    let folder = folder();
    let at = folder.path().join("store");
    fs::create_dir(&at).unwrap();
    let mut store = Store { folder: &at, hashes: BTreeMap::new() };
    let busybox = store.source(&tools(folder.path()), "busybox");
    let port = server::start();
    let mirrors = folder.path().join("mirrors");
    fs::write(&mirrors, format!("((none \"http://127.0.0.1:1/\")\n (test \"http://127.0.0.1:{port}/\"))"))
        .unwrap();
    let mirrors = store.source(&mirrors, "mirrors");

    let hash = builder::hash(b"hi\n");
    let fixed = Fixed { recursive: false, algorithm: Algorithm::Sha256, hash };
    let url = ("url", "(\"mirror://nobody/hi\" \"mirror://test/hi\")");
    let mut download = derivation("builtin:download", &[], &[url, ("mirrors", &mirrors)], Some(fixed));
    download.sources.insert(mirrors);
    let (download, file) = store.add("hi", download);

    let (sh, b) = (format!("{busybox}/bin/sh"), format!("{busybox}/bin/busybox"));
    // What it is to have of the daemon's environment is there, and empty. Its output may refer to something.
    let script = &format!("[ \"${{http_proxy-none}}\" ] || echo {busybox} > $out");
    let hash = builder::hash(format!("{busybox}\n").as_bytes());
    let fixed = Fixed { recursive: false, algorithm: Algorithm::Sha256, hash };
    let mut leaky = derivation(&sh, &["-c", script], &[("impureEnvVars", "http_proxy")], Some(fixed));
    leaky.sources.insert(busybox.clone());
    let (leaky, leaky_out) = store.add("leaky", leaky);

    let script = format!("{b} cat {file} > $out; echo {busybox} >> $out");
    let mut first = derivation(&sh, &["-c", &script], &[], None);
    first.sources.insert(busybox.clone());
    first.inputs.insert(download, ["out".to_owned()].into());
    first.inputs.insert(leaky, ["out".to_owned()].into());
    let (first, first_out) = store.add("first", first);

    let script = format!(
        "{{ {b} env | {b} grep -v -e ^out= -e ^export | {b} sort; {b} cat /etc/passwd /etc/group /etc/hosts; echo $({b} id -u) $({b} id -g)
           {b} hostname; {b} cat /proc/sys/kernel/domainname; {b} pwd; {b} stat -c '%a %u %g' . /; echo $$; [ -t 1 ] || echo no terminal
           {b} ls /; echo $0; for a in \"$@\"; do echo $a; done; {b} sed s,/.*-,, graph; }} > log; {b} cp log $out; echo {first_out} >> $out"
    );
    let graph = format!("graph {busybox}");
    let env = [("own", "mine"), ("exportReferencesGraph", graph.as_str())];
    let mut second = derivation(&sh, &["-c", &script, "sh", "one", "two"], &env, None);
    second.sources.insert(busybox.clone());
    second.inputs.insert(first, ["out".to_owned()].into());
    let (second, second_out) = store.add("second", second);

    let root = at.join(store_path::base(&second));
    let mut records = Vec::new();
    for machine in ["host", "strict"] {
        let (out, record) = (folder.path().join(machine), folder.path().join(format!("{machine}.json")));
        let mut command = groundup();
        command
            .arg("run")
            .arg(&root)
            .args(["--machine", machine])
            .arg("--out")
            .arg(&out)
            .arg("--record")
            .arg(&record);
        let run = command.output().unwrap();
        assert!(run.status.success(), "{machine}: {}", String::from_utf8_lossy(&run.stderr));
        records.push(of_record(&record));
    }
    assert_eq!(records[0], records[1], "host and strict");
    assert_eq!(records[0][&leaky_out].1, [busybox.as_str()]);
    assert_eq!(records[0][&first_out].1, [busybox.as_str()]);
    assert_eq!(records[0][&second_out].1, [first_out.as_str()]);
    // The binary cache that was left is a place to take outputs from; the text in it is what was seen.
    let info = format!("{}.narinfo", &store_path::base(&second_out)[..store_path::HASH]);
    let info = fs::read_to_string(folder.path().join("host").join(info)).unwrap();
    let nar = info.lines().find_map(|line| line.strip_prefix("URL: ")).unwrap();
    let nar = fs::read(folder.path().join("host").join(nar)).unwrap();
    let seen = String::from_utf8(formats::nar::read::plain(&nar).unwrap().to_vec()).unwrap();
    let top = format!("/tmp/guix-build-{}-0", store_path::name(&second).unwrap());
    assert_eq!(seen, SEEN.replace('@', &top) + "busybox\n\n0\n" + &first_out + "\n");
}
