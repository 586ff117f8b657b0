//! Links, hard and symbolic.

use super::{Arguments, fail};
use crate::errno::{EINVAL, ENOENT, EPERM, EXDEV};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel, Object};
use crate::platform::Platform;
use crate::tree::{Kind, NodeId};

const AT_SYMLINK_FOLLOW: u64 = 0x400;
const AT_EMPTY_PATH: u64 = 0x1000;

impl<P: Platform> Kernel<P> {
    /// link(2).
    pub(crate) fn sys_link(&mut self, a: Arguments) -> Done {
        self.link((AT_FDCWD, a[0]), (AT_FDCWD, a[1]), 0)
    }

    /// linkat(2).
    pub(crate) fn sys_linkat(&mut self, a: Arguments) -> Done {
        self.link((a[0] as i32, a[1]), (a[2] as i32, a[3]), a[4] & 0xffff_ffff)
    }

    fn link(&mut self, from: (i32, u64), to: (i32, u64), flags: u64) -> Done {
        if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
            return fail(EINVAL);
        }
        let old = self.path(from.1)?;
        let new = self.path(to.1)?;
        let node = if old.is_empty() && flags & AT_EMPTY_PATH != 0 && from.0 != AT_FDCWD {
            match self.open_of(from.0)?.object {
                Object::Node(node) => node,
                // The others' file systems are their own.
                _ => {
                    self.find_new(to.0, &new, false)?;
                    return fail(EXDEV);
                }
            }
        } else {
            self.node_at(from.0, &old, flags & AT_SYMLINK_FOLLOW != 0)?
        };
        let (folder, name) = self.find_new(to.0, &new, false)?;
        let (uid, gid) = self.rights();
        let place = self.tree.get(node)?;
        let (above, is_folder) = (self.tree.get(folder)?, matches!(place.kind, Kind::Folder(_)));
        if above.volume != place.volume || place.frozen {
            return fail(EXDEV);
        }
        // As `fs.protected_hardlinks` has it, which systems set.
        let plain =
            matches!(place.kind, Kind::File(_)) && place.mode & 0o4000 == 0 && place.mode & 0o2010 != 0o2010;
        if is_folder || uid != 0 && uid != place.uid && !(plain && self.tree.may(node, uid, gid, 6).is_ok()) {
            return fail(EPERM);
        }
        let time = self.time();
        self.tree.link(folder, &name, node, time)?;
        Ok(0)
    }

    /// symlink(2).
    pub(crate) fn sys_symlink(&mut self, a: Arguments) -> Done {
        self.make_link(a[0], AT_FDCWD, a[1])
    }

    /// symlinkat(2).
    pub(crate) fn sys_symlinkat(&mut self, a: Arguments) -> Done {
        self.make_link(a[0], a[1] as i32, a[2])
    }

    fn make_link(&mut self, target: u64, directory: i32, path: u64) -> Done {
        let target = self.path(target)?;
        if target.is_empty() {
            return fail(ENOENT);
        }
        let path = self.path(path)?;
        let (folder, name) = self.find_new(directory, &path, false)?;
        let mut meta = self.meta(folder, 0)?;
        meta.mode = 0o777;
        self.tree.add(folder, &name, Kind::Link(target.into()), meta)?;
        Ok(0)
    }

    /// readlink(2).
    pub(crate) fn sys_readlink(&mut self, a: Arguments) -> Done {
        self.read_link(AT_FDCWD, a[0], a[1], a[2] as i32)
    }

    /// readlinkat(2), with an empty path for a link that was opened with O_PATH.
    pub(crate) fn sys_readlinkat(&mut self, a: Arguments) -> Done {
        self.read_link(a[0] as i32, a[1], a[2], a[3] as i32)
    }

    fn read_link(&mut self, directory: i32, path: u64, to: u64, size: i32) -> Done {
        if size <= 0 {
            return fail(EINVAL);
        }
        let path = self.path(path)?;
        let (node, missing): (NodeId, _) = if path.is_empty() && directory != AT_FDCWD {
            match self.open_of(directory)?.object {
                Object::Node(node) => (node, ENOENT),
                _ => return fail(ENOENT),
            }
        } else {
            (self.node_at(directory, &path, false)?, EINVAL)
        };
        let text = match &self.tree.get(node)?.kind {
            Kind::Link(target) => target.to_vec(),
            &Kind::Magic(kind, process) => self.magic_text(kind, process)?,
            _ => return fail(missing),
        };
        let part = text.get(..text.len().min(size as usize)).unwrap_or_default();
        self.store(to, part)?;
        Ok(part.len() as u64)
    }
}
