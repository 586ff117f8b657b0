//! What becomes of the calls at which the filter stops a program.

use crate::Probe;
use crate::cpus;
use crate::sys;
use crate::tracee::{Registers, Tracee};

/// Numbers from `arch/x86/entry/syscalls/syscall_64.tbl`.
pub const WRITE: u64 = 1;
pub const OPEN: u64 = 2;
pub const LSEEK: u64 = 8;
pub const AFFINITY: u64 = 204;
pub const DENTS: u64 = 217;
pub const EXIT: u64 = 231;
pub const OPENAT: u64 = 257;
pub const GETRANDOM: u64 = 318;
/// stat, fstat, lstat, newfstatat, statx
pub const STATS: [u64; 5] = [4, 5, 6, 262, 332];

/// The call that is about to be made.
pub fn call(tracee: Tracee, probe: &mut Probe) {
    let Some(mut registers) = tracee.registers() else { return };
    match registers.orig_rax {
        GETRANDOM => random(tracee, &mut registers, probe),
        OPEN | OPENAT => open(tracee, registers, probe),
        DENTS => {
            if let Some(order) = probe.options.dents {
                probe.dents.read(tracee, registers, order);
            }
        }
        AFFINITY => {
            let many = probe.options.cpus.unwrap_or(1);
            let mask = u64::MAX >> (64 - many);
            if registers.rsi >= 8 && tracee.write(registers.rdx, &mask.to_le_bytes()) == 8 {
                answer(tracee, &mut registers, 8);
            }
        }
        number if STATS.contains(&number) => stat(tracee, registers, probe),
        _ => {}
    }
}

/// The call is not made, and gives this.
fn answer(tracee: Tracee, registers: &mut Registers, result: u64) {
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
    let made = match probe.options.cpus.and_then(|many| cpus::instead(path, many)) {
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

/// The place in `struct stat` or `struct statx` of mode, user, group and time of modification.
fn fields(number: u64) -> (usize, usize, usize, usize) {
    if number == 332 { (28, 20, 24, 112) } else { (24, 28, 32, 88) }
}

/// Changes the metadata of an input in what a call gave.
fn stat(tracee: Tracee, registers: Registers, probe: &Probe) {
    let buffer = match registers.orig_rax {
        262 => registers.rdx,
        332 => registers.r8,
        _ => registers.rsi,
    };
    if !tracee.finish() || tracee.registers().is_none_or(|registers| registers.rax != 0) {
        return;
    }
    let mut bytes = [0; 144];
    if tracee.read(buffer, &mut bytes) != bytes.len() {
        return;
    }
    let (mode, user, group, time) = fields(registers.orig_rax);
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    let is_input = tracee_time(tracee, buffer, time) == Some(1);
    if !is_input {
        return;
    }
    let options = &probe.options;
    if let Some(seconds) = options.mtime {
        put(time, &seconds.to_le_bytes());
    }
    if let Some(owner) = options.owner {
        put(user, &owner.to_le_bytes());
        put(group, &owner.to_le_bytes());
    }
    if let Some(bits) = options.mode {
        let mut old = [0; 2];
        tracee.read(buffer + mode as u64, &mut old);
        // A symbolic link keeps its mode. Source: inode(7).
        if old[1] & 0xf0 != 0xa0 {
            let both = u16::from_le_bytes(old) | bits as u16;
            put(mode, &both.to_le_bytes());
        }
    }
    tracee.write(buffer, &bytes);
}

fn tracee_time(tracee: Tracee, buffer: u64, at: usize) -> Option<u64> {
    let mut time = [0; 8];
    (tracee.read(buffer + at as u64, &mut time) == 8).then_some(u64::from_le_bytes(time))
}

/// A short path in the making.
pub struct Path {
    text: [u8; 64],
    length: usize,
}

impl Path {
    pub fn new() -> Path {
        Path { text: [0; 64], length: 0 }
    }

    pub fn push(&mut self, text: &[u8]) -> &mut Path {
        self.text[self.length..self.length + text.len()].copy_from_slice(text);
        self.length += text.len();
        self
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
