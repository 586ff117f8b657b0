//! footing's plan runner beside PID 1: the image that the `host` machine carried out is carried out once more by footing's runner, in
//! this process. The place of a step's processes takes what these left and printed on `host`. All else has to come out the same:
//! every event, in the same order, and every byte that is exported.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use footing_core::errno::Errno;
use footing_core::kernel::{End, Outcome, StepSettings};
use footing_core::plan::{Home, Resources, Steps};
use footing_core::platform::FileId;
use footing_core::tree::{Data, File, Folder, Kind, Meta, NodeId, Tree};
use formats::plan::{Item, Plan};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What a step did on `host`.
#[derive(Default)]
struct Trace {
    store: Vec<u8>,
    /// Base names in the store, and where the outputs are.
    outputs: Vec<(String, PathBuf)>,
    log: Vec<u8>,
    status: u8,
}

/// Does again what each step did, which is known by its random seed.
struct Replay {
    tree: Tree,
    traces: BTreeMap<[u8; 32], Trace>,
}

impl Steps for Replay {
    fn tree(&mut self) -> &mut Tree {
        &mut self.tree
    }

    fn make_proc(&mut self, folder: NodeId) -> Result<(), Errno> {
        self.tree.make_dynamic(folder, 0)
    }

    fn run_step(&mut self, root: NodeId, step: StepSettings, log: &mut dyn FnMut(&[u8])) -> Outcome {
        let trace = &self.traces[&step.entropy];
        let names = trace.store.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
        let store = names.fold(root, |node, name| self.tree.folder(node).unwrap().get(name).unwrap());
        for (base, path) in &trace.outputs {
            put(&mut self.tree, store, base.as_bytes(), path);
        }
        log(&trace.log);
        Outcome { end: End::Exited(trace.status), unknown: Vec::new(), calls: 0, trace: 0, time: 0 }
    }

    fn forget(&mut self, _id: FileId) {}
}

/// Copies a file or a folder into the tree.
fn put(tree: &mut Tree, folder: NodeId, name: &[u8], path: &Path) {
    let found = fs::symlink_metadata(path).unwrap();
    let meta = Meta { mode: found.permissions().mode() & 0o7777, uid: 1000, gid: 100, time: 5 };
    let kind = if found.is_symlink() {
        Kind::Link(fs::read_link(path).unwrap().into_os_string().into_vec().into())
    } else if found.is_dir() {
        Kind::Folder(Folder::default())
    } else {
        Kind::File(File::new(Data::Own(fs::read(path).unwrap())))
    };
    let node = tree.add(folder, name, kind, meta).unwrap();
    if found.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            put(tree, node, entry.file_name().as_bytes(), &entry.path());
        }
    }
}

struct Screen {
    text: Vec<u8>,
    region: Vec<u8>,
}

impl Home for Screen {
    fn console(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    fn region(&self) -> Option<u64> {
        Some(self.region.len() as u64)
    }

    fn export(&mut self, offset: u64, bytes: &[u8]) {
        self.region[offset as usize..][..bytes.len()].copy_from_slice(bytes);
    }
}

/// What each step of a plan did, by its random seed.
fn traces(plan: &[u8], console: &[String], out: &Path) -> BTreeMap<[u8; 32], Trace> {
    let items = Plan::read(plan).unwrap();
    let entropy = items.entropy;
    let mut traces = BTreeMap::new();
    for item in items {
        let Item::Step(step) = item.unwrap() else { continue };
        let started = format!("@ step {}", step.name);
        let lines = console.iter().skip_while(|line| **line != started).skip(1);
        let end = |line: &&String| !line.starts_with("@ built ") && !line.starts_with("@ failed ");
        let mut trace = Trace { store: step.store.bytes().collect(), ..Trace::default() };
        for line in lines.clone().take_while(end) {
            if let Some(line) = line.strip_prefix("| ") {
                trace.log.extend_from_slice(line.as_bytes());
                trace.log.push(b'\n');
            }
        }
        if let Some((_, status)) =
            lines.clone().find(|line| !end(line)).and_then(|line| line.split_once("exit status "))
        {
            trace.status = status.parse().unwrap();
        }
        let there = |name: &str| {
            let plain = out.join(name);
            if plain.symlink_metadata().is_ok() { Some(plain) } else { cached(out, name) }
        };
        let outputs = step.outputs();
        trace.outputs = outputs
            .filter_map(|output| Some((output.base.to_string(), there(output.name.as_str())?)))
            .collect();
        let first = step.outputs().next().unwrap();
        traces.insert(builder_seed(&entropy, first.base.as_bytes()), trace);
    }
    traces
}

/// An output in the binary cache that a run of a derivation leaves, unpacked.
fn cached(out: &Path, name: &str) -> Option<PathBuf> {
    let info = fs::read_to_string(out.join(&name[..name.len().min(32)]).with_extension("narinfo")).ok()?;
    let url = info.lines().find_map(|line| line.strip_prefix("URL: ")).unwrap();
    let unpacked = out.join(name);
    let nar = fs::read(out.join(url)).unwrap();
    inputs::restore(&nar[..], &unpacked, nar.len() as u64).unwrap();
    Some(unpacked)
}

/// The seed of a step's random numbers.
fn builder_seed(entropy: &[u8; 32], base: &[u8]) -> [u8; 32] {
    let mut hash = formats::nar::Sha256::new();
    hash.update(entropy);
    hash.update(base);
    hash.finalize()
}

/// A console's lines, but for how long each step took.
fn lines(console: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(console);
    let timeless = |line: &str| {
        let mut words: Vec<&str> = line.splitn(5, ' ').collect();
        if let ["@", "built" | "failed", _, time, ..] = &mut words[..] {
            *time = "TIME";
        }
        words.join(" ")
    };
    text.lines().map(timeless).collect()
}

/// Carries a graph out on `host`, and the same image by footing's runner.
fn compare(graph: &Path, arguments: &[&str]) -> Vec<String> {
    let image = support::folder();
    let image = image.path().join("image");
    let packed =
        support::groundup().arg("image").arg(graph).args(arguments).arg("-o").arg(&image).output().unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let both = [&["--machine", "host", "--export", "64"], arguments].concat();
    let run = support::run(Some(graph), &both);
    let bytes: &'static [u8] = fs::read(&image).unwrap().leak();
    let plan = formats::archive::Archive::new(bytes).map(Result::unwrap).find(|entry| entry.name == c"plan");
    let host = lines(&run.console);
    let traces = traces(plan.unwrap().data, &host, &run.out.path().join("out"));
    let mut replay = Replay { tree: Tree::new(), traces };
    let mut screen = Screen { text: Vec::new(), region: vec![0; 64 << 20] };
    let resources = Resources { memory: 1 << 30, processes: 100 };
    footing_core::plan::run(bytes, &mut replay, &mut screen, resources);
    let footing = lines(&screen.text);
    assert_eq!(footing.join("\n"), host.join("\n"), "{}", graph.display());
    for line in &footing {
        if let ["@", "output", name, sha256, size, offset] = line.split(' ').collect::<Vec<_>>()[..] {
            let (size, offset): (usize, usize) = (size.parse().unwrap(), offset.parse().unwrap());
            assert_eq!(builder::hash(&screen.region[offset..offset + size]).to_string(), sha256, "{name}");
        }
    }
    footing
}

#[test]
fn the_seed_graph_gives_the_same_lines() {
    let graph = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/seed.ron");
    assert_eq!(compare(&graph, &[]).last().unwrap(), "@ end 7 0 0");
}

#[test]
fn derivations_of_nix_give_the_same_lines() {
    let folder = support::folder();
    let (all, _) = support::nix::all(folder.path(), include_str!("derivations/features.nix"));
    let lines = compare(Path::new(&all), &[]);
    assert!(lines.iter().any(|line| line.starts_with("@ reference ")));
}

#[test]
fn a_failed_step_gives_the_same_lines() {
    let lines = compare(&support::graph("failing"), &["--keep-going"]);
    assert_eq!(lines.last().unwrap(), "@ end 2 1 0");
}

#[test]
fn native_gives_the_lines_of_host() {
    for graph in [Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/seed.ron"), support::graph("failing")]
    {
        let on = |machine| {
            let arguments = ["--keep-going", "--export", "64", "--machine", machine];
            // What footing alone has is the fingerprint of a step's calls.
            let all = lines(&support::run(Some(&graph), &arguments).console);
            all.into_iter().filter(|line| !line.starts_with("@ trace ")).collect::<Vec<_>>()
        };
        assert_eq!(on("native").join("\n"), on("host").join("\n"), "{}", graph.display());
    }
}
