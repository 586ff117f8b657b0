//! The frame of a handler on i386. Source: `arch/x86/include/asm/sigframe.h`, `arch/x86/ia32/ia32_signal.c`.

use super::frame::USER_FLAGS;
use super::signal::{SA_RESTORER, SA_SIGINFO, UNBLOCKABLE};
use super::{Action, Info, Kernel};
use crate::errno::{EFAULT, Errno};
use crate::platform::{Platform, Registers};
use alloc::vec::Vec;

/// Before the state that FXSAVE stores lies that of FSAVE.
const FSAVE: u64 = 112;
const INFO: usize = 128;
/// `struct sigcontext_32`, in words.
const MACHINE: usize = 22;

fn words(registers: &Registers, vectors: u64, mask: u64, address: u64) -> [u32; MACHINE] {
    let r = registers;
    let low = |word: u64| word as u32;
    [
        0,
        0,
        0x2b,
        0x2b,
        low(r.rdi),
        low(r.rsi),
        low(r.rbp),
        low(r.rsp),
        low(r.rbx),
        low(r.rdx),
        low(r.rcx),
        low(r.rax),
        0,
        0,
        low(r.rip),
        0x23,
        low(r.rflags),
        low(r.rsp),
        0x2b,
        low(vectors),
        low(mask),
        low(address),
    ]
}

/// `siginfo_t` in the layout of i386.
fn siginfo(info: &Info) -> [u32; INFO / 4] {
    let mut words = [0; INFO / 4];
    words[0] = info.signal as u32;
    words[1] = info.errno as u32;
    words[2] = info.code as u32;
    words[3] = if info.fault { info.address as u32 } else { info.from as u32 };
    // `si_uid` stands between; `si_value` and `si_status` share a place.
    words[5] = if info.fault { 0 } else { info.value as u32 };
    words
}

impl<P: Platform> Kernel<P> {
    /// Pushes a frame and lets the thread execute the handler. EFAULT without room.
    pub(crate) fn push_frame32(&mut self, info: &Info, action: &Action, mask: u64) -> Result<(), Errno> {
        if action.flags & SA_RESTORER == 0 {
            return Err(EFAULT);
        }
        let mut registers = self.registers()?;
        let vectors = self.vectors()?;
        let top = self.handler_stack(action, registers.rsp);
        let place = top.wrapping_sub(vectors.len() as u64 + FSAVE) / 64 * 64 + FSAVE % 64;
        let place = place.wrapping_sub(64);
        let real = action.flags & SA_SIGINFO != 0;
        let machine = words(&registers, place, mask, if info.fault { info.address } else { 0 });
        let mut frame: Vec<u32> = alloc::vec![action.restorer as u32, info.signal as u32];
        let size = if real { 4 + INFO / 4 + 5 + MACHINE + 2 } else { 2 + MACHINE + 1 };
        let start = (place.wrapping_sub(4 * size as u64 + 4) / 16 * 16).wrapping_sub(4);
        if real {
            let altstack = self.thread()?.altstack;
            let context = start + 16 + INFO as u64;
            frame.extend([(start + 16) as u32, context as u32]);
            frame.extend(siginfo(info));
            frame.extend([0, 0, altstack.0 as u32, altstack.2, altstack.1 as u32]);
            frame.extend(machine);
            frame.extend([mask as u32, (mask >> 32) as u32]);
            (registers.rdx, registers.rcx) = (start + 16, context);
        } else {
            frame.extend(machine);
            frame.push((mask >> 32) as u32);
            (registers.rdx, registers.rcx) = (0, 0);
        }
        let mut state = alloc::vec![0; FSAVE as usize];
        state.extend_from_slice(&vectors);
        self.store(place, &state)?;
        let bytes: Vec<u8> = frame.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.store(start, &bytes)?;
        registers.rax = info.signal as u64;
        registers.rsp = start;
        registers.rip = action.handler;
        registers.rflags &= !0x0004_0500;
        self.set_registers(&registers)
    }

    fn get_words(&mut self, at: u64, count: usize) -> Result<Vec<u32>, Errno> {
        let mut bytes = alloc::vec![0; count * 4];
        self.fetch(at, &mut bytes)?;
        Ok(bytes
            .chunks_exact(4)
            .map(|word| word.iter().rev().fold(0, |all, &byte| all << 8 | u32::from(byte)))
            .collect())
    }

    /// Returns from a handler by sigreturn (`real`: rt_sigreturn). EFAULT.
    pub(crate) fn pop_frame32(&mut self, real: bool) -> Result<(), Errno> {
        let mut registers = self.registers()?;
        // The handler's return took one word, and an old handler's restorer takes the number from the stack.
        let at = if real { registers.rsp.wrapping_add(12 + INFO as u64 + 20) } else { registers.rsp };
        let machine = self.get_words(at, MACHINE)?;
        let rest = self.get_words(at.wrapping_add(4 * MACHINE as u64), if real { 2 } else { 1 })?;
        let word = |index: usize| u64::from(machine.get(index).copied().unwrap_or_default());
        let r = &mut registers;
        for (index, place) in [
            (4, &mut r.rdi),
            (5, &mut r.rsi),
            (6, &mut r.rbp),
            (7, &mut r.rsp),
            (8, &mut r.rbx),
            (9, &mut r.rdx),
            (10, &mut r.rcx),
            (11, &mut r.rax),
            (14, &mut r.rip),
        ] {
            *place = word(index);
        }
        r.rflags = word(16) & USER_FLAGS | 0x202;
        let high = |index: usize| u64::from(rest.get(index).copied().unwrap_or_default()) << 32;
        let mask = if real {
            u64::from(rest.first().copied().unwrap_or_default()) | high(1)
        } else {
            word(20) | high(0)
        };
        let vectors = word(19);
        self.pop_vectors(if vectors == 0 { 0 } else { vectors + FSAVE })?;
        self.set_registers(&registers)?;
        self.thread()?.mask = mask & !UNBLOCKABLE;
        Ok(())
    }
}
