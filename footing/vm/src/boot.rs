//! From PVH's entry to Rust: the first page tables, long mode.
//!
//! The loader starts us in 32-bit protected mode without paging, with the address of the start info in ebx. Source: Xen's
//! `docs/misc/pvh.pandoc`, `xen/include/public/arch-x86/hvm/start_info.h`.
//! The tables made here map the first GiB of RAM to three places, may do everything, and live until [`crate::direct`] has made the real ones.
#![allow(unsafe_code)]

use crate::layout;
use core::arch::global_asm;

/// Bytes of the kernel's stack.
pub(crate) const STACK: usize = 512 << 10;

global_asm!(
    r#"
.section .note.pvh, "a"
    .long 4, 4, 18                  // XEN_ELFNOTE_PHYS32_ENTRY
    .ascii "Xen\0"
    .long pvh_entry

.section .boot, "awx"
.code32
.globl pvh_entry
pvh_entry:
    cli
    cld
    mov edi, ebx
    xor ecx, ecx
1:  mov eax, ecx                    // 512 pages of 2 MiB, present and writable
    shl eax, 21
    or eax, 0x83
    mov [boot_directory + ecx*8], eax
    inc ecx
    cmp ecx, 512
    jne 1b
    mov dword ptr [boot_low], offset boot_directory + 3
    mov dword ptr [boot_high + 510*8], offset boot_directory + 3
    mov dword ptr [boot_top], offset boot_low + 3
    mov dword ptr [boot_top + 256*8], offset boot_low + 3
    mov dword ptr [boot_top + 511*8], offset boot_high + 3
    mov eax, offset boot_top
    mov cr3, eax
    mov eax, 0x620                  // PAE, OSFXSR, OSXMMEXCPT
    mov cr4, eax
    mov ecx, 0xc0000080             // EFER: SCE, LME, NXE
    mov eax, 0x901
    xor edx, edx
    wrmsr
    mov eax, 0x80010033             // PG, WP, NE, ET, MP, PE
    mov cr0, eax
    lgdt [boot_gdtr]
    ljmp 16, offset boot_long
.code64
boot_long:
    mov ax, 24
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    mov rsp, offset kernel_stack_top
    mov edi, edi
    xor ebp, ebp
    mov rax, offset {start}
    call rax
    ud2
.align 8
boot_gdt:
    .quad 0, 0
    .quad 0x00af9b000000ffff        // code
    .quad 0x00cf93000000ffff        // data
boot_gdtr:
    .word 31
    .quad boot_gdt
.section .boot.bss, "aw", @nobits
.align 4096
boot_top: .skip 4096
boot_low: .skip 4096
boot_high: .skip 4096
boot_directory: .skip 4096

.section .bss.stack, "aw", @nobits
.align 4096
.globl kernel_stack_guard, kernel_stack_top
kernel_stack_guard: .skip 4096
.skip {stack}
kernel_stack_top:
.text
"#,
    start = sym begin,
    stack = const STACK,
);

unsafe extern "Rust" {
    /// What the program that is linked with this does with the machine.
    safe fn footing_main(machine: crate::Machine) -> !;
}

extern "C" fn begin(info: u64) -> ! {
    crate::serial::start();
    let machine = crate::start::start(layout::direct(info));
    footing_main(machine)
}
