//! What a C library would bring: an entry point and the memory functions that compiled code calls by name.
#![allow(unsafe_code)]

use core::arch::{asm, naked_asm};

/// Where the kernel starts us: the stack holds argc, then argv.
/// Source: System V ABI, AMD64 supplement, 3.4.1.
///
/// # Safety
/// Nobody calls it but the kernel.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!("xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {enter}", "ud2", enter = sym enter)
}

/// # Safety
/// `stack` is the kernel's.
unsafe extern "C" fn enter(stack: *const usize) -> ! {
    // SAFETY: the ABI puts argc at the stack pointer, and argc pointers behind it.
    let arguments = unsafe { core::slice::from_raw_parts(stack.add(1).cast(), *stack) };
    crate::main(arguments)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Where and why stays unsaid: an eighth of the program would be there for nothing but that.
    crate::event!("fatal PID 1 panicked");
    // The kernel can't do without PID 1 and ends the machine.
    crate::sys::exit(1)
}

/// Named by the tables of the precompiled `core`, and never called: panics abort.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

// Written as string instructions: a loop in Rust would be compiled to a call of the very function that it is in. Eight bytes at a
// time, since each counts as an instruction where these are counted.

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller owns both ranges, and the direction flag is clear by the ABI.
    unsafe {
        asm!("rep movsq", "mov ecx, {rest:e}", "rep movsb", rest = in(reg) length % 8,
            inout("rcx") length / 8 => _, inout("rdi") to => _, inout("rsi") from => _,
            options(nostack, preserves_flags));
    }
    to
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    if to.addr().wrapping_sub(from.addr()) >= length {
        // SAFETY: ascending copies do not overwrite what is still to be read here.
        return unsafe { memcpy(to, from, length) };
    }
    // SAFETY: descending from the last byte of each range; the direction flag is put back.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rcx") length => _,
            inout("rdi") to.wrapping_add(length).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(length).wrapping_sub(1) => _, options(nostack));
    }
    to
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, length: usize) -> *mut u8 {
    // SAFETY: the caller owns the range, and the direction flag is clear by the ABI.
    unsafe {
        asm!("rep stosb", inout("rcx") length => _, inout("rdi") to => _, in("al") value as u8,
            options(nostack, preserves_flags));
    }
    to
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
    for i in 0..length {
        // SAFETY: the caller owns both ranges.
        let (x, y) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
    }
    0
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
    // SAFETY: the same contract.
    unsafe { memcmp(a, b, length) }
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: the caller's text ends in a NUL, and nothing behind it is read.
    while unsafe { text.add(length).read_volatile() } != 0 {
        length += 1;
    }
    length
}
