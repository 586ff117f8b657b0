//! Names made and taken away, and the directories that a process works in.

use super::{Arguments, fail};
use crate::errno::{EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, ERANGE, EROFS, Errno};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel, Object};
use crate::platform::Platform;
use crate::tree::{Data, File, Folder, Kind, Last, NodeId, Place};
use alloc::vec::Vec;

impl<P: Platform> Kernel<P> {
    /// Where the last component of a path lies. A link there is not followed, whatever slashes are behind it.
    pub(super) fn find_last(&mut self, directory: i32, path: &[u8]) -> Result<Place, Errno> {
        let kept = path.iter().rposition(|&byte| byte != b'/').map_or(path.len(), |last| last + 1);
        let mut place = self.find_at(directory, path.get(..kept).unwrap_or_default(), false)?;
        place.slash = kept < path.len();
        Ok(place)
    }

    /// Where something new shall lie. EEXIST, ENOENT for a slash behind what is no directory, EROFS, EACCES.
    pub(super) fn find_new(
        &mut self,
        directory: i32,
        path: &[u8],
        folder: bool,
    ) -> Result<(NodeId, Vec<u8>), Errno> {
        let place = self.find_last(directory, path)?;
        let Last::Name(name) = place.last else { return Err(EEXIST) };
        if place.node.is_some() {
            return Err(EEXIST);
        }
        if place.slash && !folder {
            return Err(ENOENT);
        }
        self.may_enter(place.folder)?;
        Ok((place.folder, name))
    }

    /// Whether a name may be taken away: EACCES, EROFS, EPERM in a sticky directory of others.
    pub(super) fn may_remove(&self, folder: NodeId, node: NodeId) -> Result<(), Errno> {
        self.may_enter(folder)?;
        let (above, node) = (self.tree.get(folder)?, self.tree.get(node)?);
        let uid = self.rights().0;
        if above.mode & 0o1000 != 0 && uid != 0 && uid != above.uid && uid != node.uid {
            return Err(EPERM);
        }
        Ok(())
    }

    /// mkdir(2).
    pub(crate) fn sys_mkdir(&mut self, a: Arguments) -> Done {
        self.make_folder(AT_FDCWD, a[0], a[1] as u32)
    }

    /// mkdirat(2).
    pub(crate) fn sys_mkdirat(&mut self, a: Arguments) -> Done {
        self.make_folder(a[0] as i32, a[1], a[2] as u32)
    }

    fn make_folder(&mut self, directory: i32, path: u64, mode: u32) -> Done {
        let path = self.path(path)?;
        let (folder, name) = self.find_new(directory, &path, true)?;
        let mut meta = self.meta(folder, mode & 0o1777)?;
        meta.mode |= self.tree.get(folder)?.mode & 0o2000;
        self.tree.add(folder, &name, Kind::Folder(Folder::default()), meta)?;
        Ok(0)
    }

    /// mknod(2): files, named pipes and sockets' names; EPERM for devices.
    pub(super) fn make_node(&mut self, directory: i32, path: u64, mode: u32, _device: u64) -> Done {
        let path = self.path(path)?;
        let kind = match mode & 0o17_0000 {
            0 | 0o10_0000 => Kind::File(File::new(Data::Own(Vec::new()))),
            0o1_0000 => Kind::Fifo(None),
            0o14_0000 => Kind::Socket(None),
            0o2_0000 | 0o6_0000 | 0o4_0000 => {
                self.find_new(directory, &path, false)?;
                return fail(EPERM);
            }
            _ => return fail(EINVAL),
        };
        let (folder, name) = self.find_new(directory, &path, false)?;
        let meta = self.meta(folder, mode & 0o7777)?;
        self.tree.add(folder, &name, kind, meta)?;
        Ok(0)
    }

    /// rmdir(2).
    pub(crate) fn sys_rmdir(&mut self, a: Arguments) -> Done {
        self.remove_folder(AT_FDCWD, a[0])
    }

    /// unlink(2).
    pub(crate) fn sys_unlink(&mut self, a: Arguments) -> Done {
        self.remove_name(AT_FDCWD, a[0])
    }

    /// unlinkat(2).
    pub(crate) fn sys_unlinkat(&mut self, a: Arguments) -> Done {
        const REMOVEDIR: u64 = 0x200;
        match a[2] & 0xffff_ffff {
            0 => self.remove_name(a[0] as i32, a[1]),
            REMOVEDIR => self.remove_folder(a[0] as i32, a[1]),
            _ => fail(EINVAL),
        }
    }

    fn remove_folder(&mut self, directory: i32, path: u64) -> Done {
        let path = self.path(path)?;
        let place = self.find_last(directory, &path)?;
        let name = match place.last {
            Last::Name(name) => name,
            Last::Dot => return fail(EINVAL),
            Last::DotDot => return fail(ENOTEMPTY),
            Last::Root => return fail(EBUSY),
        };
        if self.tree.get(place.folder)?.frozen {
            return fail(EROFS);
        }
        let node = place.node.ok_or(ENOENT)?;
        self.may_remove(place.folder, node)?;
        if !self.tree.folder(node).map_err(|_| ENOTDIR)?.is_empty() {
            return fail(if self.tree.get(node)?.frozen { EBUSY } else { ENOTEMPTY });
        }
        let time = self.time();
        self.tree.unlink(place.folder, &name, time)?;
        Ok(0)
    }

    fn remove_name(&mut self, directory: i32, path: u64) -> Done {
        let path = self.path(path)?;
        let place = self.find_last(directory, &path)?;
        let Last::Name(name) = place.last else { return fail(EISDIR) };
        if self.tree.get(place.folder)?.frozen {
            return fail(EROFS);
        }
        let node = place.node.ok_or(ENOENT)?;
        let folder = self.tree.folder(node).is_ok();
        if place.slash {
            return fail(if folder { EISDIR } else { ENOTDIR });
        }
        self.may_remove(place.folder, node)?;
        if folder {
            return fail(EISDIR);
        }
        self.drop_name(place.folder, &name, node)?;
        Ok(0)
    }

    /// Takes a name away; the home forgets the bytes with the last one.
    pub(super) fn drop_name(&mut self, folder: NodeId, name: &[u8], node: NodeId) -> Result<(), Errno> {
        let time = self.time();
        if let Ok(last) = self.tree.get(node)
            && last.links == 1
            && last.holds == 0
            && !last.frozen
        {
            self.uncache(node);
        }
        self.tree.unlink(folder, name, time)
    }

    /// chdir(2).
    pub(crate) fn sys_chdir(&mut self, a: Arguments) -> Done {
        let path = self.path(a[0])?;
        let node = self.node_at(AT_FDCWD, &path, true)?;
        self.tree.folder(node).map_err(|_| ENOTDIR)?;
        self.enter_folder(node)
    }

    /// fchdir(2).
    pub(crate) fn sys_fchdir(&mut self, a: Arguments) -> Done {
        let Object::Node(node) = self.open_of(a[0] as i32)?.object else { return fail(ENOTDIR) };
        self.tree.folder(node).map_err(|_| ENOTDIR)?;
        self.enter_folder(node)
    }

    fn enter_folder(&mut self, node: NodeId) -> Done {
        let (uid, gid) = self.rights();
        self.tree.may(node, uid, gid, 1)?;
        self.change_folder(node)?;
        Ok(0)
    }

    /// chroot(2): for user 0.
    pub(crate) fn sys_chroot(&mut self, a: Arguments) -> Done {
        let path = self.path(a[0])?;
        let node = self.node_at(AT_FDCWD, &path, true)?;
        self.tree.folder(node).map_err(|_| ENOTDIR)?;
        let (uid, gid) = self.rights();
        self.tree.may(node, uid, gid, 1)?;
        if uid != 0 {
            return fail(EPERM);
        }
        let view = self.me()?.view;
        self.tree.hold(node);
        let before = core::mem::replace(&mut self.views.get_mut(view)?.root, node);
        self.release_node(before);
        Ok(0)
    }

    /// getcwd(2): the length with its NUL.
    pub(crate) fn sys_getcwd(&mut self, a: Arguments) -> Done {
        let view = *self.views.get(self.me()?.view)?;
        let mut path = match self.tree.path_of(view.root, view.cwd) {
            Some(path) => path,
            None if self.tree.get(view.cwd)?.links == 0 => return fail(ENOENT),
            None => b"(unreachable)/".to_vec(),
        };
        path.push(0);
        if (path.len() as u64) > a[1] {
            return fail(ERANGE);
        }
        self.store(a[0], &path)?;
        Ok(path.len() as u64)
    }

    /// umask(2).
    pub(crate) fn sys_umask(&mut self, a: Arguments) -> Done {
        let view = self.me()?.view;
        let before = core::mem::replace(&mut self.views.get_mut(view)?.umask, (a[0] & 0o777) as u32);
        Ok(before.into())
    }
}
