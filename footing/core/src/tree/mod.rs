//! The file tree: nodes by number, those of a step and the frozen ones that steps share.
//!
//! A frozen node never changes: writing to it is EROFS. Folders list their entries by the bytes of their names. Inode numbers are
//! counted anew in each step. Nothing here knows of processes.

mod data;
mod node;
mod path;
mod whole;

use crate::errno::{EBUSY, EEXIST, EMLINK, ENAMETOOLONG, ENOENT, ENOSPC, ENOTDIR, EROFS, EXDEV, Errno};
use crate::map::Map;
use alloc::vec::Vec;
pub use node::{Data, File, Folder, Kind, Meta, Node, NodeId, Volume, VolumeId};
pub use path::{Dynamic, Found, Last, Lookup, Place};
pub use whole::Step as WalkStep;

/// All nodes.
#[derive(Default)]
pub struct Tree {
    nodes: Vec<Option<Node>>,
    free: Vec<u32>,
    volumes: Vec<Volume>,
    /// What `..` is in folders that were bound.
    bound: Map<NodeId, NodeId>,
    /// Inode numbers of frozen nodes that this step saw.
    seen: Map<NodeId, u32>,
    last_inode: u32,
    last_file: u64,
}

/// Nothing has more names than this (ext4 has 65000).
const MAX_LINKS: u32 = 65000;

impl Tree {
    /// No nodes.
    pub fn new() -> Tree {
        Tree::default()
    }

    /// A file system with a limit in bytes. `device` is what stat(2) shows.
    pub fn volume(&mut self, limit: u64, noexec: bool, device: u32) -> VolumeId {
        self.volumes.push(Volume { limit, noexec, device, used: 0, nodes: 0 });
        VolumeId((self.volumes.len() - 1) as u16)
    }

    /// A file system.
    pub fn volume_of(&self, id: VolumeId) -> Option<&Volume> {
        self.volumes.get(id.0 as usize)
    }

    /// How many file systems there are.
    pub fn volumes(&self) -> usize {
        self.volumes.len()
    }

    /// Forgets all file systems but the first ones; no node may lie on the others.
    pub fn keep_volumes(&mut self, count: usize) {
        self.volumes.truncate(count);
    }

    /// Whether files of a file system can be executed from now on.
    pub fn set_noexec(&mut self, id: VolumeId, noexec: bool) {
        if let Some(volume) = self.volumes.get_mut(id.0 as usize) {
            volume.noexec = noexec;
        }
    }

    /// Bytes that a file system's files store.
    pub fn used(&self, id: VolumeId) -> u64 {
        self.volume_of(id).map_or(0, |volume| volume.used)
    }

    /// A node. ENOENT if it is gone.
    pub fn get(&self, id: NodeId) -> Result<&Node, Errno> {
        self.nodes.get(id.0 as usize).and_then(Option::as_ref).ok_or(ENOENT)
    }

    /// A node that is to be changed. Asks nothing about frozen ones: see [`Tree::writable`].
    pub fn get_mut(&mut self, id: NodeId) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(id.0 as usize).and_then(Option::as_mut).ok_or(ENOENT)
    }

    /// A node that may be changed. EROFS if it is frozen.
    pub fn writable(&mut self, id: NodeId) -> Result<&mut Node, Errno> {
        let node = self.get_mut(id)?;
        if node.frozen { Err(EROFS) } else { Ok(node) }
    }

    /// A node without a name.
    pub fn make(&mut self, volume: VolumeId, kind: Kind, meta: Meta) -> Result<NodeId, Errno> {
        let place = self.volumes.get_mut(volume.0 as usize).ok_or(ENOENT)?;
        // As tmpfs has it, but for its unit: a node for every kibibyte.
        if place.nodes >= place.limit / 1024 + 64 {
            return Err(ENOSPC);
        }
        place.nodes += 1;
        self.last_inode = self.last_inode.wrapping_add(1);
        let Meta { mode, uid, gid, time } = meta;
        let links = u32::from(matches!(kind, Kind::Folder(_)));
        let inode = self.last_inode;
        let (frozen, times) = (false, [time; 3]);
        let node = Node { kind, mode, uid, gid, links, holds: 0, times, volume, frozen, inode };
        if let Some(free) = self.free.pop()
            && let Some(place) = self.nodes.get_mut(free as usize)
        {
            *place = Some(node);
            return Ok(NodeId(free));
        }
        let id = u32::try_from(self.nodes.len()).map_err(|_| ENOSPC)?;
        self.nodes.push(Some(node));
        Ok(NodeId(id))
    }

    /// An empty directory without a name, held: the root of a step.
    pub fn root(&mut self, volume: VolumeId, meta: Meta) -> Result<NodeId, Errno> {
        let id = self.make(volume, Kind::Folder(Folder::default()), meta)?;
        self.hold(id);
        Ok(id)
    }

    /// A new node in a directory, on that directory's file system. EEXIST, EROFS, ENOSPC, ENAMETOOLONG, ENOTDIR.
    pub fn add(&mut self, parent: NodeId, name: &[u8], kind: Kind, meta: Meta) -> Result<NodeId, Errno> {
        let volume = self.get(parent)?.volume;
        self.add_on(parent, name, volume, kind, meta)
    }

    /// The same on another file system.
    pub fn add_on(
        &mut self,
        parent: NodeId,
        name: &[u8],
        volume: VolumeId,
        kind: Kind,
        meta: Meta,
    ) -> Result<NodeId, Errno> {
        self.free_name(parent, name)?;
        let id = self.make(volume, kind, meta)?;
        self.enter(parent, name, id)?;
        self.touch(parent, meta.time);
        Ok(id)
    }

    /// One more name for a node. EXDEV across file systems.
    pub fn link(&mut self, parent: NodeId, name: &[u8], node: NodeId, time: i64) -> Result<(), Errno> {
        let linked = self.get(node)?;
        if linked.volume != self.get(parent)?.volume {
            return Err(EXDEV);
        }
        if linked.links >= MAX_LINKS {
            return Err(EMLINK);
        }
        self.free_name(parent, name)?;
        self.enter(parent, name, node)?;
        self.touch(parent, time);
        self.changed(node, time);
        Ok(())
    }

    /// Makes a frozen node visible under a name, as a mount does.
    pub fn bind(&mut self, parent: NodeId, name: &[u8], node: NodeId) -> Result<(), Errno> {
        self.free_name(parent, name)?;
        let folder = self.folder_mut(parent)?;
        folder.entries.insert(name.into(), node);
        self.bound.insert(node, parent);
        Ok(())
    }

    fn free_name(&mut self, parent: NodeId, name: &[u8]) -> Result<(), Errno> {
        if name.len() > 255 {
            return Err(ENAMETOOLONG);
        }
        if self.folder(parent)?.entries.contains_key(name) {
            return Err(EEXIST);
        }
        let above = self.writable(parent)?;
        // A directory that was removed while it is open takes nothing.
        if above.links == 0 { Err(ENOENT) } else { Ok(()) }
    }

    fn enter(&mut self, parent: NodeId, name: &[u8], id: NodeId) -> Result<(), Errno> {
        let node = self.get_mut(id)?;
        node.links = node.links.saturating_add(1);
        let is_folder = match &mut node.kind {
            Kind::Folder(folder) => {
                folder.parent = Some(parent);
                true
            }
            _ => false,
        };
        self.folder_mut(parent)?.entries.insert(name.into(), id);
        if is_folder {
            let above = self.get_mut(parent)?;
            above.links = above.links.saturating_add(1);
        }
        Ok(())
    }

    /// Takes a name away; the node goes with its last name and hold. EBUSY for what is bound.
    pub fn unlink(&mut self, parent: NodeId, name: &[u8], time: i64) -> Result<(), Errno> {
        let id = self.folder(parent)?.get(name).ok_or(ENOENT)?;
        self.writable(parent)?;
        let node = self.get_mut(id)?;
        if node.frozen {
            return Err(EBUSY);
        }
        let is_folder = matches!(node.kind, Kind::Folder(_));
        node.links = node.links.saturating_sub(if is_folder { 2 } else { 1 });
        node.times[2] = time;
        let above = self.get_mut(parent)?;
        above.links = above.links.saturating_sub(is_folder.into());
        self.folder_mut(parent)?.entries.remove(name);
        self.touch(parent, time);
        self.settle(id);
        Ok(())
    }

    /// Gives a node another name; what is there must be gone already.
    pub fn rename(
        &mut self,
        (from, old): (NodeId, &[u8]),
        (to, new): (NodeId, &[u8]),
        time: i64,
    ) -> Result<(), Errno> {
        let id = self.folder(from)?.get(old).ok_or(ENOENT)?;
        self.free_name(to, new)?;
        self.writable(from)?;
        // The hold keeps the node while it has no name.
        self.hold(id);
        let done = self.unlink(from, old, time);
        if done.is_ok() {
            let node = self.get_mut(id)?;
            node.links = node.links.saturating_add(u32::from(matches!(node.kind, Kind::Folder(_))));
            self.enter(to, new, id)?;
            self.touch(to, time);
        }
        self.release(id);
        done
    }

    /// A directory. ENOTDIR.
    pub fn folder(&self, id: NodeId) -> Result<&Folder, Errno> {
        match &self.get(id)?.kind {
            Kind::Folder(folder) => Ok(folder),
            _ => Err(ENOTDIR),
        }
    }

    /// A directory that is to be changed. ENOTDIR.
    pub fn folder_mut(&mut self, id: NodeId) -> Result<&mut Folder, Errno> {
        match &mut self.get_mut(id)?.kind {
            Kind::Folder(folder) => Ok(folder),
            _ => Err(ENOTDIR),
        }
    }

    /// What `..` is in a directory; none in a root.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.bound.get(&id).copied().or_else(|| self.folder(id).ok()?.parent)
    }

    /// One more descriptor, mapping or process holds a node.
    pub fn hold(&mut self, id: NodeId) {
        if let Ok(node) = self.get_mut(id) {
            node.holds = node.holds.saturating_add(1);
        }
    }

    /// One fewer does.
    pub fn release(&mut self, id: NodeId) {
        if let Ok(node) = self.get_mut(id) {
            node.holds = node.holds.saturating_sub(1);
            self.settle(id);
        }
    }

    /// Frees a node that nothing leads to.
    fn settle(&mut self, id: NodeId) {
        let Ok(node) = self.get(id) else { return };
        let names = node.links.saturating_sub(u32::from(matches!(node.kind, Kind::Folder(_))));
        // A folder without a name counts its own `.`; unlink takes that too.
        if !node.frozen && names == 0 && node.holds == 0 {
            self.discard(id);
        }
    }

    fn discard(&mut self, id: NodeId) {
        let stored = self.stored(id);
        let Some(node) = self.nodes.get_mut(id.0 as usize).and_then(Option::take) else { return };
        if let Some(volume) = self.volumes.get_mut(node.volume.0 as usize) {
            volume.used = volume.used.saturating_sub(stored);
            volume.nodes = volume.nodes.saturating_sub(1);
        }
        self.free.push(id.0);
    }

    /// A directory's or file's bytes changed now.
    pub fn touch(&mut self, id: NodeId, time: i64) {
        if let Ok(node) = self.get_mut(id) {
            node.times[1] = time;
            node.times[2] = time;
        }
    }

    /// What stat(2) says of a node changed now.
    pub fn changed(&mut self, id: NodeId, time: i64) {
        if let Ok(node) = self.get_mut(id) {
            node.times[2] = time;
        }
    }

    /// Lets inode numbers start anew from a round number, whatever there is already.
    pub fn round_inodes(&mut self) {
        self.last_inode =
            self.last_inode.saturating_add(1).checked_next_multiple_of(1 << 16).unwrap_or(u32::MAX);
    }

    /// The inode number that this step sees.
    pub fn inode(&mut self, id: NodeId) -> u64 {
        let Ok(node) = self.get(id) else { return 0 };
        if !node.frozen {
            return node.inode.into();
        }
        let next = self.last_inode.wrapping_add(1);
        if let Some(&inode) = self.seen.get(&id) {
            return inode.into();
        }
        self.seen.insert(id, next);
        self.last_inode = next;
        next.into()
    }
}
