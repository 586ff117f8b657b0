//! What becomes of the calls at which the filter stops a program.

use crate::Probe;
use crate::tracee::{Registers, Tracee};
use crate::{entries, files, stat, sys, times, waits};

/// Numbers from `arch/x86/entry/syscalls/syscall_64.tbl`.
pub const WRITE: u64 = 1;
pub const OPEN: u64 = 2;
pub const LSEEK: u64 = 8;
pub const AFFINITY: u64 = 204;
pub const DENTS: u64 = 217;
pub const EXIT: u64 = 231;
pub const OPENAT: u64 = 257;
pub const GETRANDOM: u64 = 318;
/// getdents
pub const OLD_DENTS: u64 = 78;
/// stat, fstat, lstat, newfstatat, statx
pub const STATS: [u64; 5] = [4, 5, 6, 262, STATX];
pub const STATX: u64 = 332;
/// readlink, readlinkat
pub const LINKS: [u64; 2] = [89, 267];
/// statfs, fstatfs
pub const FILE_SYSTEMS: [u64; 2] = [137, 138];

/// The call that is about to be made. Says whether it is to be looked at when it has ended, too.
pub fn call(tracee: Tracee, probe: &mut Probe) -> bool {
    let Some(mut registers) = tracee.registers() else { return false };
    match registers.orig_rax {
        GETRANDOM => random(tracee, &mut registers, probe),
        OPEN | OPENAT => open(tracee, registers, probe),
        DENTS | OLD_DENTS => {
            entries::entries(tracee, registers, probe);
        }
        AFFINITY => {
            let many = probe.options.cpus.unwrap_or(1);
            let mask = u64::MAX >> (64 - many);
            if registers.rsi >= 8 && tracee.write(registers.rdx, &mask.to_le_bytes()) == 8 {
                answer(tracee, &mut registers, 8);
            }
        }
        number if STATS.contains(&number) => {
            stat::stat(tracee, registers, probe);
        }
        number if LINKS.contains(&number) => {
            entries::link(tracee, registers, probe);
        }
        number if FILE_SYSTEMS.contains(&number) => {
            stat::file_system(tracee, registers, probe);
        }
        number if times::TIMES.contains(&number) => times::times(tracee, registers, probe),
        _ => return waits::begins(tracee, &registers, probe),
    }
    false
}

/// The call is not made, and gives this.
pub fn answer(tracee: Tracee, registers: &mut Registers, result: u64) {
    registers.orig_rax = u64::MAX;
    registers.rax = result;
    tracee.set(registers);
}

fn random(tracee: Tracee, registers: &mut Registers, probe: &mut Probe) {
    let mut bytes = [0; 256];
    let mut done = 0;
    // As much as the kernel gives at most in one call.
    let wanted = registers.rsi.min(0x1ff_ffff);
    while done < wanted {
        let part = &mut bytes[..(wanted - done).min(256) as usize];
        probe.random.fill(tracee, part);
        if tracee.write(registers.rdi + done, part) != part.len() {
            return;
        }
        done += part.len() as u64;
    }
    answer(tracee, registers, wanted);
}

/// Opens what stands for a source of random numbers.
fn open(tracee: Tracee, registers: Registers, probe: &mut Probe) {
    let place = if registers.orig_rax == OPEN { registers.rdi } else { registers.rsi };
    let mut bytes = [0; 40];
    let read = tracee.read(place, &mut bytes);
    let Some(end) = bytes[..read].iter().position(|&byte| byte == 0) else { return };
    let path = &bytes[..end];
    let made = match files::instead(path, tracee, probe) {
        Some(made) => Some(made),
        None => probe.random.uuid(tracee, path),
    };
    let fd = made.map(|made| probe.keep(made)).or_else(|| probe.random.device(path));
    let Some(fd) = fd else { return };
    let mut other = Path::new();
    other.push(b"/proc/").number(sys::pid()).push(b"/fd/").number(fd).push(b"\0");
    // Below what a function without a frame may use. Source: System V ABI, AMD64 supplement, "red zone".
    let place = (registers.rsp - 1024) & !15;
    if tracee.write(place, other.bytes()) != other.bytes().len() {
        return;
    }
    let mut changed = registers;
    if registers.orig_rax == OPEN {
        changed.rdi = place
    } else {
        changed.rsi = place
    }
    tracee.set(&changed);
    restore(tracee, registers);
}

/// Lets the changed call be made, and gives the program its registers back.
fn restore(tracee: Tracee, mut registers: Registers) -> Option<()> {
    if !tracee.finish() {
        return None;
    }
    registers.rax = tracee.registers()?.rax;
    tracee.set(&registers);
    Some(())
}

/// A short path in the making.
pub struct Path {
    text: [u8; LONGEST],
    length: usize,
}

/// Longer than a path in the store.
const LONGEST: usize = 320;

impl Path {
    pub fn new() -> Path {
        Path { text: [0; LONGEST], length: 0 }
    }

    pub fn push(&mut self, text: &[u8]) -> &mut Path {
        self.text[self.length..self.length + text.len()].copy_from_slice(text);
        self.length += text.len();
        self
    }

    /// The same for what may be too long.
    pub fn try_push(&mut self, text: &[u8]) -> Option<&mut Path> {
        (self.length + text.len() <= LONGEST).then(|| self.push(text))
    }

    pub fn number(&mut self, number: usize) -> &mut Path {
        if number > 9 {
            self.number(number / 10);
        }
        self.push(&[b'0' + (number % 10) as u8])
    }

    pub fn bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }
}
