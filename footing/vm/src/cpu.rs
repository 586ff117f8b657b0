//! Instructions that Rust has no words for.
#![allow(unsafe_code)]

use core::arch::asm;
use core::arch::x86_64::__cpuid_count;
use core::sync::atomic::{AtomicBool, Ordering};

/// Writes to a port.
pub fn out8(port: u16, value: u8) {
    // SAFETY: no port that the kernel writes to changes memory that Rust knows of.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags)) }
}

/// Reads from a port.
pub fn in8(port: u16) -> u8 {
    let value;
    // SAFETY: as above.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags)) }
    value
}

/// Writes to a port.
pub fn out32(port: u16, value: u32) {
    // SAFETY: as above.
    unsafe { asm!("out dx, eax", in("dx") port, in("eax") value, options(nomem, nostack, preserves_flags)) }
}

/// Reads from a port.
pub fn in32(port: u16) -> u32 {
    let value;
    // SAFETY: as above.
    unsafe { asm!("in eax, dx", in("dx") port, out("eax") value, options(nomem, nostack, preserves_flags)) }
    value
}

/// Model-specific registers that the kernel sets. Source: Intel SDM, volume 4.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Msr {
    /// Segments of `syscall` and `sysret`.
    Star = 0xc000_0081,
    /// Where `syscall` goes.
    LStar = 0xc000_0082,
    /// Where it goes in compatibility mode.
    CStar = 0xc000_0083,
    /// Which flags it clears.
    FMask = 0xc000_0084,
    /// Base of fs.
    FsBase = 0xc000_0100,
    /// Base of gs.
    GsBase = 0xc000_0101,
}

/// Writes a model-specific register.
pub fn write_msr(register: Msr, value: u64) {
    let (low, high) = (value as u32, (value >> 32) as u32);
    // SAFETY: those named above exist in every processor with long mode, and callers write canonical addresses.
    unsafe {
        asm!("wrmsr", in("ecx") register as u32, in("eax") low, in("edx") high, options(nostack, preserves_flags))
    }
}

/// Where the registers of the CPU's own interrupt controller are, if it is on. Source: Intel SDM, volume 3A, 11.4.
pub fn local_apic() -> Option<u64> {
    const APIC: u32 = 1 << 9;
    const BASE: u32 = 0x1b;
    const ENABLE: u64 = 1 << 11;
    if __cpuid_count(1, 0).edx & APIC == 0 {
        return None;
    }
    let (low, high): (u32, u32);
    // SAFETY: a CPU with this feature has the register.
    unsafe {
        asm!("rdmsr", in("ecx") BASE, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags));
    }
    let base = u64::from(high) << 32 | u64::from(low);
    (base & ENABLE != 0).then_some(base & 0x000f_ffff_ffff_f000)
}

/// The address at which the last page fault happened.
pub fn fault_address() -> u64 {
    let value;
    // SAFETY: reading it changes nothing.
    unsafe { asm!("mov {}, cr2", out(reg) value, options(nomem, nostack, preserves_flags)) }
    value
}

/// Makes these the page tables; nothing that was known of others stays.
///
/// # Safety
/// The kernel's half must be in them.
pub unsafe fn set_tables(physical: u64) {
    // SAFETY: the caller's word.
    unsafe { asm!("mov cr3, {}", in(reg) physical, options(nostack, preserves_flags)) }
}

/// Forgets what was known of all pages.
pub fn flush() {
    // SAFETY: the tables stay the same.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) }
}

/// Forgets what was known of a page.
pub fn flush_page(address: u64) {
    // SAFETY: it only costs time.
    unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) }
}

/// Turns on what protects the kernel from programs, as far as the CPU has it, and lets `rdtsc` trap.
pub fn protect() {
    const TSD: u64 = 1 << 2;
    let leaf = __cpuid_count(0, 0).eax;
    let features = if leaf >= 7 { __cpuid_count(7, 0) } else { __cpuid_count(leaf, 0) };
    let has =
        |register: u32, bit: u32, flag: u64| if leaf >= 7 && register >> bit & 1 == 1 { flag } else { 0 };
    // SMEP, SMAP, UMIP.
    let more = has(features.ebx, 7, 1 << 20) | has(features.ebx, 20, 1 << 21) | has(features.ecx, 2, 1 << 11);
    // SAFETY: the kernel neither executes nor reads pages of programs, and counts no cycles.
    unsafe {
        asm!("mov {0}, cr4", "or {0}, {1}", "mov cr4, {0}", out(reg) _, in(reg) more | TSD, options(nostack));
    }
}

/// Loads segment registers, in the order ds, es, fs, gs.
///
/// # Safety
/// Each must be null or a segment that a program could load itself.
pub unsafe fn load_segments(selectors: [u16; 4]) {
    let [ds, es, fs, gs] = selectors;
    // SAFETY: the caller's word; the kernel uses none of them.
    unsafe {
        asm!("mov ds, {0:x}", "mov es, {1:x}", "mov fs, {2:x}", "mov gs, {3:x}", in(reg) ds, in(reg) es, in(reg) fs,
            in(reg) gs, options(nostack, preserves_flags));
    }
}

/// The processor's state of a fresh floating-point unit says which bits of MXCSR there are.
pub fn mxcsr_mask() -> u32 {
    #[repr(C, align(16))]
    struct Area([u8; 512]);
    let mut area = Area([0; 512]);
    // SAFETY: FXSAVE writes 512 bytes at an aligned address.
    unsafe { asm!("fxsave64 [{}]", in(reg) &raw mut area.0, options(nostack, preserves_flags)) }
    let [.., a, b, c, d] = area.0.first_chunk::<32>().copied().unwrap_or([0; 32]);
    match u32::from_le_bytes([a, b, c, d]) {
        // Intel SDM, volume 1, 11.6.6.
        0 => 0xffbf,
        mask => mask,
    }
}

static HALTS: AtomicBool = AtomicBool::new(false);

/// From now on the end is no reset, but silence.
pub(crate) fn halt_at_end() {
    HALTS.store(true, Ordering::Relaxed);
}

/// Ends the machine: on bare metal the CPU halts; elsewhere a reset by a fault that nothing handles, which QEMU's `-no-reboot` takes for the end.
pub fn end() -> ! {
    while HALTS.load(Ordering::Relaxed) {
        // SAFETY: nothing comes after it.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) }
    }
    let none = [0_u16; 5];
    // SAFETY: nothing comes after it.
    unsafe { asm!("lidt [{}]", "int3", "2: hlt", "jmp 2b", in(reg) &raw const none, options(noreturn)) }
}
