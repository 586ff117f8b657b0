//! The root of a step: a fresh file system with what the plan says, and nothing else reachable.

use super::Runner;
use super::reason::Failure;
use crate::errno::{ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, Errno};
use crate::tree::{Data, Dynamic, File, Folder, Found, Kind, Lookup, Meta, NodeId, Tree, VolumeId};
use alloc::vec::Vec;
use formats::plan::{Field, RootfsEntry, Rules, Step};

/// Numbers of devices that a step sees; 1 and 2 are those of inputs and outputs.
mod device {
    pub(super) const ROOT: u32 = 3;
    pub(super) const STORE: u32 = 4;
    pub(super) const PROC: u32 = 5;
    pub(super) const PTS: u32 = 6;
    pub(super) const SHM: u32 = 7;
}

/// The terminal multiplexer of a `devpts`. Source: the kernel's Documentation/admin-guide/devices.txt.
const PTMX: (u32, u32) = (5, 2);

/// A root that is being made.
pub(super) struct Root {
    pub(super) node: NodeId,
    /// The root of the store's file system.
    pub(super) store: Option<NodeId>,
    /// In nanoseconds since 1970: what is made for a step is a second older than its start.
    pub(super) time: i64,
}

/// Nothing of `/proc` is there before the step runs.
pub(super) struct Still;

impl Dynamic for Still {
    fn jump(&self, _kind: u32, _process: i32) -> Result<NodeId, Errno> {
        Err(ENOENT)
    }

    fn text(&self, _kind: u32, _process: i32) -> Option<Vec<u8>> {
        None
    }
}

/// What a path of the plan stands for.
pub(super) fn decode(path: Field<'_>) -> Vec<u8> {
    path.bytes().collect()
}

/// What lies below a node, through no symbolic link; the last component may be one itself. ENOENT, ENOTDIR, ELOOP.
pub(super) fn below(tree: &Tree, mut node: NodeId, path: &[u8]) -> Result<NodeId, Errno> {
    for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
        node = match &tree.get(node)?.kind {
            Kind::Folder(folder) => folder.get(name).ok_or(ENOENT)?,
            Kind::Link(_) => return Err(ELOOP),
            _ => return Err(ENOTDIR),
        };
    }
    Ok(node)
}

/// The same of a directory.
pub(super) fn folder_below(tree: &Tree, node: NodeId, path: &[u8]) -> Result<NodeId, Errno> {
    let node = below(tree, node, path)?;
    match &tree.get(node)?.kind {
        Kind::Folder(_) => Ok(node),
        Kind::Link(_) => Err(ELOOP),
        _ => Err(ENOTDIR),
    }
}

impl Root {
    /// The directory that a path of the plan lies in, and its last component.
    pub(super) fn place<'p>(&self, tree: &Tree, path: &'p [u8]) -> Result<(NodeId, &'p [u8]), Errno> {
        let slash = path.iter().rposition(|&byte| byte == b'/').ok_or(ENOENT)?;
        let (folder, name) = path.split_at(slash);
        Ok((folder_below(tree, self.node, folder)?, name.get(1..).unwrap_or_default()))
    }

    /// A new node of root's.
    fn add(&self, tree: &mut Tree, path: Field<'_>, mode: u32, kind: Kind) -> Result<NodeId, Errno> {
        let path = decode(path);
        let (folder, name) = self.place(tree, &path)?;
        tree.add(folder, name, kind, self.meta(mode))
    }

    fn meta(&self, mode: u32) -> Meta {
        Meta { mode, uid: 0, gid: 0, time: self.time }
    }

    fn dir(
        &self,
        tree: &mut Tree,
        step: &Step<'_>,
        path: Field<'_>,
        mode: u32,
        builder: bool,
    ) -> Result<(), Errno> {
        let path = decode(path);
        let (folder, name) = self.place(tree, &path)?;
        let (uid, gid) = if builder { (step.uid, step.gid) } else { (0, 0) };
        let meta = Meta { mode: mode & 0o1777, uid, gid, time: self.time };
        // Daemons mount the build directory: there is no link and no move between it and what is around it.
        let volume = if builder && step.rules != Rules::Groundup {
            tree.volume(step.space_limit, false, device::ROOT)
        } else {
            tree.get(folder)?.volume
        };
        tree.add_on(folder, name, volume, Kind::Folder(Folder::default()), meta).map(drop)
    }

    /// A file, owned by whoever owns the folder that it is in.
    fn file(&self, tree: &mut Tree, path: Field<'_>, mode: u32, text: Field<'_>) -> Result<(), Errno> {
        let path = decode(path);
        let (folder, name) = self.place(tree, &path)?;
        let (uid, gid) = (tree.get(folder)?.uid, tree.get(folder)?.gid);
        let meta = Meta { mode: mode & 0o1777, uid, gid, time: self.time };
        let file = tree.add(folder, name, Kind::File(File::new(Data::Own(Vec::new()))), meta)?;
        tree.write_at(file, 0, &decode(text), self.time)
    }

    fn link(&self, tree: &mut Tree, path: Field<'_>, target: Field<'_>) -> Result<(), Errno> {
        let target = decode(target);
        if target.is_empty() {
            return Err(ENOENT);
        }
        if target.len() > 4095 {
            return Err(ENAMETOOLONG);
        }
        self.add(tree, path, 0o777, Kind::Link(target.into())).map(drop)
    }

    /// The root of a file system of the step's own.
    fn mount(&self, tree: &mut Tree, path: Field<'_>, volume: VolumeId, meta: Meta) -> Result<NodeId, Errno> {
        let path = decode(path);
        let (folder, name) = self.place(tree, &path)?;
        tree.add_on(folder, name, volume, Kind::Folder(Folder::default()), meta)
    }

    /// Terminals: a multiplexer that has none to hand out.
    fn pts(&self, tree: &mut Tree, path: Field<'_>) -> Result<(), Errno> {
        let volume = tree.volume(u64::MAX, true, device::PTS);
        let folder = self.mount(tree, path, volume, self.meta(0o755))?;
        tree.add(folder, b"ptmx", Kind::Device(PTMX.0, PTMX.1), self.meta(0o666)).map(drop)
    }

    fn store(&mut self, tree: &mut Tree, step: &Step<'_>, path: Field<'_>) -> Result<(), Errno> {
        let volume = tree.volume(step.space_limit, false, device::STORE);
        let meta = Meta { mode: step.store_mode, uid: 0, gid: step.gid, time: self.time };
        self.store = Some(self.mount(tree, path, volume, meta)?);
        Ok(())
    }
}

impl Runner<'_> {
    /// Makes the world of a step.
    pub(super) fn world<'p>(&mut self, step: &Step<'p>) -> Result<Root, Failure<'p>> {
        let (mode, gid) = match step.rules {
            Rules::Groundup => (0o755, 0),
            Rules::Nix => (0o750, step.gid),
            Rules::Guix => (0o555, step.gid),
        };
        let time = i64::try_from(step.clock.saturating_sub(1)).unwrap_or(i64::MAX);
        let time = time.saturating_mul(1_000_000_000);
        let tree = self.kernel.tree();
        tree.set_noexec(self.volumes.sources, step.rules == Rules::Groundup);
        let volume = tree.volume(step.space_limit, false, device::ROOT);
        let meta = Meta { mode, uid: 0, gid, time };
        let node = tree.root(volume, meta).map_err(Failure::of("make the root"))?;
        let mut root = Root { node, store: None, time };
        step.world().try_for_each(|line| self.line(&mut root, step, line))?;
        self.ready(&root, step)?;
        Ok(root)
    }

    fn line<'p>(
        &mut self,
        root: &mut Root,
        step: &Step<'p>,
        line: RootfsEntry<'p>,
    ) -> Result<(), Failure<'p>> {
        let tree = self.kernel.tree();
        match line {
            RootfsEntry::Dir { path, mode, builder } => {
                root.dir(tree, step, path, mode, builder).map_err(Failure::on("dir", path))
            }
            RootfsEntry::File { path, mode, text } => {
                root.file(tree, path, mode, text).map_err(Failure::on("file", path))
            }
            RootfsEntry::Link { path, target } => {
                root.link(tree, path, target).map_err(Failure::on("link", path))
            }
            RootfsEntry::Device { path, major, minor } => {
                let made = root.add(tree, path, 0o666, Kind::Device(major, minor));
                made.map(drop).map_err(Failure::on("device", path))
            }
            RootfsEntry::Proc { path } => {
                let volume = tree.volume(u64::MAX, true, device::PROC);
                let made = root.mount(tree, path, volume, root.meta(0o555));
                let made = made.and_then(|folder| self.kernel.make_proc(folder));
                made.map_err(Failure::on("proc", path))
            }
            RootfsEntry::Pts { path } => root.pts(tree, path).map_err(Failure::on("pts", path)),
            RootfsEntry::Shm { path } => {
                // As tmpfs has it that is set to nothing: half of the memory, for everybody.
                let volume = tree.volume(self.resources.memory / 2, false, device::SHM);
                let made = root.mount(tree, path, volume, root.meta(0o1777));
                made.map(drop).map_err(Failure::on("shm", path))
            }
            RootfsEntry::Closure => {
                self.bind_closure(root, step).map_err(Failure::of("bind what is referred to"))
            }
            RootfsEntry::Store { path, .. } => {
                root.store(tree, step, path).map_err(Failure::on("store", path))
            }
            RootfsEntry::Bind { source, path } => {
                self.bind(root, source, path).map_err(Failure::on("bind", path))
            }
        }
    }

    /// Asks what PID 1 would run into when the world is made: the builder's input and its directory.
    fn ready<'p>(&mut self, root: &Root, step: &Step<'p>) -> Result<(), Failure<'p>> {
        let tree = self.kernel.tree();
        let look = |uid, gid| Lookup {
            root: root.node,
            from: root.node,
            uid,
            gid,
            follow: true,
            create: false,
            within: 0,
        };
        let there = |found| match found {
            Ok(Found::Place(place)) => place.node.ok_or(ENOENT).map(Some),
            Ok(Found::Missing(..)) => Ok(None),
            Err(errno) => Err(errno),
        };
        if step.rules != Rules::Groundup {
            let null = there(tree.find(&look(0, 0), b"/dev/null", &Still));
            null.map_err(Failure::of("open the builder's input"))?;
        }
        let cwd = there(tree.find(&look(step.uid, step.gid), &decode(step.cwd), &Still));
        let entered = cwd.and_then(|cwd| match cwd {
            Some(cwd) => tree.folder(cwd).and_then(|_| tree.may(cwd, step.uid, step.gid, 1)),
            // In `/proc`, of which the kernel knows.
            None => Ok(()),
        });
        entered.map_err(Failure::on("cwd", step.cwd))
    }
}
