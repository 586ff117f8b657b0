//! What stat(2), statx(2) and statfs(2) say.

use crate::Probe;
use crate::calls::STATX;
use crate::clock::SECOND;
use crate::tracee::{Registers, Tracee};

/// Free space and files are so many fourths of all.
const FREE: u64 = 3;
/// Blocks, or files, of a file system that others have too: how large it is depends on the machine.
const SHARED: u64 = 1 << 20;
/// What blocks are counted in, and of what folders of other file systems consist.
const SECTOR: u64 = 512;
const BLOCK: u64 = 4096;
const LARGE_BLOCK: u64 = 16384;

const FORMAT: u16 = 0xf000;
const FOLDER: u16 = 0x4000;
const LINK: u16 = 0xa000;
const DEVICES: [u16; 2] = [0x2000, 0x6000];

/// Where the fields of `struct stat` or `struct statx` are. Source: `asm/stat.h`, `linux/stat.h`.
struct Fields {
    inode: usize,
    mode: usize,
    user: usize,
    group: usize,
    size: usize,
    block: usize,
    blocks: usize,
    /// Of access, of change of status, of its making, of modification: seconds and nanoseconds, 64 and 32 bits.
    times: [Option<usize>; 4],
}

const STAT_FIELDS: Fields = Fields {
    inode: 8,
    mode: 24,
    user: 28,
    group: 32,
    size: 48,
    block: 56,
    blocks: 64,
    times: [Some(72), Some(104), None, Some(88)],
};
const STATX_FIELDS: Fields = Fields {
    inode: 32,
    mode: 28,
    user: 20,
    group: 24,
    size: 40,
    block: 4,
    blocks: 48,
    times: [Some(64), Some(96), Some(80), Some(112)],
};

/// What a call wrote.
struct Answer {
    bytes: [u8; 160],
    length: usize,
    place: u64,
}

impl Answer {
    /// What the call that is about to be made wrote, if it succeeds.
    fn of(tracee: Tracee, place: u64, length: usize) -> Option<Answer> {
        if !tracee.finish() || tracee.registers()?.rax != 0 {
            return None;
        }
        let mut answer = Answer { bytes: [0; 160], length, place };
        (tracee.read(place, &mut answer.bytes[..length]) == length).then_some(answer)
    }

    fn get<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut value = [0; N];
        value.copy_from_slice(&self.bytes[at..at + N]);
        value
    }

    fn number(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.get(at))
    }

    fn half(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.get(at))
    }

    fn put(&mut self, at: usize, value: &[u8]) {
        self.bytes[at..at + value.len()].copy_from_slice(value);
    }

    fn put_number(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_le_bytes());
    }

    fn write(&self, tracee: Tracee) {
        tracee.write(self.place, &self.bytes[..self.length]);
    }
}

/// A call of stat's kind that is about to be made.
pub fn stat(tracee: Tracee, registers: Registers, probe: &mut Probe) -> Option<()> {
    let is_statx = registers.orig_rax == STATX;
    let place = match registers.orig_rax {
        262 => registers.rdx,
        STATX => registers.r8,
        _ => registers.rsi,
    };
    let mut answer = Answer::of(tracee, place, if is_statx { 160 } else { 144 })?;
    let fields = if is_statx { STATX_FIELDS } else { STAT_FIELDS };
    times(&mut answer, &fields, probe);
    let device = match is_statx {
        // Source: `new_encode_dev`, `include/linux/kdev_t.h`.
        true => {
            let (major, minor) = (u64::from(answer.half(136)), u64::from(answer.half(140)));
            minor & 0xff | major << 8 | (minor & !0xff) << 12
        }
        false => answer.number(0),
    };
    let (seen, inode) = (probe.inodes.device(device), answer.number(fields.inode));
    answer.put_number(fields.inode, probe.inodes.inode(device, inode));
    if is_statx {
        answer.put(136, &0_u32.to_le_bytes());
        answer.put(140, &(seen as u32).to_le_bytes());
        // STATX_MNT_ID, STATX_MNT_ID_UNIQUE: mounts are counted by the machine.
        let mask = answer.half(0) & !0x5000;
        answer.put(0, &mask.to_le_bytes());
        answer.put_number(144, 0);
    } else {
        answer.put_number(0, seen);
    }
    if probe.options.sizes {
        sizes(&mut answer, &fields, is_statx);
    }
    answer.write(tracee);
    Some(())
}

/// What the kernel set becomes the step's time. Inputs are known by their time of modification.
fn times(answer: &mut Answer, fields: &Fields, probe: &Probe) {
    let modified = fields.times[3].unwrap_or_default();
    let is_input = answer.number(modified) == 1;
    for at in fields.times.into_iter().flatten() {
        let (seconds, rest) = (answer.number(at), answer.half(at + 8));
        // Times before 1970, and long after.
        if seconds > 1 << 33 {
            continue;
        }
        let time = match is_input {
            true if at == modified => continue,
            true => probe.clock.before(),
            false => probe.clock.of_file(seconds * SECOND + u64::from(rest)),
        };
        answer.put_number(at, time / SECOND);
        answer.put(at + 8, &((time % SECOND) as u32).to_le_bytes());
    }
    if is_input {
        input(answer, fields, modified, probe);
    }
}

fn input(answer: &mut Answer, fields: &Fields, modified: usize, probe: &Probe) {
    let options = &probe.options;
    if let Some(seconds) = options.mtime {
        answer.put_number(modified, seconds);
    }
    if let Some(owner) = options.owner {
        answer.put(fields.user, &owner.to_le_bytes());
        answer.put(fields.group, &owner.to_le_bytes());
    }
    if let Some(bits) = options.mode {
        let old = u16::from_le_bytes(answer.get(fields.mode));
        // A symbolic link keeps its mode. Source: inode(7).
        if old & FORMAT != LINK {
            answer.put(fields.mode, &(old | bits as u16).to_le_bytes());
        }
    }
}

/// As on a file system on a disk, with larger blocks.
fn sizes(answer: &mut Answer, fields: &Fields, is_statx: bool) {
    let format = u16::from_le_bytes(answer.get(fields.mode)) & FORMAT;
    if DEVICES.contains(&format) {
        return;
    }
    let large = LARGE_BLOCK.to_le_bytes();
    answer.put(fields.block, if is_statx { &large[..4] } else { &large });
    let blocks = answer.number(fields.blocks);
    answer.put_number(fields.blocks, blocks * 2);
    if format == FOLDER {
        let size = answer.number(fields.size) / BLOCK * BLOCK + BLOCK;
        answer.put_number(fields.size, size);
        answer.put_number(fields.blocks, size / SECTOR);
    }
}

/// A statfs(2) or fstatfs(2) that is about to be made.
pub fn file_system(tracee: Tracee, registers: Registers, probe: &Probe) -> Option<()> {
    // In bytes, where these fields are.
    const BLOCKS: usize = 16;
    const FILES: usize = 40;
    const IDENTITY: usize = 56;
    let mut answer = Answer::of(tracee, registers.rsi, 120)?;
    let (number, is_own) = probe.inodes.file_system(answer.number(IDENTITY));
    answer.put_number(IDENTITY, number);
    for (at, free) in [(BLOCKS, &[8, 16][..]), (FILES, &[8])] {
        let all = match answer.number(at) {
            0 => continue,
            all if is_own => all,
            _ => SHARED,
        };
        let all = if probe.options.sizes { all * 2 } else { all };
        answer.put_number(at, all);
        free.iter().for_each(|further| answer.put_number(at + further, all / 4 * FREE));
    }
    answer.write(tracee);
    Some(())
}
