//! stat(2), statx(2).

use super::{Arguments, fail};
use crate::errno::{EINVAL, Errno};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel, Object};
use crate::platform::{PAGE, Platform};
use crate::tree::{Kind, NodeId};
use alloc::vec::Vec;

const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
const AT_NO_AUTOMOUNT: u64 = 0x800;
const AT_EMPTY_PATH: u64 = 0x1000;
/// statx(2)'s AT_STATX_FORCE_SYNC and AT_STATX_DONT_SYNC.
const SYNC: u64 = 0x6000;
/// The device of pipes, sockets and the like.
const ANONYMOUS: u64 = 12;

/// What stat(2) shows.
#[derive(Clone, Copy, Default)]
struct Stat {
    device: u64,
    inode: u64,
    mode: u32,
    links: u64,
    uid: u32,
    gid: u32,
    special: u64,
    size: u64,
    blocks: u64,
    times: [i64; 3],
}

/// Numbers laid one after the other.
pub(super) struct Layout(pub(super) Vec<u8>);

impl Layout {
    pub(super) fn put(mut self, value: u64, bytes: usize) -> Layout {
        self.0.extend_from_slice(value.to_le_bytes().get(..bytes).unwrap_or_default());
        self
    }

    fn times(mut self, times: [i64; 3], bytes: usize) -> Layout {
        for time in times {
            let (seconds, rest) = (time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000));
            self = self.put(seconds as u64, bytes).put(rest as u64, bytes);
        }
        self
    }
}

fn device(major: u32, minor: u32) -> u64 {
    u64::from(minor & 0xff | major << 8 | (minor & !0xff) << 12)
}

/// The major and minor number of a device.
fn numbers(device: u64) -> (u64, u64) {
    (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00)
}

impl<P: Platform> Kernel<P> {
    /// The node of a path, with AT_SYMLINK_NOFOLLOW, and AT_EMPTY_PATH for the descriptor itself.
    pub(super) fn node_flags(&mut self, directory: i32, path: u64, flags: u64) -> Result<NodeId, Errno> {
        let empty = flags & AT_EMPTY_PATH != 0;
        let path = if empty && path == 0 { Vec::new() } else { self.path(path)? };
        if path.is_empty() && empty {
            return match directory {
                AT_FDCWD => Ok(self.views.get(self.me()?.view)?.cwd),
                _ => match self.open_of(directory)?.object {
                    Object::Node(node) | Object::Text(node, _) => Ok(node),
                    _ => Err(EINVAL),
                },
            };
        }
        self.node_at(directory, &path, flags & AT_SYMLINK_NOFOLLOW == 0)
    }

    /// An id as the step sees it, whose own one this is.
    fn shown(&self, id: u32, own: u32) -> u32 {
        const NOBODY: u32 = 65534;
        if self.step.nix && id != own { NOBODY } else { id }
    }

    fn stat_node(&mut self, id: NodeId) -> Result<Stat, Errno> {
        if self.tree.file(id).is_ok_and(|file| file.shared.is_some()) {
            self.pull(id, 0, u64::MAX);
        }
        let inode = self.shown_inode(id);
        let enlarged = self.enlarged();
        let node = self.tree.get(id)?;
        let (kind, size, stored) = match &node.kind {
            Kind::File(file) => (0o10_0000, file.size, file.bytes().len() as u64),
            Kind::Folder(folder) if enlarged > 1 => {
                let size = (40 + 20 * folder.len() as u64).next_multiple_of(PAGE);
                (0o4_0000, size, size)
            }
            Kind::Folder(folder) => (0o4_0000, 40 + 20 * folder.len() as u64, 0),
            Kind::Link(target) => (0o12_0000, target.len() as u64, 0),
            Kind::Device(..) => (0o2_0000, 0, 0),
            Kind::Fifo(_) => (0o1_0000, 0, 0),
            Kind::Socket(_) => (0o14_0000, 0, 0),
            Kind::Virtual(..) => (0o10_0000, 0, 0),
            Kind::Magic(..) => (0o12_0000, 0, 0),
        };
        let special = match node.kind {
            Kind::Device(major, minor) => device(major, minor),
            _ => 0,
        };
        let (mode, uid, gid, modified) = self.shown_input(node, matches!(node.kind, Kind::Link(_)));
        let folder = matches!(node.kind, Kind::Folder(_));
        let links = if folder { node.links.max(2) } else { node.links };
        Ok(Stat {
            device: self
                .shown_device(self.tree.volume_of(node.volume).map_or(0, |volume| volume.device.into())),
            inode,
            mode: kind | mode,
            links: links.into(),
            uid: self.shown(uid, self.step.uid),
            gid: self.shown(gid, self.step.gid),
            special,
            size,
            blocks: stored.next_multiple_of(PAGE * enlarged) / 512,
            times: [node.times[0], modified, node.times[2]],
        })
    }

    fn stat_open(&mut self, id: u32) -> Result<Stat, Errno> {
        let (uid, gid) = self.rights();
        let start = self.step.clock.min(1 << 33) as i64;
        let times = [start.saturating_mul(1_000_000_000); 3];
        let plain = Stat { device: ANONYMOUS, links: 1, uid, gid, times, ..Stat::default() };
        Ok(match self.opens.get(id)?.object {
            Object::Node(node) | Object::Text(node, _) => self.stat_node(node)?,
            Object::Pipe(pipe, ..) => match self.pipes.get(pipe)?.node {
                Some(node) if self.tree.get(node)?.links > 0 => self.stat_node(node)?,
                _ => Stat { inode: u64::from(self.pipes.get(pipe)?.inode) + 1, mode: 0o1_0600, ..plain },
            },
            Object::Log if self.step.terminal => {
                Stat { device: 6, inode: 3, mode: 0o2_0620, special: device(136, 0), ..plain }
            }
            Object::Log => Stat { inode: 1, mode: 0o1_0600, ..plain },
            Object::Socket(socket) => Stat { inode: u64::from(socket) + 1, mode: 0o14_0777, ..plain },
            _ => Stat { inode: 1, mode: 0o600, uid: 0, gid: 0, ..plain },
        })
    }

    fn stat_fd(&mut self, fd: u64) -> Result<Stat, Errno> {
        let open = self.fd(fd as i32)?.open;
        self.stat_open(open)
    }

    fn stat_at(&mut self, directory: i32, path: u64, flags: u64) -> Result<Stat, Errno> {
        if flags & AT_EMPTY_PATH != 0 && directory != AT_FDCWD && (path == 0 || self.path(path)?.is_empty()) {
            return self.stat_fd(directory as u64);
        }
        let node = self.node_flags(directory, path, flags)?;
        self.stat_node(node)
    }

    /// `struct stat` of x86-64, or the one with 32 bits of i386.
    fn put_stat(&mut self, at: u64, stat: &Stat) -> Done {
        let layout = Layout(Vec::with_capacity(144));
        let mode = u64::from(stat.mode);
        let (uid, gid) = (u64::from(stat.uid), u64::from(stat.gid));
        let block = PAGE * self.enlarged();
        let layout = if self.compat {
            layout
                .put(stat.device, 4)
                .put(stat.inode, 4)
                .put(mode, 2)
                .put(stat.links, 2)
                .put(uid, 2)
                .put(gid, 2)
                .put(stat.special, 4)
                .put(stat.size, 4)
                .put(block, 4)
                .put(stat.blocks, 4)
                .times(stat.times, 4)
                .put(0, 8)
        } else {
            layout
                .put(stat.device, 8)
                .put(stat.inode, 8)
                .put(stat.links, 8)
                .put(mode, 4)
                .put(uid, 4)
                .put(gid, 8)
                .put(stat.special, 8)
                .put(stat.size, 8)
                .put(block, 8)
                .put(stat.blocks, 8)
                .times(stat.times, 8)
                .put(0, 8)
                .put(0, 8)
                .put(0, 8)
        };
        self.store(at, &layout.0)?;
        Ok(0)
    }

    /// `struct stat64` of i386.
    fn put_stat64(&mut self, at: u64, stat: &Stat) -> Done {
        let block = PAGE * self.enlarged();
        let layout = Layout(Vec::with_capacity(96))
            .put(stat.device, 8)
            .put(0, 4)
            .put(stat.inode, 4)
            .put(stat.mode.into(), 4)
            .put(stat.links, 4)
            .put(stat.uid.into(), 4)
            .put(stat.gid.into(), 4)
            .put(stat.special, 8)
            .put(0, 4)
            .put(stat.size, 8)
            .put(block, 4)
            .put(stat.blocks, 8)
            .times(stat.times, 4)
            .put(stat.inode, 8);
        self.store(at, &layout.0)?;
        Ok(0)
    }

    /// stat(2).
    pub(crate) fn sys_stat(&mut self, a: Arguments) -> Done {
        let stat = self.stat_at(AT_FDCWD, a[0], 0)?;
        self.put_stat(a[1], &stat)
    }

    /// lstat(2).
    pub(crate) fn sys_lstat(&mut self, a: Arguments) -> Done {
        let stat = self.stat_at(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW)?;
        self.put_stat(a[1], &stat)
    }

    /// fstat(2).
    pub(crate) fn sys_fstat(&mut self, a: Arguments) -> Done {
        let stat = self.stat_fd(a[0])?;
        self.put_stat(a[1], &stat)
    }

    /// fstatat(2).
    pub(crate) fn sys_newfstatat(&mut self, a: Arguments) -> Done {
        if a[3] & !(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH) & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let stat = self.stat_at(a[0] as i32, a[1], a[3])?;
        self.put_stat(a[2], &stat)
    }

    /// stat64 of i386.
    pub(crate) fn sys_stat64(&mut self, a: Arguments) -> Done {
        let stat = self.stat_at(AT_FDCWD, a[0], 0)?;
        self.put_stat64(a[1], &stat)
    }

    /// lstat64 of i386.
    pub(crate) fn sys_lstat64(&mut self, a: Arguments) -> Done {
        let stat = self.stat_at(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW)?;
        self.put_stat64(a[1], &stat)
    }

    /// fstat64 of i386.
    pub(crate) fn sys_fstat64(&mut self, a: Arguments) -> Done {
        let stat = self.stat_fd(a[0])?;
        self.put_stat64(a[1], &stat)
    }

    /// fstatat64 of i386.
    pub(crate) fn sys_fstatat64(&mut self, a: Arguments) -> Done {
        if a[3] & !(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH) & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let stat = self.stat_at(a[0] as i32, a[1], a[3])?;
        self.put_stat64(a[2], &stat)
    }

    /// statx(2): the basic fields; no time of birth.
    pub(crate) fn sys_statx(&mut self, a: Arguments) -> Done {
        let known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | SYNC;
        if a[2] & !known & 0xffff_ffff != 0 || a[2] & SYNC == SYNC || a[3] & 0x8000_0000 != 0 {
            return fail(EINVAL);
        }
        let stat = self.stat_at(a[0] as i32, a[1], a[2])?;
        let (major, minor) = numbers(stat.device);
        let special = numbers(stat.special);
        let mut layout = Layout(Vec::with_capacity(256))
            .put(0x7ff, 4)
            .put(PAGE * self.enlarged(), 4)
            .put(0, 8)
            .put(stat.links, 4)
            .put(stat.uid.into(), 4)
            .put(stat.gid.into(), 4)
            .put(stat.mode.into(), 4)
            .put(stat.inode, 8)
            .put(stat.size, 8)
            .put(stat.blocks, 8)
            .put(0, 8);
        let [access, change, modify] = [stat.times[0], stat.times[2], stat.times[1]];
        for time in [access, 0, change, modify] {
            layout = layout
                .put(time.div_euclid(1_000_000_000) as u64, 8)
                .put(time.rem_euclid(1_000_000_000) as u64, 8);
        }
        let mut layout = layout.put(special.0, 4).put(special.1, 4).put(major, 4).put(minor, 4);
        layout.0.resize(256, 0);
        self.store(a[4], &layout.0)?;
        Ok(0)
    }
}
