//! Segments, task state, the table of traps.
//!
//! The numbers of segments are Linux's, since a program can read them. Source: `arch/x86/include/asm/segment.h`; Intel SDM,
//! volume 3A, 3.4.5, 6.14.1, 7.7.
#![allow(unsafe_code)]

use crate::cpu::{Msr, write_msr};
use crate::entry::{VECTORS, syscall_entry, syscall_entry_32, task_state, traps};
use crate::global::Global;
use core::arch::asm;

/// Code of a program, 64 bits.
pub(crate) const USER_64: u64 = 0x33;
/// Code of a program, 32 bits.
pub(crate) const USER_32: u64 = 0x23;
/// Data of a program.
pub(crate) const USER_DATA: u16 = 0x2b;

const TASK: usize = 8;
const THREAD: usize = 12;

static GDT: Global<[u64; 16]> = Global::new([
    0,
    0x00cf_9b00_0000_ffff,
    0x00af_9b00_0000_ffff,
    0x00cf_9300_0000_ffff,
    0x00cf_fb00_0000_ffff,
    0x00cf_f300_0000_ffff,
    0x00af_fb00_0000_ffff,
    0,
    0,
    0,
    0,
    0,
    0x00cf_f300_0000_ffff,
    0x00cf_f300_0000_ffff,
    0x00cf_f300_0000_ffff,
    0,
]);
static IDT: Global<[[u64; 2]; VECTORS]> = Global::new([[0; 2]; VECTORS]);

/// Stacks for traps that may come when the stack is no good: debug, not maskable, double fault, machine check.
#[repr(C, align(16))]
struct Stacks([[u8; 4096]; 4]);
static STACKS: Global<Stacks> = Global::new(Stacks([[0; 4096]; 4]));

#[repr(C, packed)]
struct Pointer {
    limit: u16,
    base: u64,
}

/// Loads all of them.
pub(crate) fn start() {
    let task = (&raw mut task_state).cast::<u8>();
    for number in 0..4 {
        let top = STACKS.get() as u64 + 4096 * (number + 1);
        // SAFETY: the interrupt stacks of a task state are at 36; only the CPU reads it, by what follows.
        unsafe { task.add(36 + 8 * number as usize).cast::<u64>().write_unaligned(top) }
    }
    // No map of ports: the offset is behind the limit.
    // SAFETY: as above.
    unsafe { task.add(102).cast::<u16>().write_unaligned(104) }
    GDT.with(|gdt| {
        let at = task as u64;
        gdt[TASK] = 103 | (at & 0xff_ffff) << 16 | 0x89 << 40 | (at >> 24 & 0xff) << 56;
        gdt[TASK + 1] = at >> 32;
    });
    IDT.with(|idt| {
        for (vector, gate) in idt.iter_mut().enumerate() {
            // SAFETY: a table of constants.
            let at = unsafe { traps[vector] };
            let stack: u64 = match vector {
                1 => 1,
                2 => 2,
                8 => 3,
                18 => 4,
                _ => 0,
            };
            // A program may cause these three by an instruction for it.
            let access: u64 = if matches!(vector, 3 | 4 | 0x80) { 0xee } else { 0x8e };
            let low = at & 0xffff | 0x10 << 16 | stack << 32 | access << 40 | (at >> 16 & 0xffff) << 48;
            *gate = [low, at >> 32];
        }
    });
    let gdt = Pointer { limit: 16 * 8 - 1, base: GDT.get() as u64 };
    let idt = Pointer { limit: (VECTORS * 16 - 1) as u16, base: IDT.get() as u64 };
    // SAFETY: both tables are complete, stay, and have the kernel's code at 0x10 and data at 0x18.
    unsafe {
        asm!("lgdt [{gdt}]", "lidt [{idt}]", "push 0x10", "lea {next}, [rip + 2f]", "push {next}", "retfq", "2:",
            "mov ss, {data:x}", "ltr {task:x}", gdt = in(reg) &raw const gdt, idt = in(reg) &raw const idt,
            next = out(reg) _, data = in(reg) 0x18_u16, task = in(reg) (TASK * 8) as u16);
        crate::cpu::load_segments([0; 4]);
    }
    write_msr(Msr::Star, 0x10 << 32 | 0x23 << 48);
    write_msr(Msr::LStar, syscall_entry as *const () as u64);
    write_msr(Msr::CStar, syscall_entry_32 as *const () as u64);
    // AC, NT, IOPL, DF, IF, TF.
    write_msr(Msr::FMask, 0x4_7700);
}

/// Sets the base of a thread's own segments, 12 to 14. Who has one of them loaded must load it again.
pub(crate) fn set_thread_base(base: u32) {
    let base = u64::from(base);
    let descriptor = 0x00cf_f300_0000_ffff | (base & 0xff_ffff) << 16 | (base >> 24) << 56;
    GDT.with(|gdt| gdt[THREAD..THREAD + 3].fill(descriptor));
}
