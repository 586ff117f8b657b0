//! What is said of a file beside its bytes: permissions, owners, times, extended attributes.

use super::{Arguments, fail};
use crate::errno::{EBADF, EFAULT, EINVAL, ENODATA, EOPNOTSUPP, EPERM, EROFS, Errno};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel, Object};
use crate::platform::Platform;
use crate::tree::{Kind, NodeId};

const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
const AT_EMPTY_PATH: u64 = 0x1000;
const UTIME_NOW: i64 = 0x3fff_ffff;
const UTIME_OMIT: i64 = 0x3fff_fffe;

/// A time to set: none, the present, or one of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    Omit,
    Now,
    At(i64),
    /// Not a time.
    Wrong,
}

impl<P: Platform> Kernel<P> {
    /// The node behind a descriptor; none for what has none. EBADF also for O_PATH.
    fn node_of(&self, fd: u64) -> Result<Option<NodeId>, Errno> {
        let open = self.open_of(fd as i32)?;
        match open.object {
            _ if open.flags & super::transfer::O_PATH != 0 => Err(EBADF),
            Object::Node(node) | Object::Text(node, _) => Ok(Some(node)),
            _ => Ok(None),
        }
    }

    /// chmod(2).
    pub(crate) fn sys_chmod(&mut self, a: Arguments) -> Done {
        let node = self.node_flags(AT_FDCWD, a[0], 0)?;
        self.change_mode(node, a[1])
    }

    /// fchmod(2).
    pub(crate) fn sys_fchmod(&mut self, a: Arguments) -> Done {
        match self.node_of(a[0])? {
            Some(node) => self.change_mode(node, a[1]),
            None => match self.open_of(a[0] as i32)?.object {
                Object::Pipe(..) | Object::Socket(_) | Object::Log => Ok(0),
                _ => fail(EOPNOTSUPP),
            },
        }
    }

    /// fchmodat(2) as the kernel has it, without flags.
    pub(crate) fn sys_fchmodat(&mut self, a: Arguments) -> Done {
        let node = self.node_flags(a[0] as i32, a[1], 0)?;
        self.change_mode(node, a[2])
    }

    /// fchmodat2(2).
    pub(crate) fn sys_fchmodat2(&mut self, a: Arguments) -> Done {
        if a[3] & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let node = self.node_flags(a[0] as i32, a[1], a[3])?;
        if matches!(self.tree.get(node)?.kind, Kind::Link(_) | Kind::Magic(..)) {
            return fail(EOPNOTSUPP);
        }
        self.change_mode(node, a[2])
    }

    fn change_mode(&mut self, node: NodeId, mode: u64) -> Done {
        if self.step.nix && mode & 0o6000 != 0 {
            return fail(EPERM);
        }
        self.owns(node)?;
        let sealed = self.tree.file(node).is_ok_and(|file| file.seals & super::seals::EXECUTE != 0);
        if sealed && (u64::from(self.tree.get(node)?.mode) ^ mode) & 0o111 != 0 {
            return fail(EPERM);
        }
        let (uid, gid) = self.rights();
        let time = self.time();
        let place = self.tree.writable(node)?;
        let foreign = uid != 0 && gid != place.gid;
        place.mode = (mode & 0o7777) as u32 & if foreign { !0o2000 } else { !0 };
        self.tree.changed(node, time);
        Ok(0)
    }

    /// chown(2).
    pub(crate) fn sys_chown(&mut self, a: Arguments) -> Done {
        let node = self.node_flags(AT_FDCWD, a[0], 0)?;
        self.change_owner(node, a[1] as u32, a[2] as u32)
    }

    /// lchown(2).
    pub(crate) fn sys_lchown(&mut self, a: Arguments) -> Done {
        let node = self.node_flags(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW)?;
        self.change_owner(node, a[1] as u32, a[2] as u32)
    }

    /// fchown(2).
    pub(crate) fn sys_fchown(&mut self, a: Arguments) -> Done {
        match self.node_of(a[0])? {
            Some(node) => self.change_owner(node, a[1] as u32, a[2] as u32),
            None => Ok(0),
        }
    }

    /// fchownat(2).
    pub(crate) fn sys_fchownat(&mut self, a: Arguments) -> Done {
        if a[4] & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let node = self.node_flags(a[0] as i32, a[1], a[4])?;
        self.change_owner(node, a[2] as u32, a[3] as u32)
    }

    /// The owner may name itself and its group. A step has one user and one group: for user 0 others are EINVAL, as in a user
    /// namespace that has no more.
    fn change_owner(&mut self, node: NodeId, uid: u32, gid: u32) -> Done {
        let (my_uid, my_gid) = self.rights();
        let place = self.tree.get(node)?;
        if place.frozen {
            return fail(EROFS);
        }
        let foreign = |id: u32, mine: u32, now: u32| id != u32::MAX && id != mine && id != now;
        if my_uid == 0 && (foreign(uid, my_uid, place.uid) || foreign(gid, my_gid, place.gid)) {
            return fail(EINVAL);
        }
        let own = place.uid == my_uid;
        let may_uid = uid == u32::MAX || own && uid == my_uid || my_uid == 0;
        let may_gid = gid == u32::MAX || own && (gid == my_gid || gid == place.gid) || my_uid == 0;
        if !may_uid || !may_gid {
            return fail(EPERM);
        }
        let time = self.time();
        let place = self.tree.writable(node)?;
        if uid != u32::MAX {
            place.uid = uid;
        }
        if gid != u32::MAX {
            place.gid = gid;
        }
        if !matches!(place.kind, Kind::Folder(_)) {
            place.mode &= !0o4000;
            if place.mode & 0o10 != 0 {
                place.mode &= !0o2000;
            }
        }
        self.tree.changed(node, time);
        Ok(0)
    }

    /// utime(2).
    pub(crate) fn sys_utime(&mut self, a: Arguments) -> Done {
        let times = match a[1] {
            0 => [Time::Now; 2],
            at => {
                let (access, modify) = (self.get_signed(at, 0)?, self.get_signed(at, 1)?);
                [access, modify].map(|time| Time::At(time.saturating_mul(1_000_000_000)))
            }
        };
        let node = self.node_flags(AT_FDCWD, a[0], 0)?;
        self.change_times(node, times)
    }

    /// utimes(2).
    pub(crate) fn sys_utimes(&mut self, a: Arguments) -> Done {
        self.sys_futimesat([AT_FDCWD as u64, a[0], a[1], 0, 0, 0])
    }

    /// futimesat(2).
    pub(crate) fn sys_futimesat(&mut self, a: Arguments) -> Done {
        let mut times = [Time::Now; 2];
        if a[2] != 0 {
            for (index, time) in times.iter_mut().enumerate() {
                let index = 2 * index as u64;
                let (seconds, rest) = (self.get_signed(a[2], index)?, self.get_signed(a[2], index + 1)?);
                if !(0..1_000_000).contains(&rest) {
                    return fail(EINVAL);
                }
                *time = Time::At(seconds.saturating_mul(1_000_000_000).saturating_add(rest * 1000));
            }
        }
        let node = match (a[1], a[0] as i32) {
            (0, AT_FDCWD) => return fail(EFAULT),
            (0, _) => match self.node_of(a[0])? {
                Some(node) => node,
                None => return Ok(0),
            },
            (path, directory) => self.node_flags(directory, path, 0)?,
        };
        self.change_times(node, times)
    }

    /// utimensat(2), and futimens(3) by it.
    pub(crate) fn sys_utimensat(&mut self, a: Arguments) -> Done {
        let mut times = [Time::Now; 2];
        if a[2] != 0 {
            for (index, time) in times.iter_mut().enumerate() {
                let index = 2 * index as u64;
                let (seconds, rest) = (self.get_signed(a[2], index)?, self.get_signed(a[2], index + 1)?);
                *time = match rest {
                    UTIME_NOW => Time::Now,
                    UTIME_OMIT => Time::Omit,
                    0..1_000_000_000 => Time::At(seconds.saturating_mul(1_000_000_000).saturating_add(rest)),
                    _ => Time::Wrong,
                };
            }
            if times == [Time::Omit; 2] {
                return Ok(0);
            }
        }
        if a[3] & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let node = match (a[1], a[0] as i32) {
            (0, AT_FDCWD) => return fail(EFAULT),
            (0, _) if a[3] & 0xffff_ffff != 0 => return fail(EINVAL),
            (0, _) => match self.node_of(a[0])? {
                Some(node) => node,
                None => return Ok(0),
            },
            (path, directory) => self.node_flags(directory, path, a[3])?,
        };
        // Linux looks for the file first.
        if times.contains(&Time::Wrong) {
            return fail(EINVAL);
        }
        self.change_times(node, times)
    }

    /// Who may write may set the present; other times are for the owner.
    fn change_times(&mut self, node: NodeId, times: [Time; 2]) -> Done {
        if times == [Time::Now; 2] {
            if self.owns(node) != Ok(()) {
                self.may_write(node)?;
            }
        } else {
            self.owns(node)?;
        }
        self.pull(node, 0, u64::MAX);
        let now = self.time();
        let place = self.tree.writable(node)?;
        for (slot, time) in place.times.iter_mut().zip(times) {
            match time {
                Time::Omit | Time::Wrong => {}
                Time::Now => *slot = now,
                Time::At(time) => *slot = time,
            }
        }
        self.tree.changed(node, now);
        Ok(0)
    }

    /// setxattr(2), for tmpfs without user attributes: EOPNOTSUPP.
    pub(crate) fn sys_setxattr(&mut self, a: Arguments) -> Done {
        self.node_flags(AT_FDCWD, a[0], 0)?;
        fail(EOPNOTSUPP)
    }

    /// lsetxattr(2): as setxattr(2).
    pub(crate) fn sys_lsetxattr(&mut self, a: Arguments) -> Done {
        self.node_flags(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW)?;
        fail(EOPNOTSUPP)
    }

    /// fsetxattr(2): as setxattr(2).
    pub(crate) fn sys_fsetxattr(&mut self, a: Arguments) -> Done {
        self.node_of(a[0])?;
        fail(EOPNOTSUPP)
    }

    fn attribute(&mut self, name: u64) -> Done {
        let name = self.text(name, 255, crate::errno::ERANGE)?;
        let known = name.starts_with(b"security.") || name.starts_with(b"trusted.");
        fail(if known { ENODATA } else { EOPNOTSUPP })
    }

    /// getxattr(2): no attribute is there.
    pub(crate) fn sys_getxattr(&mut self, a: Arguments) -> Done {
        self.node_flags(AT_FDCWD, a[0], 0)?;
        self.attribute(a[1])
    }

    /// lgetxattr(2): as getxattr(2).
    pub(crate) fn sys_lgetxattr(&mut self, a: Arguments) -> Done {
        self.node_flags(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW)?;
        self.attribute(a[1])
    }

    /// fgetxattr(2): as getxattr(2).
    pub(crate) fn sys_fgetxattr(&mut self, a: Arguments) -> Done {
        self.node_of(a[0])?;
        self.attribute(a[1])
    }

    /// listxattr(2): none.
    pub(crate) fn sys_listxattr(&mut self, a: Arguments) -> Done {
        self.node_flags(AT_FDCWD, a[0], 0)?;
        Ok(0)
    }

    /// llistxattr(2): none.
    pub(crate) fn sys_llistxattr(&mut self, a: Arguments) -> Done {
        self.node_flags(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW)?;
        Ok(0)
    }

    /// flistxattr(2): none.
    pub(crate) fn sys_flistxattr(&mut self, a: Arguments) -> Done {
        self.node_of(a[0])?;
        Ok(0)
    }

    /// removexattr(2): as getxattr(2).
    pub(crate) fn sys_removexattr(&mut self, a: Arguments) -> Done {
        self.sys_getxattr(a)
    }

    /// lremovexattr(2): as getxattr(2).
    pub(crate) fn sys_lremovexattr(&mut self, a: Arguments) -> Done {
        self.sys_lgetxattr(a)
    }

    /// fremovexattr(2): as getxattr(2).
    pub(crate) fn sys_fremovexattr(&mut self, a: Arguments) -> Done {
        self.sys_fgetxattr(a)
    }
}
