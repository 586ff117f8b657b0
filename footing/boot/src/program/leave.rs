//! The last step: from long mode to a kernel's entry.
//!
//! PVH wants 32-bit protected mode without paging, flat segments, ebx at the start info. Source: Xen's `docs/misc/pvh.pandoc`.

use core::arch::{asm, global_asm};

global_asm!(
    r#"
.text
.globl leave_start, leave_end, leave_32
// Copied to below 4 GiB, since it goes on in 32-bit mode. edi: the entry, esi: the start info, rdx: itself, rcx: a stack.
leave_start:
    cli
    cld
    mov rsp, rcx
    lea rax, [rip + leave_gdt]
    mov [rip + leave_gdtr + 2], rax
    lgdt [rip + leave_gdtr]
    mov ebx, esi
    push 8
    lea rax, [rip + leave_32]
    push rax
    retfq
.code32
leave_32:
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov fs, ax
    mov gs, ax
    mov eax, 0x11                   // ET, PE
    mov cr0, eax
    mov ecx, 0xc0000080             // EFER
    xor eax, eax
    xor edx, edx
    wrmsr
    mov cr4, eax
    jmp edi
.code64
.align 8
leave_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
leave_gdtr:
    .word 23
    .quad 0
leave_end:
"#
);

unsafe extern "C" {
    static leave_start: u8;
    static leave_end: u8;
}

/// Bytes that [`pvh`] needs.
pub(super) const ROOM: usize = 4096;

/// Starts a kernel by PVH.
///
/// # Safety
/// The entry is a kernel's, `info` is its start info, `room` is the address of [`ROOM`] bytes of nobody's, all of them below 4 GiB, and every address
/// there stands for itself.
pub(super) unsafe fn pvh(entry: u32, info: u32, room: u32) -> ! {
    let (start, end) = (&raw const leave_start, &raw const leave_end);
    let length = end as usize - start as usize;
    let to = room as usize as *mut u8;
    // SAFETY: the caller's word; the code needs no place of its own.
    unsafe {
        to.copy_from_nonoverlapping(start, length);
        asm!("jmp {code}", code = in(reg) to, in("edi") entry, in("esi") info,
            in("rcx") room as usize + ROOM, options(noreturn));
    }
}

/// Stops the CPU.
pub(super) fn halt() -> ! {
    loop {
        // SAFETY: nothing comes after it.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) }
    }
}
