//! The frame of a handler on x86-64. Source: `arch/x86/include/uapi/asm/sigcontext.h`, `arch/x86/kernel/signal_64.c`.

use super::signal::{SA_ONSTACK, SA_RESTORER, UNBLOCKABLE};
use super::{Action, Info, Kernel};
use crate::errno::{EFAULT, Errno};
use crate::platform::{Platform, Registers};
use alloc::vec::Vec;

/// `pretcode`, `struct ucontext`, `siginfo_t`.
const SIZE: u64 = 8 + CONTEXT + INFO;
const CONTEXT: u64 = 304;
const INFO: u64 = 128;
/// Offsets in `struct ucontext`.
const STACK: usize = 16;
const MACHINE: usize = 40;
const MASK: usize = 296;
/// The words of `struct sigcontext` that hold flags and the pointer to the vectors.
const FLAGS: usize = 17;
const VECTORS: usize = 23;
/// Extended state, and `ss` is restored as it is saved.
const UC_FLAGS: u64 = 1 | 2 | 4;
/// What a program may change of its flags: CF PF AF ZF SF TF DF OF RF AC.
pub(crate) const USER_FLAGS: u64 = 0x0005_0dd5;
/// Behind the x87 and SSE state, in `struct _fpx_sw_bytes`: that extended state follows, and its end mark.
const MAGIC_1: u32 = 0x4650_5853;
const MAGIC_2: u32 = 0x4650_5845;
const SOFTWARE: usize = 464;

/// `siginfo_t` in the layout of x86-64.
pub(crate) fn siginfo(info: &Info) -> [u8; INFO as usize] {
    let mut bytes = [0; INFO as usize];
    let mut put = |at: usize, value: &[u8]| {
        if let Some(place) = bytes.get_mut(at..at + value.len()) {
            place.copy_from_slice(value);
        }
    };
    put(0, &info.signal.to_le_bytes());
    put(4, &info.errno.to_le_bytes());
    put(8, &info.code.to_le_bytes());
    if info.fault {
        put(16, &info.address.to_le_bytes());
    } else {
        put(16, &info.from.to_le_bytes());
        put(24, &info.value.to_le_bytes());
    }
    bytes
}

fn words(registers: &Registers) -> [u64; 18] {
    let r = registers;
    [
        r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rdi, r.rsi, r.rbp, r.rbx, r.rdx, r.rax,
        r.rcx, r.rsp, r.rip, r.rflags,
    ]
}

impl<P: Platform> Kernel<P> {
    pub(crate) fn registers(&mut self) -> Result<Registers, Errno> {
        let thread = self.threads.get_mut(&self.current).ok_or(EFAULT)?;
        let process = self.processes.get(&thread.process).ok_or(EFAULT)?;
        let space = self.spaces.get_mut(process.space)?;
        Ok(self.platform.registers(&mut space.space, &mut thread.context))
    }

    pub(crate) fn set_registers(&mut self, registers: &Registers) -> Result<(), Errno> {
        let thread = self.threads.get_mut(&self.current).ok_or(EFAULT)?;
        let process = self.processes.get(&thread.process).ok_or(EFAULT)?;
        let space = self.spaces.get_mut(process.space)?;
        self.platform.set_registers(&mut space.space, &mut thread.context, registers);
        Ok(())
    }

    pub(crate) fn vectors(&mut self) -> Result<Vec<u8>, Errno> {
        let thread = self.threads.get_mut(&self.current).ok_or(EFAULT)?;
        let process = self.processes.get(&thread.process).ok_or(EFAULT)?;
        let space = self.spaces.get_mut(process.space)?;
        Ok(self.platform.vectors(&mut space.space, &mut thread.context))
    }

    pub(crate) fn set_vectors(&mut self, vectors: &[u8]) -> Result<(), Errno> {
        let thread = self.threads.get_mut(&self.current).ok_or(EFAULT)?;
        let process = self.processes.get(&thread.process).ok_or(EFAULT)?;
        let space = self.spaces.get_mut(process.space)?;
        self.platform.set_vectors(&mut space.space, &mut thread.context, vectors);
        Ok(())
    }

    /// Where a handler's frame starts from, downward, and whether that is the alternate stack's top.
    pub(crate) fn handler_stack(&mut self, action: &Action, pointer: u64) -> u64 {
        let Ok(thread) = self.thread() else { return pointer };
        let (start, size, flags) = thread.altstack;
        let inside = pointer > start && pointer - start <= size;
        if action.flags & SA_ONSTACK != 0 && flags & 2 == 0 && size > 0 && !inside {
            start.wrapping_add(size)
        } else {
            pointer
        }
    }

    /// Pushes a frame and lets the thread execute the handler. EFAULT without room.
    pub(crate) fn push_frame(&mut self, info: &Info, action: &Action, mask: u64) -> Result<(), Errno> {
        if action.flags & SA_RESTORER == 0 {
            return Err(EFAULT);
        }
        let mut registers = self.registers()?;
        let vectors = self.marked_vectors()?;
        // 128 bytes below the pointer belong to the function that was interrupted.
        let top = self.handler_stack(action, registers.rsp.wrapping_sub(128));
        let place = top.wrapping_sub(vectors.len() as u64) / 64 * 64;
        let frame = (place.wrapping_sub(SIZE) / 16 * 16).wrapping_sub(8);
        let altstack = self.thread()?.altstack;
        let mut bytes = Vec::with_capacity(SIZE as usize);
        let mut put = |word: u64| bytes.extend_from_slice(&word.to_le_bytes());
        put(action.restorer);
        put(UC_FLAGS);
        put(0);
        put(altstack.0);
        put(altstack.2.into());
        put(altstack.1);
        words(&registers).into_iter().for_each(&mut put);
        put(0x002b_0000_0000_0033);
        put(0);
        put(0);
        put(mask);
        put(if info.fault { info.address } else { 0 });
        put(place);
        (0..8).for_each(|_| put(0));
        put(mask);
        bytes.extend_from_slice(&siginfo(info));
        self.store(place, &vectors)?;
        self.store(frame, &bytes)?;
        registers.rdi = info.signal as u64;
        registers.rsi = frame + 8 + CONTEXT;
        registers.rdx = frame + 8;
        registers.rax = 0;
        registers.rsp = frame;
        registers.rip = action.handler;
        registers.rflags &= !0x0004_0500;
        self.set_registers(&registers)
    }

    /// The vectors with Linux's marks of an extended state.
    fn marked_vectors(&mut self) -> Result<Vec<u8>, Errno> {
        let mut vectors = self.vectors()?;
        let size = vectors.len() as u32;
        if size > 576 {
            let features = vectors.get(512..520).map(<[u8]>::to_vec).unwrap_or_default();
            if let Some(place) = vectors.get_mut(SOFTWARE..SOFTWARE + 20) {
                place[..4].copy_from_slice(&MAGIC_1.to_le_bytes());
                place[4..8].copy_from_slice(&(size + 4).to_le_bytes());
                place[8..16].copy_from_slice(&features);
                place[16..20].copy_from_slice(&size.to_le_bytes());
            }
            vectors.extend_from_slice(&MAGIC_2.to_le_bytes());
        }
        Ok(vectors)
    }

    /// Returns from a handler: the thread goes on as its frame says. EFAULT.
    pub(crate) fn pop_frame(&mut self) -> Result<(), Errno> {
        let mut registers = self.registers()?;
        let at = registers.rsp;
        let mut context = [0; CONTEXT as usize];
        self.fetch(at, &mut context)?;
        let word = |at: usize| {
            let mut word = [0; 8];
            if let Some(bytes) = context.get(at..at + 8) {
                word.copy_from_slice(bytes);
            }
            u64::from_le_bytes(word)
        };
        let saved = |index: usize| word(MACHINE + 8 * index);
        let r = &mut registers;
        for (index, place) in [
            &mut r.r8, &mut r.r9, &mut r.r10, &mut r.r11, &mut r.r12, &mut r.r13, &mut r.r14, &mut r.r15,
            &mut r.rdi, &mut r.rsi, &mut r.rbp, &mut r.rbx, &mut r.rdx, &mut r.rax, &mut r.rcx, &mut r.rsp,
            &mut r.rip,
        ]
        .into_iter()
        .enumerate()
        {
            *place = saved(index);
        }
        r.rflags = saved(FLAGS) & USER_FLAGS | 0x202;
        let (vectors, mask) = (saved(VECTORS), word(MASK));
        let stack = (word(STACK), word(STACK + 16), word(STACK + 8) as u32 & 2);
        self.pop_vectors(vectors)?;
        self.set_registers(&registers)?;
        let thread = self.thread()?;
        thread.mask = mask & !UNBLOCKABLE;
        thread.altstack = stack;
        Ok(())
    }

    /// Takes the vectors back from a frame, or those of a fresh thread if there are none.
    pub(crate) fn pop_vectors(&mut self, at: u64) -> Result<(), Errno> {
        let mut vectors = self.vectors()?;
        if at == 0 {
            return self.set_vectors(&[]);
        }
        self.fetch(at, &mut vectors)?;
        if let Some(place) = vectors.get_mut(SOFTWARE..SOFTWARE + 48) {
            place.fill(0);
        }
        self.set_vectors(&vectors)
    }
}
