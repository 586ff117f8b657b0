//! A thread's registers.

use crate::descriptors::{USER_32, USER_64, USER_DATA};
use crate::entry::Frame;
use crate::global::Global;
use alloc::boxed::Box;
use footing_core::platform::{Mode, Registers};

/// All registers of a thread while it does not run.
pub struct Context {
    pub(crate) frame: Box<Frame>,
    /// No other context ever has the same.
    pub(crate) number: u64,
    pub(crate) fs_base: u64,
    pub(crate) gs_base: u64,
}

/// Flags that a program may have: CF, PF, AF, ZF, SF, TF, DF, OF, RF, AC, ID.
const FLAGS: u64 = 0x25_0dd5 | 1 << 16;
/// Flags that it always has: interrupts on, and the one that is always 1.
const ALWAYS: u64 = 1 << 9 | 2;

/// The floating-point state after execve(2): control word and MXCSR as Linux sets them.
pub(crate) fn fresh_vectors() -> [u8; 512] {
    let mut vectors = [0; 512];
    vectors[..2].copy_from_slice(&0x37f_u16.to_le_bytes());
    vectors[24..28].copy_from_slice(&0x1f80_u32.to_le_bytes());
    vectors
}

fn number() -> u64 {
    static NEXT: Global<u64> = Global::new(0);
    NEXT.with(|next| {
        *next += 1;
        *next
    })
}

impl Context {
    pub(crate) fn new(registers: &Registers) -> Context {
        let frame = Frame {
            rax: 0,
            rbx: 0,
            rcx: 0,
            rdx: 0,
            rsi: 0,
            rdi: 0,
            rbp: 0,
            rsp: 0,
            r8: 0,
            r9: 0,
            r10: 0,
            r11: 0,
            r12: 0,
            r13: 0,
            r14: 0,
            r15: 0,
            rip: 0,
            rflags: 0,
            cs: 0,
            error: 0,
            segments: [0; 4],
            pad: 0,
            vectors: fresh_vectors(),
        };
        let mut context = Context { frame: Box::new(frame), number: number(), fs_base: 0, gs_base: 0 };
        context.set(registers);
        context
    }

    pub(crate) fn duplicate(&self) -> Context {
        Context { frame: self.frame.clone(), number: number(), ..*self }
    }

    pub(crate) fn registers(&self) -> Registers {
        let frame = &*self.frame;
        Registers {
            rax: frame.rax,
            rbx: frame.rbx,
            rcx: frame.rcx,
            rdx: frame.rdx,
            rsi: frame.rsi,
            rdi: frame.rdi,
            rbp: frame.rbp,
            rsp: frame.rsp,
            r8: frame.r8,
            r9: frame.r9,
            r10: frame.r10,
            r11: frame.r11,
            r12: frame.r12,
            r13: frame.r13,
            r14: frame.r14,
            r15: frame.r15,
            rip: frame.rip,
            rflags: frame.rflags,
            fs_base: self.fs_base,
            gs_base: self.gs_base,
            mode: if frame.cs == USER_32 { Mode::Compat } else { Mode::Long },
        }
    }

    pub(crate) fn set(&mut self, to: &Registers) {
        let frame = &mut *self.frame;
        frame.rax = to.rax;
        frame.rbx = to.rbx;
        frame.rcx = to.rcx;
        frame.rdx = to.rdx;
        frame.rsi = to.rsi;
        frame.rdi = to.rdi;
        frame.rbp = to.rbp;
        frame.rsp = to.rsp;
        frame.r8 = to.r8;
        frame.r9 = to.r9;
        frame.r10 = to.r10;
        frame.r11 = to.r11;
        frame.r12 = to.r12;
        frame.r13 = to.r13;
        frame.r14 = to.r14;
        frame.r15 = to.r15;
        frame.rip = to.rip;
        frame.rflags = to.rflags & FLAGS | ALWAYS;
        let (cs, segments) = match to.mode {
            Mode::Long => (USER_64, [0; 4]),
            Mode::Compat => (USER_32, [USER_DATA, USER_DATA, 0, 0]),
        };
        if frame.cs != cs {
            (frame.cs, frame.segments) = (cs, segments);
        }
        // An address that is not canonical would fault in the kernel.
        let canonical = |base: u64| if base >> 47 == 0 { base } else { 0 };
        (self.fs_base, self.gs_base) = (canonical(to.fs_base), canonical(to.gs_base));
    }
}
