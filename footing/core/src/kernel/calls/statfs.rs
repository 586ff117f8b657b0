//! statfs(2).

use super::stat::Layout;
use super::{Arguments, fail};
use crate::errno::{EBADF, EINVAL, ENOENT, Errno};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel, Object};
use crate::platform::{PAGE, Platform};
use crate::tree::NodeId;
use alloc::vec::Vec;

impl<P: Platform> Kernel<P> {
    /// The numbers of statfs(2): those of tmpfs, in pages.
    fn put_statfs(&mut self, at: u64, node: Option<NodeId>, word: usize, wide: usize) -> Done {
        let volume = match node {
            Some(node) => self.tree.volume_of(self.tree.get(node)?.volume).copied(),
            None => None,
        };
        let (kind, limit, used, nodes) = match (volume, node) {
            (Some(volume), Some(node)) => {
                let used = self.tree.used(self.tree.get(node)?.volume);
                let more = self.enlarged();
                let (blocks, nodes) = (volume.limit / PAGE, volume.limit / 1024 + 64);
                (0x0102_1994, blocks.saturating_mul(more), used / PAGE, nodes.saturating_mul(more))
            }
            _ => (0x5049_5045, 0, 0, 0),
        };
        let free = limit.saturating_sub(used);
        let mut layout = Layout(Vec::with_capacity(120)).put(kind, word).put(PAGE, word);
        for value in [limit, free, free, nodes, nodes] {
            layout = layout.put(value, wide);
        }
        let mut layout = layout.put(0, 8).put(255, word).put(PAGE, word).put(0x20 | 0x400, word);
        layout.0.resize(layout.0.len() + 4 * word, 0);
        self.store(at, &layout.0)?;
        Ok(0)
    }

    fn path_of_statfs(&mut self, path: u64) -> Result<NodeId, Errno> {
        let path = self.path(path)?;
        if path.is_empty() { Err(ENOENT) } else { self.node_at(AT_FDCWD, &path, true) }
    }

    fn fd_of_statfs(&mut self, fd: u64) -> Result<Option<NodeId>, Errno> {
        match self.open_of(fd as i32).map_err(|_| EBADF)?.object {
            Object::Node(node) | Object::Text(node, _) => Ok(Some(node)),
            _ => Ok(None),
        }
    }

    /// statfs(2).
    pub(crate) fn sys_statfs(&mut self, a: Arguments) -> Done {
        let node = self.path_of_statfs(a[0])?;
        let word = self.long_size() as usize;
        self.put_statfs(a[1], Some(node), word, word)
    }

    /// fstatfs(2).
    pub(crate) fn sys_fstatfs(&mut self, a: Arguments) -> Done {
        let node = self.fd_of_statfs(a[0])?;
        let word = self.long_size() as usize;
        self.put_statfs(a[1], node, word, word)
    }

    /// statfs64 of i386.
    pub(crate) fn sys_statfs64(&mut self, a: Arguments) -> Done {
        if a[1] != 84 && a[1] != 88 {
            return fail(EINVAL);
        }
        let node = self.path_of_statfs(a[0])?;
        self.put_statfs(a[2], Some(node), 4, 8)
    }

    /// fstatfs64 of i386.
    pub(crate) fn sys_fstatfs64(&mut self, a: Arguments) -> Done {
        if a[1] != 84 && a[1] != 88 {
            return fail(EINVAL);
        }
        let node = self.fd_of_statfs(a[0])?;
        self.put_statfs(a[2], node, 4, 8)
    }
}
