//! Offsets and sizes of files.

use super::{Arguments, fail};
use crate::errno::{
    EACCES, EBADF, EFBIG, EINVAL, EISDIR, ENODEV, ENXIO, EOPNOTSUPP, EPERM, EROFS, ESPIPE, ETXTBSY, Errno,
};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Info, Kernel, Object};
use crate::platform::{PAGE, Platform};
use crate::tree::{Kind, NodeId};

const SIGXFSZ: i32 = 25;

impl<P: Platform> Kernel<P> {
    /// ESPIPE for what has no offset.
    pub(super) fn seekable(&self, open: u32) -> Result<(), Errno> {
        let open = self.opens.get(open)?;
        if open.flags & super::transfer::O_PATH != 0 {
            return Err(EBADF);
        }
        match open.object {
            Object::Node(_) | Object::Text(..) => Ok(()),
            _ => Err(ESPIPE),
        }
    }

    /// lseek(2), SEEK_DATA and SEEK_HOLE included. A directory's offset counts its entries.
    pub(crate) fn sys_lseek(&mut self, a: Arguments) -> Done {
        self.seek(a[0] as i32, self.signed(a[1]), a[2] as u32)
    }

    pub(super) fn seek(&mut self, fd: i32, offset: i64, whence: u32) -> Done {
        let id = self.fd(fd)?.open;
        let open = self.opens.get(id)?;
        // What has no file behind it stays at its start.
        if matches!(open.object, Object::Event(_) | Object::Timer(_) | Object::Signal(_) | Object::Epoll(_)) {
            return Ok(0);
        }
        self.seekable(id)?;
        let open = self.opens.get(id)?;
        let (node, text) = match &open.object {
            Object::Node(node) => (*node, None),
            Object::Text(node, text) => (*node, Some(text.len() as u64)),
            _ => return fail(ESPIPE),
        };
        let at = open.offset as i64;
        let size = match (&self.tree.get(node)?.kind, text) {
            (_, Some(size)) => size,
            (Kind::File(file), _) => file.size,
            (Kind::Device(..), _) => return if whence > 4 { fail(EINVAL) } else { Ok(0) },
            (Kind::Folder(_), _) if whence > 1 => return fail(EINVAL),
            _ => 0,
        } as i64;
        let target = match whence {
            0 => offset,
            1 => at.checked_add(offset).ok_or(EINVAL)?,
            2 => size.checked_add(offset).ok_or(EINVAL)?,
            3 | 4 if offset < 0 || offset >= size => return fail(ENXIO),
            3 | 4 => self.data_or_hole(node, offset as u64, whence == 3)?,
            _ => return fail(EINVAL),
        };
        if target < 0 {
            return fail(EINVAL);
        }
        self.place_folder(id, node, target as u64)?;
        self.opens.get_mut(id)?.offset = target as u64;
        Ok(target as u64)
    }

    /// The next data or hole: what is behind the stored bytes is a hole.
    fn data_or_hole(&self, node: NodeId, offset: u64, data: bool) -> Result<i64, Errno> {
        let Ok(file) = self.tree.file(node) else { return Err(EINVAL) };
        let stored = (file.bytes().len() as u64).next_multiple_of(PAGE).min(file.size);
        let at = match (data, offset < stored) {
            (true, true) | (false, false) => offset,
            (true, false) => return Err(ENXIO),
            (false, true) => stored,
        };
        Ok(at as i64)
    }

    /// Changes a file's size, with all that holds beside the file itself. EFBIG, EROFS, ENOSPC.
    pub(super) fn resize(&mut self, node: NodeId, size: u64) -> Result<(), Errno> {
        let time = self.time();
        let before = self.tree.file(node)?.size;
        self.may_resize(node, size)?;
        if size > before {
            let limit = self.me()?.limits.get(1).map_or(u64::MAX, |limit| limit.0);
            if size > limit {
                self.send_thread(self.current, Info::kernel(SIGXFSZ));
                return Err(EFBIG);
            }
        }
        self.pull(node, 0, u64::MAX);
        self.tree.truncate(node, size, time)?;
        self.uncache(node);
        self.push(node, size.min(before), size.max(before));
        self.drop_privileges(node);
        Ok(())
    }

    /// Whether a running program is this file.
    pub(super) fn runs(&self, node: NodeId) -> bool {
        self.processes.values().any(|process| process.exe == Some(node))
    }

    /// truncate(2).
    pub(crate) fn sys_truncate(&mut self, a: Arguments) -> Done {
        let size = self.signed(a[1]);
        self.truncate_path(a[0], size)
    }

    pub(super) fn truncate_path(&mut self, path: u64, size: i64) -> Done {
        if size < 0 {
            return fail(EINVAL);
        }
        let path = self.path(path)?;
        let node = self.node_at(AT_FDCWD, &path, true)?;
        match self.tree.get(node)?.kind {
            Kind::Folder(_) => return fail(EISDIR),
            Kind::File(_) => {}
            _ => return fail(EINVAL),
        }
        if self.tree.get(node)?.frozen {
            return fail(EROFS);
        }
        let (uid, gid) = self.rights();
        self.tree.may(node, uid, gid, 2)?;
        if self.runs(node) {
            return fail(ETXTBSY);
        }
        self.resize(node, size as u64)?;
        Ok(0)
    }

    /// ftruncate(2).
    pub(crate) fn sys_ftruncate(&mut self, a: Arguments) -> Done {
        let size = self.signed(a[1]);
        self.truncate_fd(a[0], size)
    }

    pub(super) fn truncate_fd(&mut self, fd: u64, size: i64) -> Done {
        if size < 0 {
            return fail(EINVAL);
        }
        let open = self.open_of(fd as i32)?;
        if open.flags & super::transfer::O_PATH != 0 {
            return fail(EBADF);
        }
        let Object::Node(node) = open.object else { return fail(EINVAL) };
        if !open.writes() || self.tree.file(node).is_err() {
            return fail(EINVAL);
        }
        self.resize(node, size as u64)?;
        Ok(0)
    }

    /// fallocate(2): mode 0 and FALLOC_FL_KEEP_SIZE, and FALLOC_FL_PUNCH_HOLE with it; others are EOPNOTSUPP.
    pub(crate) fn sys_fallocate(&mut self, a: Arguments) -> Done {
        const KEEP_SIZE: u64 = 1;
        const PUNCH_HOLE: u64 = 2;
        let (offset, length) = (a[2] as i64, a[3] as i64);
        let open = self.open_of(a[0] as i32)?;
        let (writes, object) = (open.writes(), open.object.clone());
        if open.flags & super::transfer::O_PATH != 0 {
            return fail(EBADF);
        }
        if offset < 0 || length <= 0 {
            return fail(EINVAL);
        }
        if !matches!(a[1], 0 | KEEP_SIZE) && a[1] != KEEP_SIZE | PUNCH_HOLE {
            return fail(EOPNOTSUPP);
        }
        if !writes {
            return fail(EBADF);
        }
        let node = match object {
            Object::Node(node) => node,
            Object::Pipe(..) => return fail(ESPIPE),
            _ => return fail(ENODEV),
        };
        match self.tree.get(node)?.kind {
            Kind::File(_) => {}
            Kind::Folder(_) => return fail(EISDIR),
            _ => return fail(ENODEV),
        }
        let end = offset.checked_add(length).ok_or(EFBIG)? as u64;
        let (offset, time) = (offset as u64, self.time());
        if a[1] & PUNCH_HOLE != 0 {
            self.may_change(node, 0)?;
        } else if a[1] == 0 && end > self.tree.file(node)?.size {
            self.may_resize(node, end)?;
        }
        self.pull(node, 0, u64::MAX);
        if a[1] & PUNCH_HOLE != 0 {
            let stored = self.tree.file(node)?.bytes().len() as u64;
            let size = end.min(stored).saturating_sub(offset);
            if size > 0 {
                let zeros = alloc::vec![0; size as usize];
                self.tree.write_at(node, offset, &zeros, time)?;
            }
        } else {
            let grows = a[1] == 0 && end > self.tree.file(node)?.size;
            if grows {
                self.size_limit(end.saturating_sub(1), 1)?;
            }
            self.tree.allocate(node, end, grows, time)?;
        }
        self.uncache(node);
        self.push(node, offset, end);
        Ok(0)
    }

    /// fsync(2), fdatasync(2): there is nothing behind memory. EINVAL for what has no file.
    pub(crate) fn sys_fsync(&mut self, a: Arguments) -> Done {
        let open = self.open_of(a[0] as i32)?;
        match open.object {
            _ if open.flags & super::transfer::O_PATH != 0 => fail(EBADF),
            Object::Node(node) => match self.tree.get(node)?.kind {
                Kind::Device(..) => fail(EINVAL),
                _ => {
                    self.pull(node, 0, u64::MAX);
                    Ok(0)
                }
            },
            _ => fail(EINVAL),
        }
    }

    /// sync(2).
    pub(crate) fn sys_sync(&mut self, _: Arguments) -> Done {
        Ok(0)
    }

    /// syncfs(2).
    pub(crate) fn sys_syncfs(&mut self, a: Arguments) -> Done {
        self.fd(a[0] as i32)?;
        Ok(0)
    }

    /// sync_file_range(2): checks alone.
    pub(crate) fn sys_sync_file_range(&mut self, a: Arguments) -> Done {
        let open = self.fd(a[0] as i32)?.open;
        self.seekable(open)?;
        Ok(0)
    }

    /// posix_fadvise(2): checks alone.
    pub(crate) fn sys_fadvise64(&mut self, a: Arguments) -> Done {
        self.advise(a[0], a[2] as i64, a[3])
    }

    pub(super) fn advise(&mut self, fd: u64, length: i64, advice: u64) -> Done {
        let open = self.open_of(fd as i32)?;
        match open.object {
            _ if open.flags & super::transfer::O_PATH != 0 => fail(EBADF),
            Object::Pipe(..) => fail(ESPIPE),
            _ if length < 0 || advice > 5 => fail(EINVAL),
            _ => Ok(0),
        }
    }

    /// readahead(2): checks alone.
    pub(crate) fn sys_readahead(&mut self, a: Arguments) -> Done {
        let open = self.readable(a[0])?;
        match self.opens.get(open)?.object {
            Object::Node(node) if self.tree.file(node).is_ok() => Ok(0),
            _ => fail(EINVAL),
        }
    }

    /// The owner or the superuser may change what stat(2) shows. EROFS, EPERM.
    pub(super) fn owns(&self, node: NodeId) -> Result<(), Errno> {
        let node = self.tree.get(node)?;
        let uid = self.rights().0;
        match () {
            () if node.frozen => Err(EROFS),
            () if uid != 0 && uid != node.uid => Err(EPERM),
            () => Ok(()),
        }
    }

    /// Who may not write to a file may not do this. EROFS, EACCES.
    pub(super) fn may_write(&self, node: NodeId) -> Result<(), Errno> {
        if self.tree.get(node)?.frozen {
            return Err(EROFS);
        }
        let (uid, gid) = self.rights();
        self.tree.may(node, uid, gid, 2).map_err(|_| EACCES)
    }
}
