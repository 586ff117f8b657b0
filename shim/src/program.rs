//! A program that is about to start: its random bytes, its stack and its heap.

use crate::options::Options;
use crate::random::Random;
use crate::tracee::{Registers, Tracee};

/// What stands between the stack pointer and the strings is read at most so far.
const WORDS: usize = 4096;
/// How far below the stack it is filled: less than the 128 KiB that the kernel gives every new stack.
const FILLED: usize = 64 << 10;
/// Source: getauxval(3), `include/uapi/linux/auxvec.h`.
const AT_NULL: u64 = 0;
const AT_IGNORE: u64 = 1;
const AT_RANDOM: u64 = 25;
const AT_SYSINFO_EHDR: u64 = 33;
const BRK: u64 = 12;
/// `syscall`
const SYSCALL: u64 = 0x050f;

/// Changes what `options` say. `false` if its memory can't be seen: then nothing would be varied.
pub fn adjust(tracee: Tracee, options: &Options, random: &mut Random) -> bool {
    let Some(mut registers) = tracee.registers().filter(Registers::is_64_bit) else { return true };
    let mut bytes = [0; WORDS * 8];
    let read = tracee.read(registers.rsp, &mut bytes);
    // More arguments than are read here are left as they are.
    let Some(vector) = vector(bytes[..read].as_chunks::<8>().0) else { return read > 0 };
    if let Some(at) = vector.functions {
        // Time is asked of the kernel then, and can be answered.
        bytes[at..at + 8].copy_from_slice(&AT_IGNORE.to_le_bytes());
        tracee.write(registers.rsp + at as u64, &bytes[at..at + 8]);
    }
    if let Some(place) = vector.random {
        let mut drawn = [0; 16];
        random.fill(tracee, &mut drawn);
        tracee.write(place, &drawn);
    }
    // The same place whatever the size of arguments and environment, whose strings stay where they are.
    let lower = (registers.rsp & !0xffff).wrapping_sub(options.stack as u64);
    if options.stack > 0 && tracee.write(lower, &bytes[..vector.length]) == vector.length {
        registers.rsp = lower;
        tracee.set(&registers);
    }
    if let Some(byte) = options.fill {
        let filled = [byte; 4096];
        for below in (0..FILLED).step_by(filled.len()) {
            tracee.write(registers.rsp - (below + filled.len()) as u64, &filled);
        }
    }
    if options.heap > 0 {
        grow(tracee, options.heap as u64);
    }
    true
}

struct Vector {
    /// Of the arguments, the environment and the auxiliary vector, in bytes.
    length: usize,
    /// Where `AT_RANDOM` points to.
    random: Option<u64>,
    /// Where the kernel's own functions, the vDSO, are spoken of.
    functions: Option<usize>,
}

/// Source: System V ABI, AMD64 supplement, 3.4.1.
fn vector(words: &[[u8; 8]]) -> Option<Vector> {
    let word = |at: usize| words.get(at).map(|word| u64::from_le_bytes(*word));
    let mut at = 1 + word(0)? as usize + 1;
    while word(at)? != 0 {
        at += 1;
    }
    at += 1;
    let (mut random, mut functions) = (None, None);
    loop {
        let (kind, value) = (word(at)?, word(at + 1)?);
        at += 2;
        match kind {
            AT_NULL => return Some(Vector { length: at * 8, random, functions }),
            AT_RANDOM => random = Some(value),
            AT_SYSINFO_EHDR => functions = Some((at - 2) * 8),
            _ => {}
        }
    }
}

/// Has the program itself move the end of its heap, before its first instruction.
fn grow(tracee: Tracee, bytes: u64) -> Option<()> {
    // From here on registers are the program's own, and not overwritten by the result of execve(2).
    if !tracee.finish() {
        return None;
    }
    let registers = tracee.registers()?;
    let code = tracee.poke(registers.rip, SYSCALL)?;
    let brk = |to: u64| {
        let mut asked = registers;
        (asked.rax, asked.rdi) = (BRK, to);
        tracee.set(&asked);
        tracee.step().then(|| tracee.registers())?
    };
    let end = brk(0)?.rax;
    brk(end + bytes)?;
    tracee.poke(registers.rip, code)?;
    tracee.set(&registers);
    Some(())
}
