//! open(2) and the calls like it.

use super::transfer::{O_ACCMODE, O_PATH};
use super::{Arguments, fail};
use crate::errno::{
    E2BIG, EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EPERM, EROFS, ETXTBSY, Errno,
};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel, Object};
use crate::platform::Platform;
use crate::tree::{Data, File, Kind, Last, Meta, NodeId, Place};
use alloc::boxed::Box;
use alloc::vec::Vec;

const O_CREAT: u32 = 0o100;
const O_EXCL: u32 = 0o200;
const O_TRUNC: u32 = 0o1000;
const O_DIRECTORY: u32 = 0o20_0000;
const O_NOFOLLOW: u32 = 0o40_0000;
const O_CLOEXEC: u32 = 0o200_0000;
/// Set for every path that a program of 64 bits opens, and shown by F_GETFL.
pub(super) const O_LARGEFILE: u32 = 0o10_0000;
/// O_TMPFILE without O_DIRECTORY.
const TMPFILE: u32 = 0o2000_0000;
/// What F_GETFL shows: all but what only concerns the opening.
const KEPT: u32 = !(O_CREAT | O_EXCL | 0o400 | O_TRUNC | O_CLOEXEC);

impl<P: Platform> Kernel<P> {
    /// open(2).
    pub(crate) fn sys_open(&mut self, a: Arguments) -> Done {
        self.open_path(AT_FDCWD, a[0], a[1] as u32, a[2] as u32)
    }

    /// creat(2).
    pub(crate) fn sys_creat(&mut self, a: Arguments) -> Done {
        self.open_path(AT_FDCWD, a[0], O_CREAT | O_TRUNC | 1, a[1] as u32)
    }

    /// openat(2).
    pub(crate) fn sys_openat(&mut self, a: Arguments) -> Done {
        self.open_path(a[0] as i32, a[1], a[2] as u32, a[3] as u32)
    }

    /// openat2(2): RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS, RESOLVE_BENEATH and RESOLVE_IN_ROOT. RESOLVE_NO_XDEV and RESOLVE_CACHED
    /// change nothing.
    pub(crate) fn sys_openat2(&mut self, a: Arguments) -> Done {
        if a[3] < 24 {
            return fail(EINVAL);
        }
        let (flags, mode, resolve) = (self.get64(a[2])?, self.get64(a[2] + 8)?, self.get64(a[2] + 16)?);
        if a[3] > 24 {
            let rest = self.take(a[2] + 24, a[3] - 24)?;
            if rest.iter().any(|&byte| byte != 0) {
                return fail(E2BIG);
            }
        }
        let strange = flags >> 32 != 0 || mode & !0o7777 != 0 || resolve & !0x3f != 0;
        if strange || mode != 0 && flags as u32 & (O_CREAT | TMPFILE) == 0 {
            return fail(EINVAL);
        }
        // RESOLVE_BENEATH and RESOLVE_IN_ROOT.
        if resolve & 0x18 == 0x18 {
            return fail(EINVAL);
        }
        self.open_within((a[0] as i32, resolve as u8), a[1], flags as u32, mode as u32)
    }

    fn open_path(&mut self, directory: i32, path: u64, flags: u32, mode: u32) -> Done {
        self.open_within((directory, 0), path, flags, mode)
    }

    /// Opens a path from a directory on, within what openat2(2)'s `resolve` allows.
    fn open_within(&mut self, (directory, within): (i32, u8), path: u64, mut flags: u32, mode: u32) -> Done {
        if flags & TMPFILE != 0 && (flags & O_DIRECTORY == 0 || flags & 3 == 0)
            || flags & (O_CREAT | O_DIRECTORY) == O_CREAT | O_DIRECTORY && flags & O_PATH == 0
        {
            return fail(EINVAL);
        }
        if flags & O_PATH != 0 {
            flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        } else if !self.compat {
            flags |= O_LARGEFILE;
        }
        let path = self.path(path)?;
        let exclusive = flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL;
        let follow = flags & O_NOFOLLOW == 0 && !exclusive;
        let place = self.find_opened((directory, within), &path, follow, flags & O_CREAT != 0)?;
        if flags & O_CREAT != 0
            && (place.last == Last::Root || place.slash || !matches!(place.last, Last::Name(_)))
        {
            return fail(if exclusive && place.node.is_some() { EEXIST } else { EISDIR });
        }
        let (node, made) = match place.node {
            Some(_) if exclusive => return fail(EEXIST),
            Some(node) => (node, false),
            None if flags & O_CREAT != 0 => (self.create(&place, mode)?, true),
            None => return fail(ENOENT),
        };
        if flags & TMPFILE != 0 {
            return self.open_unnamed(node, flags, mode);
        }
        if place.slash || flags & O_DIRECTORY != 0 {
            self.tree.folder(node).map_err(|_| ENOTDIR)?;
        }
        let shown = self.shown_path(directory, &path, node)?;
        if flags & O_PATH != 0 {
            return self.finish_open(Object::Node(node), flags, &shown);
        }
        if !made {
            self.may_open(node, flags)?;
        }
        self.open_node(node, flags, &shown)
    }

    /// Makes a file where a path leads. EROFS, EACCES, ENOSPC.
    fn create(&mut self, place: &Place, mode: u32) -> Result<NodeId, Errno> {
        let Last::Name(name) = &place.last else { return Err(EISDIR) };
        self.may_enter(place.folder)?;
        let meta = self.meta(place.folder, mode & 0o7777)?;
        self.tree.add(place.folder, name, Kind::File(File::new(Data::Own(Vec::new()))), meta)
    }

    /// Whether a name may be made or taken away in a directory. EROFS, EACCES.
    pub(super) fn may_enter(&self, folder: NodeId) -> Result<(), Errno> {
        if self.tree.get(folder)?.frozen {
            return Err(EROFS);
        }
        let (uid, gid) = self.rights();
        self.tree.may(folder, uid, gid, 3)
    }

    /// Who makes a node now, in this directory: umask and the directory's set-group-ID count.
    pub(super) fn meta(&self, folder: NodeId, mode: u32) -> Result<Meta, Errno> {
        let (uid, gid) = self.rights();
        let above = self.tree.get(folder)?;
        let gid = if above.mode & 0o2000 != 0 { above.gid } else { gid };
        let umask = self.views.get(self.me()?.view)?.umask;
        Ok(Meta { mode: mode & !umask, uid, gid, time: self.time() })
    }

    /// Whether an open file may be had from what exists. ELOOP, EISDIR, EROFS, EACCES, ETXTBSY, ENXIO.
    fn may_open(&self, node: NodeId, flags: u32) -> Result<(), Errno> {
        let (uid, gid) = self.rights();
        let place = self.tree.get(node)?;
        let write = flags & O_ACCMODE != 0 || flags & O_TRUNC != 0;
        let plain = matches!(place.kind, Kind::File(_));
        match place.kind {
            Kind::Link(_) | Kind::Magic(..) => return Err(ELOOP),
            Kind::Folder(_) if write || flags & O_CREAT != 0 => return Err(EISDIR),
            Kind::File(_) if place.frozen && flags & O_TRUNC != 0 => return Err(EROFS),
            _ => {}
        }
        let want = match flags & O_ACCMODE {
            0 => 4,
            1 => 2,
            _ => 6,
        } | if flags & O_TRUNC != 0 { 2 } else { 0 };
        self.tree.may(node, uid, gid, want)?;
        if matches!(place.kind, Kind::Socket(_)) {
            return Err(ENXIO);
        }
        if place.frozen && write && plain {
            return Err(EROFS);
        }
        const O_NOATIME: u32 = 0o100_0000;
        if flags & O_NOATIME != 0 && uid != 0 && uid != place.uid {
            return Err(EPERM);
        }
        if write && plain && self.runs(node) { Err(ETXTBSY) } else { Ok(()) }
    }

    fn open_node(&mut self, node: NodeId, flags: u32, shown: &[u8]) -> Done {
        match self.tree.get(node)?.kind {
            Kind::File(_) => {
                if flags & O_TRUNC != 0 && self.tree.file(node)?.size > 0 {
                    self.resize(node, 0)?;
                } else if flags & O_TRUNC != 0 {
                    let time = self.time();
                    self.tree.touch(node, time);
                }
                self.finish_open(Object::Node(node), flags, shown)
            }
            Kind::Device(1, 3 | 5 | 7 | 8 | 9) | Kind::Folder(_) => {
                self.finish_open(Object::Node(node), flags, shown)
            }
            // The log, by way of `/proc/self/fd`.
            Kind::Device(136, 0) => self.finish_open(Object::Log, flags, shown),
            Kind::Device(..) | Kind::Socket(_) => fail(ENXIO),
            Kind::Fifo(_) => self.open_fifo(node, flags, shown),
            // Its text is made when it is read.
            Kind::Virtual(kind, process) if self.hidden(kind, process) => fail(EACCES),
            Kind::Virtual(..) => self.finish_open(Object::Text(node, Box::default()), flags, shown),
            Kind::Link(_) | Kind::Magic(..) => fail(ELOOP),
        }
    }

    /// A description and a descriptor for it.
    pub(super) fn finish_open(&mut self, object: Object, flags: u32, shown: &[u8]) -> Done {
        let open = self.new_open(object, flags & KEPT, shown)?;
        Ok(self.install(open, 0, flags & O_CLOEXEC != 0)?)
    }

    /// O_TMPFILE: a file without a name on a directory's file system.
    fn open_unnamed(&mut self, folder: NodeId, flags: u32, mode: u32) -> Done {
        self.tree.folder(folder).map_err(|_| ENOTDIR)?;
        self.may_enter(folder)?;
        let meta = self.meta(folder, mode & 0o7777)?;
        let volume = self.tree.get(folder)?.volume;
        let node = self.tree.make(volume, Kind::File(File::new(Data::Own(Vec::new()))), meta)?;
        self.finish_open(Object::Node(node), flags & !O_DIRECTORY, b"/ (deleted)")
    }

    /// The absolute path by which something was opened.
    fn shown_path(&self, directory: i32, path: &[u8], node: NodeId) -> Result<Vec<u8>, Errno> {
        if path.first() == Some(&b'/') {
            return Ok(path.into());
        }
        let process = self.me()?;
        if self.tree.folder(node).is_ok() {
            let root = self.views.get(process.view)?.root;
            return Ok(self.tree.path_of(root, node).unwrap_or_default());
        }
        let from = self.start_of(directory, path)?;
        Ok(self.absolute(process, from, path))
    }

    /// access(2).
    pub(crate) fn sys_access(&mut self, a: Arguments) -> Done {
        self.may_access(AT_FDCWD, a[0], a[1], 0)
    }

    /// faccessat(2), without flags.
    pub(crate) fn sys_faccessat(&mut self, a: Arguments) -> Done {
        self.may_access(a[0] as i32, a[1], a[2], 0)
    }

    /// faccessat2(2).
    pub(crate) fn sys_faccessat2(&mut self, a: Arguments) -> Done {
        self.may_access(a[0] as i32, a[1], a[2], a[3])
    }

    fn may_access(&mut self, directory: i32, path: u64, want: u64, flags: u64) -> Done {
        const EACCESS: u64 = 0x200;
        if want & !7 & 0xffff_ffff != 0 || flags & !(EACCESS | 0x100 | 0x1000) & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let node = self.node_flags(directory, path, flags)?;
        let (uid, gid) = self.rights();
        let place = self.tree.get(node)?;
        let folder = matches!(place.kind, Kind::Folder(_));
        let plain = matches!(place.kind, Kind::File(_));
        if want & 1 != 0 && plain && (self.tree.noexec(node) || uid == 0 && place.mode & 0o111 == 0) {
            return fail(EACCES);
        }
        self.tree.may(node, uid, gid, (want & 7) as u32)?;
        if want & 2 != 0 && place.frozen && (plain || folder) { fail(EROFS) } else { Ok(0) }
    }
}
