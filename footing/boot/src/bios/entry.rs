//! From the BIOS to Rust, and from Rust to the BIOS and back.
//!
//! The BIOS loads the boot record to 0x7c00 and starts it in real mode; the record loads the 63 sectors behind it. The loader's
//! first part turns on line A20, looks for long mode, and goes to it. [`call`] goes back to real mode for one interrupt of the BIOS.
//!
//! | memory | what |
//! |---|---|
//! | below 0x7c00 | the stack in real mode |
//! | 0x7c00 to 0xfc00 | the loader |
//! | 0x10000 to 0x18000 | sectors on their way |
//! | 0x20000 to 0x26000 | page tables: the first 4 GiB, each address for itself |
//! | 0x40000 to 0x50000 | the stack in long mode |
//! | 0x50000 to 0x70000 | variables |
//!
//! Source: Intel SDM, volume 3A, 10.8.5 and 10.9; Phoenix's Enhanced Disk Drive Specification 3.0.
#![allow(unsafe_code)]

use core::arch::global_asm;

/// Registers for the BIOS, and as it leaves them.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Registers {
    pub(crate) eax: u32,
    pub(crate) ebx: u32,
    pub(crate) ecx: u32,
    pub(crate) edx: u32,
    pub(crate) esi: u32,
    pub(crate) edi: u32,
    pub(crate) flags: u32,
}

impl Registers {
    /// Whether the BIOS says that it failed.
    pub(crate) fn failed(&self) -> bool {
        self.flags & 1 == 1
    }
}

// Far jumps and calls of the disk are spelled in bytes where the assembler has no word for the size.
global_asm!(
    r#"
.section .record, "awx"
.code16
.globl boot_record
boot_record:
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    sti
    cld
    ljmp 0, offset record_start
record_start:
    push dx                         // dl: the disk
    mov ah, 0x41                    // does it take sector numbers?
    mov bx, 0x55aa
    int 0x13
    mov si, offset record_old
    jc record_say
    cmp bx, 0xaa55
    jne record_say
    mov bp, 3
1:  pop dx
    push dx
    mov si, offset record_packet
    mov ah, 0x42
    int 0x13
    jnc 2f
    xor ah, ah                      // reset it, and once more
    int 0x13
    dec bp
    jnz 1b
    mov si, offset record_error
    jmp record_say
2:  pop dx
    ljmp 0, offset loader
record_say:                         // prints what si points to, and halts
    lodsb
    test al, al
    jz 4f
    mov cl, al
    mov ah, 0x0e
    mov bx, 7
    int 0x10
    mov dx, 0x3fd                   // and on the serial port; one that is not there reads as ones
3:  in al, dx
    test al, 0x20
    jz 3b
    mov dx, 0x3f8
    mov al, cl
    out dx, al
    jmp record_say
4:  hlt
    jmp 4b
record_packet:
    .byte 16, 0
    .word 63, 0x7e00, 0
    .quad 1
record_old: .asciz "groundup: this BIOS can't read the disk by sector numbers\r\n"
record_error: .asciz "groundup: the disk could not be read\r\n"

.section .start, "awx"
.code16
loader:
    mov [boot_disk], dl
    mov ax, 3                       // the text mode of 80 by 25
    int 0x10
    mov ax, 0x2401                  // A20, by the BIOS and by the chip set
    int 0x15
    in al, 0x92
    and al, 0xfe
    or al, 2
    out 0x92, al
    mov eax, 0x80000000
    cpuid
    mov si, offset loader_old
    cmp eax, 0x80000001
    jb record_say
    mov eax, 0x80000001
    cpuid
    bt edx, 29
    jnc record_say
    mov ax, 0xffff                  // is A20 on? 0x100500 is not 0x500 then
    mov fs, ax
    mov word ptr [0x500], 0x1234
    mov word ptr fs:[0x510], 0x4321
    mov si, offset loader_a20
    cmp word ptr [0x500], 0x1234
    jne record_say
    mov ax, 0x2000
    mov es, ax
    xor di, di
    xor eax, eax
    mov cx, 6 * 1024
    rep stosd
    mov dword ptr es:[0], 0x21003
    mov di, 0x1000
    mov eax, 0x22003
    mov cx, 4
1:  mov es:[di], eax
    add eax, 0x1000
    add di, 8
    loop 1b
    mov di, 0x2000
    mov eax, 0x83                   // 2048 pages of 2 MiB
2:  mov es:[di], eax
    add eax, 0x200000
    add di, 8
    cmp di, 0x6000
    jne 2b
go_long:
    cli
    lgdt [boot_gdtr]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    .byte 0x66, 0xea                // ljmp 8, long_32
    .long long_32
    .word 8
.code32
long_32:
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, 0x620                  // PAE, OSFXSR, OSXMMEXCPT
    mov cr4, eax
    mov eax, 0x20000
    mov cr3, eax
    mov ecx, 0xc0000080             // EFER: LME
    rdmsr
    or eax, 0x100
    wrmsr
    mov eax, 0x80010033             // PG, WP, NE, ET, MP, PE
    mov cr0, eax
    ljmp 40, offset long_64
.code64
long_64:
    mov rsp, [long_stack]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

.globl bios_call
bios_call:                          // edi: the interrupt
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    mov [long_stack], rsp
    mov eax, edi
    mov [real_interrupt], al
    push 8
    push offset real_32
    retfq
.code32
real_32:
    mov eax, cr0
    and eax, 0x7fffffff
    mov cr0, eax
    mov ecx, 0xc0000080
    rdmsr
    and eax, 0xfffffeff
    wrmsr
    ljmp 24, offset real_16
.code16
real_16:
    mov ax, 32
    mov ds, ax
    mov es, ax
    mov ss, ax
    lidt [real_idt]
    mov eax, cr0
    and al, 0xfe
    mov cr0, eax
    ljmp 0, offset real
real:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov fs, ax
    mov gs, ax
    mov esp, 0x7c00
    sti
    mov eax, [bios_registers]
    mov ebx, [bios_registers + 4]
    mov ecx, [bios_registers + 8]
    mov edx, [bios_registers + 12]
    mov esi, [bios_registers + 16]
    mov edi, [bios_registers + 20]
    .byte 0xcd
real_interrupt: .byte 0
    pushfd
    push eax
    xor ax, ax
    mov ds, ax
    pop eax
    pop dword ptr [bios_registers + 24]
    mov [bios_registers], eax
    mov [bios_registers + 4], ebx
    mov [bios_registers + 8], ecx
    mov [bios_registers + 12], edx
    mov [bios_registers + 16], esi
    mov [bios_registers + 20], edi
    jmp go_long

.code64
long_first:
    mov esp, 0x50000
    mov edi, offset bss_start
    mov ecx, offset bss_end
    sub ecx, edi
    xor eax, eax
    rep stosb
    xor ebp, ebp
    call {start}
    ud2

.align 8
boot_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff        // 8: code of 32 bits
    .quad 0x00cf93000000ffff        // 16: data
    .quad 0x00009b000000ffff        // 24: code of 16 bits
    .quad 0x000093000000ffff        // 32: data of 16 bits
    .quad 0x00af9b000000ffff        // 40: code of 64 bits
boot_gdtr:
    .word 47
    .long boot_gdt
real_idt:
    .word 0x3ff
    .long 0
.align 8
.globl bios_registers, boot_disk
bios_registers: .skip 28
boot_disk: .long 0
long_stack: .quad long_stack + 8
    .quad 0, 0, 0, 0, 0, 0, long_first
loader_old: .asciz "groundup: this CPU has no 64-bit mode, which the kernel needs\r\n"
loader_a20: .asciz "groundup: address line A20 stays off\r\n"
.text
"#,
    start = sym crate::start,
);

unsafe extern "C" {
    fn bios_call(interrupt: u32);
    static mut bios_registers: Registers;
    static boot_disk: u32;
}

/// The number that the BIOS has for the disk that the loader came from.
pub(crate) fn disk() -> u32 {
    // SAFETY: the loader's first part wrote it, and nobody does any more.
    unsafe { boot_disk }
}

/// Calls an interrupt of the BIOS.
pub(crate) fn call(interrupt: u8, registers: &mut Registers) {
    // SAFETY: there is one thread, the registers are in a place of their own, and what the BIOS changes is its own memory, or what the
    // registers point it to: places that Rust does not know of.
    unsafe {
        bios_registers = *registers;
        bios_call(u32::from(interrupt));
        *registers = bios_registers;
    }
}
