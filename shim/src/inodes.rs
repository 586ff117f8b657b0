//! Inode and device numbers that are the same in every build.
//!
//! A kernel counts inodes by file system, and file systems by machine: what was there before shifts the numbers. A file on a file
//! system in memory gets the number of the mount that it lies below, and its distance from the root of that; what is made after the
//! builder starts is counted from there. Everything else (proc, pipes, sockets) is numbered as it is first seen.

use crate::calls::Path;
use crate::sys;

/// Distances below a mount that fit into 32 bits with the mount's number.
const NEAR: u64 = 1 << 20;
const MOUNTS: u64 = 1 << 11;
/// Device numbers that are distinguished, and the first one that a builder sees.
const DEVICES: usize = 64;
const FIRST: u64 = 32;
/// What has no mount and is distinguished.
const OTHERS: usize = 1 << 14;
/// What stands for the device of a pipe, or of what else has no mount.
pub const PIPES: u64 = 0;
/// `O_TMPFILE | O_RDWR`
const NEW_FILE: usize = 0o20_200_002;
/// More mounts than this text holds are numbered as what has no mount.
const TEXT: usize = 1 << 20;

/// A device: its number, the identity of its file system, and whether the step has it for itself.
#[derive(Clone, Copy, Default)]
struct Device {
    number: u64,
    identity: u64,
    is_own: bool,
}

/// The numbers.
pub struct Inodes {
    salt: u64,
    devices: [Device; DEVICES],
    many: usize,
    /// So many of these have mounts.
    mounted: usize,
    /// Device, first inode and number of each mount, ascending.
    mounts: &'static mut [[u64; 3]],
    /// Device and inode of what has no mount, and its number.
    others: &'static mut [[u64; 3]],
    seen: u64,
}

impl Inodes {
    /// From the mounts that there are. Another `salt` gives other numbers.
    pub fn new(salt: u64) -> Inodes {
        let others = sys::table(OTHERS);
        let mut inodes = Inodes {
            salt,
            devices: [Device::default(); DEVICES],
            many: 0,
            mounted: 0,
            mounts: &mut [],
            others,
            seen: 0,
        };
        inodes.read();
        inodes
    }

    fn read(&mut self) {
        let text = sys::memory(TEXT);
        let length = sys::content(b"/proc/self/mountinfo\0", text);
        let many = text[..length].iter().filter(|&&byte| byte == b'\n').count();
        let mounts = sys::table(many + 1);
        let mut filled = 0;
        let mut add = |at: [u64; 2]| {
            mounts[filled] = [at[0], at[1], filled as u64];
            filled += 1;
        };
        for line in text[..length].split(|&byte| byte == b'\n') {
            let Some(mount) = Mount::read(line) else { continue };
            let device = self.place(mount.at[0]);
            self.devices[device].identity = mount.identity;
            self.devices[device].is_own |= mount.is_own;
            if mount.is_counted {
                add(mount.at);
            }
            // After the root: what is made from now on.
            if mount.is_root
                && let Some(file) = sys::open(b".\0", NEW_FILE)
            {
                add(sys::identity(file).into());
                sys::close(file);
            }
        }
        sys::release(text);
        let mounts = &mut mounts[..filled];
        mounts.sort_unstable();
        // What is mounted twice has one number.
        for at in 1..filled {
            if mounts[at][..2] == mounts[at - 1][..2] {
                mounts[at][2] = mounts[at - 1][2];
            }
        }
        self.mounts = mounts;
        self.mounted = self.many;
    }

    fn place(&mut self, number: u64) -> usize {
        let known = self.devices[..self.many].iter().position(|device| device.number == number);
        known.unwrap_or_else(|| {
            let new = self.many.min(DEVICES - 1);
            self.devices[new].number = number;
            self.many = new + 1;
            new
        })
    }

    /// The device number that the builder sees. Source: `new_encode_dev`, `include/linux/kdev_t.h`, for minor numbers below 256.
    pub fn device(&mut self, number: u64) -> u64 {
        let moved = if self.salt == 0 { 0 } else { DEVICES as u64 };
        FIRST + self.place(number) as u64 + moved
    }

    /// The inode number that the builder sees.
    pub fn inode(&mut self, device: u64, inode: u64) -> u64 {
        if inode == 0 {
            return 0;
        }
        let after = self.mounts.partition_point(|&[at, first, _]| (at, first) <= (device, inode));
        let below = after.checked_sub(1).map(|at| self.mounts[at]).filter(|mount| mount[0] == device);
        let number = match below {
            Some([_, first, mount]) if inode - first < NEAR && mount < MOUNTS => {
                mount * NEAR + inode - first + 1
            }
            Some([_, first, mount]) => ((mount + 1) << 32) + inode - first,
            None => {
                let mut mounted = self.devices[..self.mounted].iter();
                // Pipes, sockets and their like have numbers of one kind.
                let device = if mounted.any(|known| known.number == device) { device } else { PIPES };
                (MOUNTS - 1) * NEAR + self.other(device, inode)
            }
        };
        if self.salt == 0 {
            return number;
        }
        // An odd factor gives each of the numbers below 2^32 another one of these.
        let (high, low) = (number >> 32, number as u32);
        high << 32 | u64::from(low.wrapping_mul(self.salt as u32 | 1))
    }

    fn other(&mut self, device: u64, inode: u64) -> u64 {
        let start = crate::random::mix(device ^ crate::random::mix(inode)) as usize;
        for at in 0..OTHERS {
            let slot = &mut self.others[(start + at) % OTHERS];
            if slot[2] == 0 {
                self.seen += 1;
                *slot = [device, inode, self.seen];
            }
            if slot[..2] == [device, inode] {
                return slot[2];
            }
        }
        inode
    }

    /// Number and ownership of the file system of this identity.
    pub fn file_system(&self, identity: u64) -> (u64, bool) {
        let moved = if self.salt == 0 { 0 } else { DEVICES as u64 };
        let known = self.devices[..self.many].iter().position(|device| device.identity == identity);
        let is_own = known.is_some_and(|at| self.devices[at].is_own);
        (FIRST + known.unwrap_or(DEVICES) as u64 + moved, is_own)
    }
}

/// A line of mountinfo, see proc_pid_mountinfo(5).
struct Mount {
    /// Device and inode of its root.
    at: [u64; 2],
    identity: u64,
    /// Whether inodes are numbered one after the other.
    is_counted: bool,
    is_own: bool,
    is_root: bool,
}

impl Mount {
    fn read(line: &[u8]) -> Option<Mount> {
        let mut words = line.split(|&byte| byte == b' ');
        let is_whole = words.nth(3)? == b"/";
        let path = words.next()?;
        let is_root = path == b"/";
        let mut ended = Path::new();
        // A longer path, or one with a space in it, is no mount of a plan's.
        ended.try_push(path)?.try_push(b"\0")?;
        let kind = words.skip_while(|word| *word != b"-").nth(1)?;
        let is_counted = matches!(kind, b"tmpfs" | b"ramfs" | b"rootfs");
        const PATH_ONLY: usize = 0o10_000_000;
        let file = sys::open(ended.bytes(), PATH_ONLY)?;
        let at = sys::identity(file).into();
        let identity = sys::file_system(file);
        sys::close(file);
        Some(Mount { at, identity, is_counted, is_own: is_counted && is_whole, is_root })
    }
}
