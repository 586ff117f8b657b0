//! An image by hand, a home in memory, and a function in place of the kernel.

use crate::errno::Errno;
use crate::kernel::{End, Outcome, StepSettings};
use crate::plan::{Home, Resources, Steps, run};
use crate::platform::FileId;
use crate::tree::{Data, File, Folder, Kind, Meta, NodeId, Tree};
use formats::hex;
use formats::nar::{Discard, Encoder, Hashed};
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

pub const DIRECTORY: u32 = 0o040_755;
pub const FILE: u32 = 0o100_644;
pub const LINK: u32 = 0o120_777;

/// What a step does: with the tree, the step's root, its settings and its log.
pub type Act = fn(&mut Tree, NodeId, &StepSettings, &mut dyn FnMut(&[u8])) -> End;

pub struct Mock {
    pub tree: Tree,
    act: Act,
    pub forgotten: Vec<FileId>,
}

impl Steps for Mock {
    fn tree(&mut self) -> &mut Tree {
        &mut self.tree
    }

    fn make_proc(&mut self, folder: NodeId) -> Result<(), Errno> {
        self.tree.make_dynamic(folder, 0)
    }

    fn run_step(&mut self, root: NodeId, step: StepSettings, log: &mut dyn FnMut(&[u8])) -> Outcome {
        let end = (self.act)(&mut self.tree, root, &step, log);
        Outcome { end, unknown: Vec::new(), calls: 0, trace: 0, time: 7_000_000 }
    }

    fn forget(&mut self, id: FileId) {
        self.forgotten.push(id);
    }
}

#[derive(Default)]
pub struct Screen {
    pub text: String,
    pub region: Option<Vec<u8>>,
}

impl Home for Screen {
    fn console(&mut self, bytes: &[u8]) {
        self.text.push_str(&String::from_utf8_lossy(bytes));
    }

    fn region(&self) -> Option<u64> {
        self.region.as_ref().map(|region| region.len() as u64)
    }

    fn export(&mut self, offset: u64, bytes: &[u8]) {
        let region = self.region.as_mut().unwrap();
        region[offset as usize..][..bytes.len()].copy_from_slice(bytes);
    }
}

/// An image of this plan and these entries, which are in order.
pub fn image(plan: &str, entries: &[(&str, u32, &[u8])]) -> &'static [u8] {
    let mut bytes = Vec::new();
    let all = entries.iter().copied().chain([("plan", FILE, plan.as_bytes()), ("TRAILER!!!", 0, b"")]);
    for (name, mode, data) in all {
        let fields = [1, mode, 0, 0, 1, 0, data.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
        bytes.extend_from_slice(b"070701");
        fields.iter().for_each(|field| bytes.extend_from_slice(format!("{field:08x}").as_bytes()));
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes.leak()
}

pub fn head(failure: &str) -> String {
    format!("groundup plan 1\nentropy {}\nfailure {failure}\n", "2".repeat(64))
}

/// A step by these rules with this world, and these lines of `output` and below.
pub fn step(name: &str, rules: &str, world: &str, outputs: &str) -> String {
    let limits: String =
        formats::plan::RESOURCES.iter().map(|name| format!("limit {name} 1 unlimited\n")).collect();
    format!(
        "step {name}\nuid 1000\ngid 100\numask 0022\nhost localhost\ndomain (none)\nclock 1000\npersonality 0\n\
         pid-one init\nloopback up\nlog pipe\nrules {rules}\ntime-limit 60\nlog-limit 10\nspace-limit 1048576\n{limits}\
         dir /build 0700 builder\nstore /store 1775\n{world}cwd /build\nbuilder /store/sh\narg sh\nenv A=1\n{outputs}end\n"
    )
}

/// The console without its first line, and what was left of the mock.
pub fn console(image: &'static [u8], region: Option<usize>, act: Act) -> (Vec<String>, Mock, Screen) {
    let mut mock = Mock { tree: Tree::new(), act, forgotten: Vec::new() };
    let mut screen = Screen { region: region.map(|size| vec![0; size]), ..Screen::default() };
    let resources = Resources { memory: 1 << 30, processes: 100 };
    run(image, &mut mock, &mut screen, resources);
    let lines = screen.text.lines().filter(|line| !line.starts_with("@ groundup 1 "));
    (lines.map(String::from).collect(), mock, screen)
}

pub fn find(tree: &Tree, root: NodeId, path: &str) -> NodeId {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.fold(root, |node, name| tree.folder(node).unwrap().get(name.as_bytes()).expect(path))
}

pub fn meta(mode: u32) -> Meta {
    Meta { mode, uid: 1000, gid: 100, time: 5 }
}

/// Makes a file of the step's.
pub fn file(tree: &mut Tree, root: NodeId, path: &str, mode: u32, bytes: &[u8]) -> NodeId {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let kind = Kind::File(File::new(Data::Own(Vec::new())));
    let node = tree.add(find(tree, root, folder), name.as_bytes(), kind, meta(mode)).unwrap();
    tree.write_at(node, 0, bytes, 5).unwrap();
    node
}

pub fn folder(tree: &mut Tree, root: NodeId, path: &str, mode: u32) {
    let (above, name) = path.rsplit_once('/').unwrap();
    let kind = Kind::Folder(Folder::default());
    tree.add(find(tree, root, above), name.as_bytes(), kind, meta(mode)).unwrap();
}

pub fn digits(digest: &hex::Digest) -> String {
    String::from_utf8(hex::encode(digest).into()).unwrap()
}

/// Of the archive of a plain file.
pub fn nar(executable: bool, bytes: &[u8]) -> (String, u64) {
    let mut discard = Discard;
    let mut nar = Encoder::new(&mut discard, Hashed::Archive);
    nar.file(executable, bytes.len() as u64);
    nar.data(bytes);
    nar.file_end();
    let (digest, size) = nar.finish();
    (digits(&digest), size)
}
