//! What is done with whole trees: to walk, to freeze, to drop one. No recursion: how deep a tree is, a step decides.

use super::{Kind, NodeId, Tree, VolumeId};
use crate::errno::Errno;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// One thing that a walk comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A node, before its entries; how many directories it lies below.
    Enter(NodeId, usize),
    /// A directory, after its entries.
    Leave(NodeId),
}

/// What a walk calls: with the tree, the step and the entry's name. An error ends the walk.
pub type Visit<'a, E> = &'a mut dyn FnMut(&Tree, Step, &[u8]) -> Result<(), E>;

/// A directory that a walk is in: itself, and the entry that it came by last.
type Open = (NodeId, Option<Box<[u8]>>);

impl Tree {
    /// Visits a tree: a directory before its entries, these ascending by the bytes of their names. `name` is empty at the root.
    pub fn walk<E>(&self, root: NodeId, visit: Visit<'_, E>) -> Result<(), E> {
        let mut open: Vec<Open> = Vec::new();
        visit(self, Step::Enter(root, 0), b"")?;
        if self.folder(root).is_ok() {
            open.push((root, None));
        }
        while let Some((folder, last)) = open.last_mut() {
            let folder = *folder;
            let next = self.folder(folder).ok().and_then(|entries| entries.after(last.as_deref()));
            let Some((name, node)) = next else {
                open.pop();
                visit(self, Step::Leave(folder), b"")?;
                continue;
            };
            *last = Some(name.into());
            let depth = open.len();
            visit(self, Step::Enter(node, depth), name)?;
            if self.folder(node).is_ok() {
                open.push((node, None));
            }
        }
        Ok(())
    }

    /// All nodes of a tree, a directory before its entries.
    pub fn nodes_of(&self, root: NodeId) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        let _ = self.walk::<()>(root, &mut |_, step, _| {
            if let Step::Enter(id, _) = step {
                nodes.push(id);
            }
            Ok(())
        });
        nodes
    }

    /// Freezes a tree: nothing changes it again, it outlives its step and lies on another volume.
    pub fn freeze(&mut self, root: NodeId, volume: VolumeId) {
        for id in self.nodes_of(root) {
            let stored = self.stored(id);
            let Ok(node) = self.get_mut(id) else { continue };
            let from = node.volume;
            node.frozen = true;
            node.volume = volume;
            if let Some(old) = self.volumes.get_mut(from.0 as usize) {
                old.used = old.used.saturating_sub(stored);
                old.nodes = old.nodes.saturating_sub(1);
            }
            if let Some(new) = self.volumes.get_mut(volume.0 as usize) {
                new.used = new.used.saturating_add(stored);
                new.nodes = new.nodes.saturating_add(1);
            }
        }
    }

    /// Drops a tree, frozen or not; the names by which the home may still know its bytes.
    pub fn drop_tree(&mut self, root: NodeId) -> Vec<crate::platform::FileId> {
        let mut names = Vec::new();
        for id in self.nodes_of(root) {
            if let Ok(file) = self.file(id) {
                names.extend(file.cache);
            }
            self.discard(id);
        }
        names
    }

    /// Ends a step: drops all that is not frozen, and what this step saw of inode numbers. The names by which the home may still
    /// know bytes.
    pub fn sweep(&mut self) -> Vec<crate::platform::FileId> {
        let mut names = Vec::new();
        for number in 0..self.nodes.len() as u32 {
            let id = NodeId(number);
            if self.get(id).is_ok_and(|node| !node.frozen) {
                if let Ok(file) = self.file(id) {
                    names.extend(file.cache);
                }
                self.discard(id);
            }
        }
        self.begin();
        names
    }

    /// Starts a step: inode numbers from 1 on, nothing bound.
    pub fn begin(&mut self) {
        self.last_inode = 0;
        self.seen.clear();
        self.bound.clear();
    }

    /// Whether a node may be seen on a file system that lets nothing be executed.
    pub fn noexec(&self, id: NodeId) -> bool {
        self.get(id).ok().and_then(|node| self.volume_of(node.volume)).is_some_and(|volume| volume.noexec)
    }

    /// A directory for `/proc`: its entries appear as they are looked up.
    pub fn make_dynamic(&mut self, folder: NodeId, kind: u32) -> Result<(), Errno> {
        self.folder_mut(folder)?.dynamic = Some(kind);
        Ok(())
    }

    /// The target of a symbolic link.
    pub fn target(&self, id: NodeId) -> Option<&[u8]> {
        match &self.get(id).ok()?.kind {
            Kind::Link(target) => Some(target),
            _ => None,
        }
    }
}
