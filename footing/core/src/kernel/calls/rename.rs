//! rename(2) and the calls like it.

use super::{Arguments, fail};
use crate::errno::{EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EROFS, EXDEV, Errno};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel};
use crate::platform::Platform;
use crate::tree::{Last, NodeId};

const NOREPLACE: u64 = 1;
const EXCHANGE: u64 = 2;

/// A name in a directory and the node that it leads to.
struct End {
    folder: NodeId,
    name: alloc::vec::Vec<u8>,
    node: Option<NodeId>,
    slash: bool,
}

impl<P: Platform> Kernel<P> {
    /// rename(2).
    pub(crate) fn sys_rename(&mut self, a: Arguments) -> Done {
        self.rename((AT_FDCWD, a[0]), (AT_FDCWD, a[1]), 0)
    }

    /// renameat(2).
    pub(crate) fn sys_renameat(&mut self, a: Arguments) -> Done {
        self.rename((a[0] as i32, a[1]), (a[2] as i32, a[3]), 0)
    }

    /// renameat2(2): RENAME_NOREPLACE and RENAME_EXCHANGE; RENAME_WHITEOUT is EINVAL.
    pub(crate) fn sys_renameat2(&mut self, a: Arguments) -> Done {
        self.rename((a[0] as i32, a[1]), (a[2] as i32, a[3]), a[4] & 0xffff_ffff)
    }

    fn end(&mut self, directory: i32, path: &[u8], other: Errno) -> Result<Result<End, Errno>, Errno> {
        let place = self.find_last(directory, path)?;
        let Last::Name(name) = place.last else { return Ok(Err(other)) };
        Ok(Ok(End { folder: place.folder, name, node: place.node, slash: place.slash }))
    }

    fn rename(&mut self, from: (i32, u64), to: (i32, u64), flags: u64) -> Done {
        if flags & !(NOREPLACE | EXCHANGE) != 0 || flags == NOREPLACE | EXCHANGE {
            return fail(EINVAL);
        }
        let (old, new) = (self.path(from.1)?, self.path(to.1)?);
        // Where a path leads comes first for both; what is wrong with their last components only then.
        let source = self.end(from.0, &old, EBUSY)?;
        let target = self.end(to.0, &new, if flags & NOREPLACE != 0 { EEXIST } else { EBUSY })?;
        let (source, target) = (source?, target?);
        let (left, right) = (self.tree.get(source.folder)?, self.tree.get(target.folder)?);
        if left.volume != right.volume {
            return fail(EXDEV);
        }
        if left.frozen || right.frozen {
            return fail(EROFS);
        }
        let node = source.node.ok_or(ENOENT)?;
        if flags & NOREPLACE != 0 && target.node.is_some() {
            return fail(EEXIST);
        }
        if flags & EXCHANGE != 0 && target.node.is_none() {
            return fail(ENOENT);
        }
        let folder = self.tree.folder(node).is_ok();
        let there = target.node.is_some_and(|there| self.tree.folder(there).is_ok());
        if flags & EXCHANGE != 0 && target.slash && !there {
            return fail(ENOTDIR);
        }
        if !folder && (source.slash || flags & EXCHANGE == 0 && target.slash) {
            return fail(ENOTDIR);
        }
        if folder && self.inside(target.folder, node) {
            return fail(EINVAL);
        }
        if let Some(there) = target.node
            && there != node
            && self.inside(source.folder, there)
        {
            return fail(if flags & EXCHANGE != 0 { EINVAL } else { ENOTEMPTY });
        }
        if target.node == Some(node) {
            return Ok(0);
        }
        self.move_name(&source, &target, node, folder, flags & EXCHANGE != 0)
    }

    fn move_name(&mut self, source: &End, target: &End, node: NodeId, folder: bool, exchange: bool) -> Done {
        self.may_remove(source.folder, node)?;
        let (uid, gid) = self.rights();
        match target.node {
            None => self.may_enter(target.folder)?,
            Some(there) => {
                self.may_remove(target.folder, there)?;
                let other = self.tree.folder(there).is_ok();
                if !exchange && folder != other {
                    return fail(if folder { ENOTDIR } else { EISDIR });
                }
            }
        }
        if folder && source.folder != target.folder {
            self.tree.may(node, uid, gid, 2)?;
        }
        if self.tree.get(node)?.frozen || target.node.is_some_and(|there| self.frozen(there)) {
            return fail(EBUSY);
        }
        let time = self.time();
        let (from, to) = ((source.folder, &*source.name), (target.folder, &*target.name));
        match target.node {
            Some(there) if exchange => {
                self.tree.hold(there);
                self.tree.unlink(to.0, to.1, time)?;
                if self.tree.folder(there).is_ok() {
                    // A directory without a name does not count its own `.`.
                    self.tree.get_mut(there)?.links += 1;
                }
                let moved = self.tree.rename(from, to, time);
                let back = moved.and_then(|()| self.tree.link(from.0, from.1, there, time));
                self.tree.release(there);
                back?;
            }
            Some(there) => {
                if self.tree.folder(there).is_ok_and(|folder| !folder.is_empty()) {
                    return fail(ENOTEMPTY);
                }
                self.drop_name(to.0, to.1, there)?;
                self.tree.rename(from, to, time)?;
            }
            None => self.tree.rename(from, to, time)?,
        }
        Ok(0)
    }

    fn frozen(&self, node: NodeId) -> bool {
        self.tree.get(node).is_ok_and(|node| node.frozen)
    }

    /// Whether a directory is another one or lies below it.
    fn inside(&self, mut folder: NodeId, above: NodeId) -> bool {
        loop {
            if folder == above {
                return true;
            }
            match self.tree.parent(folder) {
                Some(parent) if parent != folder => folder = parent,
                _ => return false,
            }
        }
    }
}
